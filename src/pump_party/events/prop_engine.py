"""Events of the prop engine: integers with their unit. Decimal strings are made where they go on the wire."""

from typing import ClassVar

import msgspec

NO_PERP = msgspec.Raw(b"null")
"""What is raw JSON cannot also be None: a decoder would then take nothing else."""


class OrderFilled(msgspec.Struct, frozen=True, gc=False):
    """An order was filled. `fill` is the JSON of a prop_interface `FillView`; the rest is the account afterwards."""

    KIND: ClassVar[str] = "order_filled"

    account_id: str
    order_id: str
    client_order_id: str | None
    fill: msgspec.Raw
    version: int
    cash_micros: int
    position_quantity_nanos: int
    position_cost_micros: int
    position_realised_pnl_micros: int
    position_fees_micros: int
    held_micros: int = 0
    margin_micros: int = 0
    perp: msgspec.Raw = NO_PERP
    """JSON of the prop_interface `PerpPositionView` afterwards, when the fill was of a perpetual; without a mark."""


class PositionUpdated(msgspec.Struct, frozen=True, gc=False):
    """A perpetual position paid or received funding, or its margin became too small, enough again or uncertain.

    `change` is funding, margin_call, margin_restored or liquidation_suspended (the market is halted, or its price too
    uncertain, before a second tick agreed with the call); `perp` the JSON of the `PerpPositionView` afterwards.
    """

    KIND: ClassVar[str] = "position_updated"

    account_id: str
    change: str
    perp: msgspec.Raw
    version: int
    cash_micros: int
    margin_micros: int
    funding_micros: int
    at_ms: int


class OrderUpdated(msgspec.Struct, frozen=True, gc=False):
    """An order was accepted, rests, was triggered or was cancelled, also at once: a limit that may not wait and missed.

    `order` is the JSON of a prop_interface `OrderView`; the rest is the account afterwards.
    """

    KIND: ClassVar[str] = "order_updated"

    account_id: str
    order: msgspec.Raw
    version: int
    cash_micros: int
    held_micros: int
    at_ms: int


class OrderRejected(msgspec.Struct, frozen=True, gc=False):
    """An order was refused, at once or after it waited: then what it held is free again. The rest is afterwards."""

    KIND: ClassVar[str] = "order_rejected"

    account_id: str
    order_id: str
    client_order_id: str | None
    market: str
    side: str
    reject_code: str
    version: int
    cash_micros: int
    held_micros: int
    at_ms: int


class AccountReset(msgspec.Struct, frozen=True):
    """The account started a new cycle with fresh capital; earlier cycles stay readable."""

    KIND: ClassVar[str] = "account_reset"

    account_id: str
    cycle: int
    cash_micros: int
    version: int
    at_ms: int


class AccountStatusChanged(msgspec.Struct, frozen=True):
    """The account was paused, resumed, locked, frozen or completed.

    `reason` of a frozen one is the limit it broke: DAILY_LOSS or TOTAL_LOSS.
    """

    KIND: ClassVar[str] = "account_status_changed"

    account_id: str
    status: str
    reason: str
    version: int
    at_ms: int
