"""Every reject code, as an order that gets it: the same table for REST and for the socket."""

from dataclasses import dataclass, field
from typing import Any

from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.contract import Book, HaltReason, Quote
from pump_party.domains.prop_engine.working import TICK_GRACE_MS
from pump_party.domains.prop_interface.contract import (
    OPEN_ORDERS_MAX,
    AccountKind,
    AccountStatus,
    OpenAccount,
    OrderKind,
    OrderTerms,
    PlaceOrder,
    RejectCode,
    SetAccountStatus,
    Side,
)
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.kernel.money import E8

SOL = Market("SOL-USDC")
SOL_PERP = Market("SOL-PERP")
BUY = {"market": SOL, "side": "buy", "quantity": "1"}
ON_BOOKS, LATENCY_MS = "practice-book-v1", 1_501
LIMIT = {"limit_price": "100"}
"""Far below the market: it rests. `kind` is named by each transport in its own way."""


@dataclass(frozen=True)
class Case:
    """`order` is refused with `code`, at SOL 150, after `waiting` limit orders of which the first is called `mine`."""

    code: RejectCode
    order: dict[str, Any] = field(default_factory=dict)
    kind: str | None = None
    quote: dict[str, Any] = field(default_factory=dict)
    age_ms: int = 0
    rule_set: str = "practice-v2"
    status: AccountStatus = AccountStatus.ACTIVE
    waiting: int = 0
    leap_ms: int = 0
    """How long nothing happens after the order was accepted."""

    book: tuple[int, int] | None = None
    """(price in USDC, SOL on each side) of the order book that then comes with a tick."""

    again: dict[str, Any] | None = None
    """Sent under the same key after the order; then this is what is refused, as a request and not as an order."""


CASES = [
    Case(RejectCode.BAD_REQUEST, {"side": "sell", "quantity": None, "quote_amount": "10"}),
    Case(RejectCode.LOT_SIZE, {"quantity": "1.00001"}),
    Case(RejectCode.MIN_NOTIONAL, {"quantity": "0.0066"}),
    Case(RejectCode.MAX_NOTIONAL, {"quantity": "7000"}),
    Case(RejectCode.INSUFFICIENT_FUNDS, {"quantity": "100"}),
    Case(RejectCode.INSUFFICIENT_POSITION, {"side": "sell"}),
    Case(RejectCode.MAX_LEVERAGE, {"market": SOL_PERP, "leverage": 50}),
    Case(RejectCode.PRICE_STALE, age_ms=3_500),
    Case(RejectCode.PRICE_UNCERTAIN, quote={"conf_e8": E8}),
    Case(RejectCode.PRICE_TIMEOUT, rule_set="practice-next-v1", leap_ms=6_001 + TICK_GRACE_MS),
    Case(RejectCode.PRICE_DIVERGENCE, rule_set=ON_BOOKS, leap_ms=LATENCY_MS, book=(155, 1_000)),
    Case(RejectCode.INSUFFICIENT_DEPTH, rule_set=ON_BOOKS, leap_ms=LATENCY_MS, book=(150, 1)),
    Case(RejectCode.SLIPPAGE_LIMIT, {"max_slippage_bps": 0}),
    Case(RejectCode.MARKET_HALTED, quote={"halt_reason": HaltReason.QUARANTINE_JUMP}),
    Case(RejectCode.ACCOUNT_FROZEN, status=AccountStatus.LOCKED),
    Case(RejectCode.CONTEST_CLOSED, status=AccountStatus.COMPLETED),
    Case(RejectCode.RATE_LIMITED, LIMIT, kind="limit", waiting=OPEN_ORDERS_MAX),
    Case(RejectCode.DUPLICATE_IN_FLIGHT, LIMIT | {"client_order_id": "mine"}, kind="limit", waiting=1),
    Case(RejectCode.IDEMPOTENCY_MISMATCH, again={"quantity": "2"}),
]
BY_CODE = {case.code.value: case for case in CASES}


def arrange(services: Services, user_id: UserId, case: Case) -> AccountId:
    """An account on which the case's order gets its code."""
    command = OpenAccount(user_id, AccountKind.PRACTICE, f"for {case.code}", case.rule_set)
    account_id = services.prop.open_account(command).account_id
    _put_price(services, 0, {})
    if case.waiting:
        orders = [_limit(user_id, account_id, number) for number in range(case.waiting)]
        assert not any(isinstance(outcome, Exception) for outcome in services.prop.place_orders(orders))
    if case.status is not AccountStatus.ACTIVE:
        services.prop.set_account_status(SetAccountStatus(None, account_id, case.status, "arranged"))
    _put_price(services, case.age_ms, case.quote)
    return account_id


def _limit(user_id: UserId, account_id: AccountId, number: int) -> PlaceOrder:
    terms = OrderTerms(kind=OrderKind.LIMIT, limit_price_e8=100 * E8)
    called = "mine" if number == 0 else None
    size_nanos = 10**8
    return PlaceOrder(user_id, account_id, f"w{number}", SOL, Side.BUY, size_nanos, client_order_id=called, terms=terms)


def show_book(services: Services, price: int, size: int) -> None:
    """An order book of one level on each side, a cent apart from the price."""
    now_ms = services.clock.now_ms()
    bid, ask = (price * E8 - 10**6, size * 10**9), (price * E8 + 10**6, size * 10**9)
    services.books.put([Book(SOL, (bid,), (ask,), now_ms, now_ms, now_ms, "hyperliquid", "cd" * 32)])


def _put_price(services: Services, age_ms: int, changes: dict[str, Any]) -> None:
    now_ms = services.clock.now_ms()
    fields = {
        "mid_e8": 150 * E8,
        "conf_e8": 10**5,
        "publish_ms": now_ms - age_ms,
        "recv_ms": now_ms,
        "slot": 1,
        "source": "test",
        "tick_sha256": "ab" * 32,
        "feed": "live",
    }
    services.quotes.put([Quote(market=market, **(fields | changes)) for market in (SOL, SOL_PERP)])
