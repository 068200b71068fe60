"""Turn what happened into balanced postings, and link each record to the account's hash chain.

Every account is a closed book: its `user:*` legs face `venue:*` legs of the same book, so the postings of every
record, and all balances of the book, sum to zero per asset. Books never meet, so accounts never serialise.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.chain import leaf_hash, link
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    Order,
    Position,
    Posting,
    RecordKind,
    SpotFill,
)
from pump_party.domains.prop_interface.contract import OrderTerms
from pump_party.kernel.ids import Market

CASH_ASSET = "USDC"
USER_CASH = "user:cash"
USER_HELD = "user:held"
VENUE_CASH = "venue:cash"
VENUE_FEES = "venue:fees"
VENUE_CAPITAL = "venue:capital"


def base_asset(market: Market) -> str:
    return market.split("-", 1)[0]


def user_account(asset: str) -> str:
    return f"user:{asset.lower()}"


def venue_account(asset: str) -> str:
    return f"venue:{asset.lower()}"


def venue_cash_micros(account: Account) -> int:
    """What the venue side of the book holds in cash: start capital that is neither the user's nor fees."""
    return account.start_micros - account.cash_micros - account.held_micros - account.fees_micros


def fill_postings(fill: SpotFill, *, account: Account, position: Position) -> tuple[Posting, ...]:
    """The five postings of a spot fill (execution model, section 7). Account and position are those AFTER it."""
    asset = base_asset(position.market)
    cash_change, held_change = fill.cash_change_micros, fill.held_change_nanos
    held = position.quantity_nanos
    return (
        Posting(USER_CASH, CASH_ASSET, cash_change, account.cash_micros),
        Posting(VENUE_CASH, CASH_ASSET, -cash_change - fill.fee_micros, venue_cash_micros(account)),
        Posting(VENUE_FEES, CASH_ASSET, fill.fee_micros, account.fees_micros),
        Posting(user_account(asset), asset, held_change, held - position.held_nanos),
        Posting(venue_account(asset), asset, -held_change, -held),
    )


def hold_postings(asset: str, amount: int, *, account: Account, position: Position) -> tuple[Posting, ...]:
    """Move `amount` from free to held; a negative one frees it. Account and position are those AFTER it."""
    if amount == 0:
        return ()
    if asset == CASH_ASSET:
        return (
            Posting(USER_CASH, asset, -amount, account.cash_micros),
            Posting(USER_HELD, asset, amount, account.held_micros),
        )
    return (
        Posting(user_account(asset), asset, -amount, position.quantity_nanos - position.held_nanos),
        Posting(USER_HELD, asset, amount, position.held_nanos),
    )


def held_fill_postings(
    fill: SpotFill, asset: str, amount: int, *, account: Account, position: Position
) -> tuple[Posting, ...]:
    """The postings of a fill whose order held `amount` of `asset`: the hold is freed and spent in one record."""
    cash_change, held_change = fill.cash_change_micros, fill.held_change_nanos
    base = base_asset(position.market)
    freed_micros, freed_nanos = (amount, 0) if asset == CASH_ASSET else (0, amount)
    postings = (
        Posting(USER_CASH, CASH_ASSET, cash_change + freed_micros, account.cash_micros),
        Posting(USER_HELD, CASH_ASSET, -freed_micros, account.held_micros),
        Posting(VENUE_CASH, CASH_ASSET, -cash_change - fill.fee_micros, venue_cash_micros(account)),
        Posting(VENUE_FEES, CASH_ASSET, fill.fee_micros, account.fees_micros),
        Posting(user_account(base), base, held_change + freed_nanos, position.quantity_nanos - position.held_nanos),
        Posting(USER_HELD, base, -freed_nanos, position.held_nanos),
        Posting(venue_account(base), base, -held_change, -position.quantity_nanos),
    )
    return tuple(p for p in postings if p.amount != 0)


def open_postings(start_micros: int) -> tuple[Posting, ...]:
    """Fresh capital from the venue."""
    return (
        Posting(USER_CASH, CASH_ASSET, start_micros, start_micros),
        Posting(VENUE_CAPITAL, CASH_ASSET, -start_micros, -start_micros),
    )


def close_postings(account: Account, positions: Sequence[Position]) -> tuple[Posting, ...]:
    """Bring every balance of the book to zero: the end of a cycle."""
    postings = [
        Posting(USER_CASH, CASH_ASSET, -account.cash_micros, 0),
        Posting(USER_HELD, CASH_ASSET, -account.held_micros, 0),
        Posting(VENUE_CASH, CASH_ASSET, -venue_cash_micros(account), 0),
        Posting(VENUE_FEES, CASH_ASSET, -account.fees_micros, 0),
        Posting(VENUE_CAPITAL, CASH_ASSET, account.start_micros, 0),
    ]
    for position in positions:
        asset = base_asset(position.market)
        postings.append(Posting(user_account(asset), asset, position.held_nanos - position.quantity_nanos, 0))
        postings.append(Posting(USER_HELD, asset, -position.held_nanos, 0))
        postings.append(Posting(venue_account(asset), asset, position.quantity_nanos, 0))
    return tuple(p for p in postings if p.amount != 0)


def write_record(
    account: Account,
    record_id: str,
    kind: RecordKind,
    *,
    at_ms: int,
    postings: tuple[Posting, ...] = (),
    order: Order | None = None,
    fill: Fill | None = None,
    detail: str | None = None,
) -> JournalRecord:
    """The next record of the account, linked to its chain head.

    Asserts that the postings balance per asset and that no `user:*` balance is negative.
    """
    assert_balanced(postings)
    record = JournalRecord(
        record_id,
        account.account_id,
        account.version + 1,
        kind,
        at_ms,
        None if order is None else order.order_id,
        b"",
        write_postings(postings),
        detail,
    )
    return msgspec.structs.replace(record, sha256=link(account.head, leaf_hash(record_line(record, order, fill))))


def assert_balanced(postings: Sequence[Posting]) -> None:
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.asset] = sums.get(posting.asset, 0) + posting.amount
        assert posting.balance_after >= 0 or not posting.ledger_account.startswith("user:"), posting
    assert not any(sums.values()), sums


class RecordLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """The canonical form of a record: fields in alphabetical order, integers as decimal strings, absent is left out.

    Encoding this struct gives the bytes of `chain.canonical`, several times faster than sorting a dict.
    """

    account_id: str
    at_ms: str
    client_order_id: str | None = None
    conf_e8: str | None = None
    created_ms: str | None = None
    cycle: str | None = None
    detail: str | None = None
    fee_micros: str | None = None
    feed: str | None = None
    fill_detail: str | None = None
    filled_ms: str | None = None
    gross_micros: str | None = None
    half_spread_e8: str | None = None
    idempotency_key: str | None = None
    impact_e8: str | None = None
    kind: str = ""
    market: str | None = None
    max_slippage_ppm: str | None = None
    mid_e8: str | None = None
    order_id: str | None = None
    order_quantity_nanos: str | None = None
    order_quote_micros: str | None = None
    postings: msgspec.Raw = msgspec.Raw(b"[]")
    price_e8: str | None = None
    publish_ms: str | None = None
    quantity_nanos: str | None = None
    realised_pnl_micros: str | None = None
    record_id: str = ""
    recv_ms: str | None = None
    reject_code: str | None = None
    request_sha256: str | None = None
    side: str | None = None
    slot: str | None = None
    source: str | None = None
    tape_ms: str | None = None
    terms: str | None = None
    tick_sha256: str | None = None
    version: str = ""


_encode = msgspec.json.encode


def record_line(record: JournalRecord, order: Order | None, fill: Fill | None) -> bytes:
    """The bytes the chain covers: every stored value of the record, its postings, its order and its fill."""
    own: dict[str, Any] = {
        "account_id": record.account_id,
        "at_ms": str(record.at_ms),
        "kind": record.kind,
        "postings": msgspec.Raw(record.postings),
        "record_id": record.record_id,
        "version": str(record.version),
    }
    if record.detail is not None:
        own["detail"] = record.detail
    if order is None:
        return _encode(RecordLine(**own))
    asked: dict[str, Any] = {
        "client_order_id": order.client_order_id,
        "created_ms": str(order.created_ms),
        "idempotency_key": order.idempotency_key,
        "market": order.market,
        "max_slippage_ppm": _text(order.max_slippage_ppm),
        "order_id": order.order_id,
        "order_quantity_nanos": _text(order.quantity_nanos),
        "order_quote_micros": _text(order.quote_micros),
        "request_sha256": order.request_sha256.hex(),
        "side": order.side,
    }
    if order.terms is not None:
        asked["terms"] = write_terms(order.terms)
    if fill is None:
        return _encode(RecordLine(**own, **asked, reject_code=order.reject_code))
    return _encode(
        RecordLine(
            **own,
            **asked,
            conf_e8=str(fill.conf_e8),
            cycle=str(fill.cycle),
            fee_micros=str(fill.fee_micros),
            feed=fill.feed,
            fill_detail=fill.detail,
            filled_ms=str(fill.filled_ms),
            gross_micros=str(fill.gross_micros),
            half_spread_e8=str(fill.half_spread_e8),
            impact_e8=str(fill.impact_e8),
            mid_e8=str(fill.mid_e8),
            price_e8=str(fill.price_e8),
            publish_ms=str(fill.publish_ms),
            quantity_nanos=str(fill.quantity_nanos),
            realised_pnl_micros=str(fill.realised_pnl_micros),
            recv_ms=str(fill.recv_ms),
            slot=str(fill.slot),
            source=fill.source,
            tape_ms=_text(fill.tape_ms),
            tick_sha256=fill.tick_sha256,
        )
    )


def write_terms(terms: OrderTerms) -> str:
    """Terms as they are stored, hashed and compared: JSON in field order, defaults left out."""
    return _encode(terms).decode()


def write_tick(quote: Quote) -> str:
    """The evidence of a tick that moved an order without filling it: JSON."""
    return _encode(
        {
            "conf_e8": str(quote.conf_e8),
            "mid_e8": str(quote.mid_e8),
            "publish_ms": str(quote.publish_ms),
            "recv_ms": str(quote.recv_ms),
            "source": quote.source,
            "tick_sha256": quote.tick_sha256,
        }
    ).decode()


def write_postings(postings: Sequence[Posting]) -> bytes:
    """Postings as they are stored and hashed: a JSON array of [account, asset, amount, balance after] per leg."""
    return _encode([(p.ledger_account, p.asset, str(p.amount), str(p.balance_after)) for p in postings])


def read_postings(text: bytes) -> tuple[Posting, ...]:
    """The inverse of `write_postings`."""
    rows = _decode_postings(text)
    return tuple(Posting(account, asset, int(amount), int(after)) for account, asset, amount, after in rows)


_decode_postings = msgspec.json.Decoder(list[tuple[str, str, str, str]]).decode


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
