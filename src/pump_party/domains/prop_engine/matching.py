"""Which tick an accepted order fills on, and what is held for it until then (execution model, section 5)."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM, ceil_div

CASH_ASSET = "USDC"

HOLD_MARGIN_PPM = 30_000
"""A purchase sized in the base asset holds 3 % more than the last mid asks for: the fill's price is not known yet."""


class TickTimes(Protocol):
    """What the rule needs to know of a tick."""

    @property
    def publish_ms(self) -> int: ...

    @property
    def recv_ms(self) -> int: ...


TickT = TypeVar("TickT", bound=TickTimes)


def select_tick(ticks: Sequence[TickT], *, accepted_ms: int, latency_ms: int, max_wait_ms: int) -> TickT | None:
    """The first tick published after acceptance plus latency, if it was received in time. None is PRICE_TIMEOUT."""
    for tick in ticks:
        if tick.publish_ms > accepted_ms + latency_ms:
            return tick if tick.recv_ms <= accepted_ms + max_wait_ms else None
    return None


def hold_for(
    side: Side,
    *,
    quantity_nanos: int | None,
    quote_micros: int | None,
    last_mid_e8: int,
    base: str,
    taker_fee_ppm: int,
) -> tuple[str, int]:
    """(asset, amount) an accepted order sets aside: micros of USDC for a purchase, nanos of the base for a sale."""
    if side is Side.SELL:
        assert quantity_nanos is not None
        return base, quantity_nanos
    if quantity_nanos is None:
        assert quote_micros is not None
        return CASH_ASSET, quote_micros
    price_e8 = ceil_div(last_mid_e8 * (PPM + HOLD_MARGIN_PPM), PPM)
    gross_micros = ceil_div(quantity_nanos * price_e8, NOTIONAL_DIVISOR)
    return CASH_ASSET, gross_micros + ceil_div(gross_micros * taker_fee_ppm, PPM)
