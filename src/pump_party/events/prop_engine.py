"""Events of the prop engine. Amounts are decimal strings, as on the wire: the gateway passes them on untouched."""

import msgspec


class Evidence(msgspec.Struct, frozen=True):
    """Where a fill's price came from. `tape_ms` is set when the price was replayed from a tape."""

    source: str
    publish_ms: int
    receive_ms: int
    age_ms: int
    mid: str
    confidence: str
    tick_sha256: str
    tape_ms: int | None = None


class FillDetail(msgspec.Struct, frozen=True):
    fill_id: str
    price: str
    quantity: str
    gross: str
    fee: str
    half_spread: str
    impact: str
    realised_pnl: str
    filled_ms: int
    evidence: Evidence


class OrderFilled(msgspec.Struct, frozen=True):
    """An order was filled; `cash`, `position_quantity` and `position_cost` are the account afterwards."""

    account_id: str
    order_id: str
    client_order_id: str | None
    market: str
    side: str
    status: str
    fill: FillDetail
    version: int
    cash: str
    position_quantity: str
    position_cost: str
    position_realised_pnl: str
    position_fees: str


class OrderRejected(msgspec.Struct, frozen=True):
    account_id: str
    order_id: str
    client_order_id: str | None
    market: str
    side: str
    status: str
    reject_code: str
    at_ms: int


class AccountReset(msgspec.Struct, frozen=True):
    """The account started a new cycle with fresh capital; earlier cycles stay readable."""

    account_id: str
    cycle: int
    cash: str
    version: int
    at_ms: int
