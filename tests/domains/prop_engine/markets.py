"""What the engine's tests trade: the vectors' market, a quote, a practice account."""

import tomllib
from importlib.resources import files
from typing import Any

import msgspec

from pump_party.domains.marketdata.contract import Asset, Book, MarketKind, Quote
from pump_party.domains.prop_engine.model import Account
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.rules import build_rule_sets
from pump_party.domains.prop_interface.contract import AccountKind, PlaceOrder, Side
from pump_party.kernel.ids import AccountId, Market, UserId

SOL = Market("SOL-USDC")
BTC = Market("BTC-USDC")
SOL_PERP = Market("SOL-PERP")
MID_E8 = 15_023_456_789
CONF_E8 = 7_511_728

ASSETS = (
    Asset(SOL, "SOL", "USDC", tick_e8=10_000, lot_nanos=100_000, quantity_decimals=4, price_decimals=4),
    Asset(BTC, "BTC", "USDC", tick_e8=10_000_000, lot_nanos=10_000, quantity_decimals=5, price_decimals=1),
    Asset(
        SOL_PERP,
        "SOL",
        "USDC",
        tick_e8=10_000,
        lot_nanos=10_000_000,
        quantity_decimals=2,
        price_decimals=4,
        kind=MarketKind.PERP,
    ),
)


def rule_documents() -> tuple[dict[str, Any], dict[str, Any]]:
    folder = files("pump_party.domains.prop_engine")
    rules, perpetuals = (tomllib.loads(folder.joinpath(name).read_text()) for name in ("rules.toml", "perpetuals.toml"))
    return rules, perpetuals


def rule_sets() -> dict[str, RuleSet]:
    return build_rule_sets(*rule_documents(), ASSETS)


PRACTICE = rule_sets()["practice-v1"]


def quote_at(now_ms: int, *, market: Market = SOL, age_ms: int = 300, **changes: object) -> Quote:
    quote = Quote(
        market=market,
        mid_e8=MID_E8,
        conf_e8=CONF_E8,
        publish_ms=now_ms - age_ms,
        recv_ms=now_ms - age_ms,
        slot=1,
        source="test",
        tick_sha256="ab" * 32,
        feed="tape",
        tape_ms=1_746_372_780_000,
    )
    return msgspec.structs.replace(quote, **changes)


class FixedQuotes:
    """Prices a test sets by hand, in place of the cache."""

    def __init__(self, *quotes: Quote) -> None:
        self._quotes = {quote.market: quote for quote in quotes}

    def latest(self, markets: object) -> dict[Market, Quote]:
        return {m: self._quotes[m] for m in markets if m in self._quotes}  # type: ignore[attr-defined]

    def set(self, *quotes: Quote) -> None:
        self._quotes |= {quote.market: quote for quote in quotes}

    def forget(self, market: Market) -> None:
        self._quotes.pop(market, None)


class FixedBooks:
    """Order books a test sets by hand, in place of the cache."""

    def __init__(self, *books: Book) -> None:
        self._books = {book.market: book for book in books}

    def latest(self, markets: object) -> dict[Market, Book]:
        return {m: self._books[m] for m in markets if m in self._books}  # type: ignore[attr-defined]

    def set(self, *books: Book) -> None:
        self._books |= {book.market: book for book in books}


def practice_account(cash_micros: int = 10_000_000_000) -> Account:
    return Account(
        account_id=AccountId("01900000-0000-7000-8000-000000000001"),
        user_id=UserId("01900000-0000-7000-8000-000000000002"),
        kind=AccountKind.PRACTICE,
        rule_set="practice-v1",
        params_sha256=PRACTICE.params_sha256,
        contest_eligible=False,
        opened_ms=1,
        cycle=1,
        version=0,
        seq=0,
        head=b"\x00" * 32,
        start_micros=cash_micros,
        cash_micros=cash_micros,
        realised_pnl_micros=0,
        fees_micros=0,
        fills=0,
    )


def order(
    user_id: str, account_id: str, key: str, side: str = "buy", nanos: int | None = None, **more: object
) -> PlaceOrder:
    command = PlaceOrder(
        user_id=UserId(user_id),
        account_id=AccountId(account_id),
        idempotency_key=key,
        market=SOL,
        side=Side(side),
        quantity_nanos=nanos,
    )
    return msgspec.structs.replace(command, **more)
