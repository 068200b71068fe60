"""What everybody is shown of the account that a clone trades, on the wire: the same over HTTP and on the socket."""

import msgspec

from pump_party.domains.prop_interface.contract import FillView
from pump_party.kernel.money import format_e8, format_micros, format_nanos


class CloneFillItem(msgspec.Struct, frozen=True):
    """The account that a clone trades was filled. `realised` is what the fill realised, fees apart."""

    market: str
    side: str
    price: str
    quantity: str
    fee: str
    realised: str
    at_ms: int


def render_clone_fill(view: FillView) -> CloneFillItem:
    """Neither which account or order it is, nor what it was filled against."""
    return CloneFillItem(
        market=view.market,
        side=view.side.value,
        price=format_e8(view.price_e8),
        quantity=format_nanos(view.quantity_nanos),
        fee=format_micros(view.fee_micros),
        realised=format_micros(view.realised_pnl_micros),
        at_ms=view.filled_ms,
    )
