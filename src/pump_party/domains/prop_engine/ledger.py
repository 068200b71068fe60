"""Turn what happened into balanced postings, and link each record to the account's hash chain.

Every account is a closed book: its `user:*` legs face `venue:*` legs of the same book, so the postings of every
record, and all balances of the book, sum to zero per asset. Books never meet, so accounts never serialise.
"""

from collections.abc import Sequence

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
from pump_party.domains.prop_engine.perp_model import PerpChange
from pump_party.domains.prop_engine.record_line import record_line
from pump_party.kernel.ids import Market

CASH_ASSET = "USDC"
USER_CASH = "user:cash"
USER_HELD = "user:held"
USER_MARGIN = "user:margin"
VENUE_CASH = "venue:cash"
VENUE_FEES = "venue:fees"
VENUE_CAPITAL = "venue:capital"
VENUE_INSURANCE = "venue:insurance"


_encode = msgspec.json.encode


def base_asset(market: Market) -> str:
    return market.split("-", 1)[0]


def user_account(asset: str) -> str:
    return f"user:{asset.lower()}"


def venue_account(asset: str) -> str:
    return f"venue:{asset.lower()}"


def venue_cash_micros(account: Account) -> int:
    """What the venue side of the book holds in cash: start capital that is not the user's, fees or insurance."""
    users = account.cash_micros + account.held_micros + account.margin_micros
    return account.start_micros - users - venue_fees_micros(account) - account.insurance_micros


def venue_fees_micros(account: Account) -> int:
    """Fees of fills; liquidation fees went to insurance."""
    return account.fees_micros - account.liquidation_fees_micros


def fill_postings(fill: SpotFill, *, account: Account, position: Position) -> tuple[Posting, ...]:
    """The five postings of a spot fill (execution model, section 7). Account and position are those AFTER it."""
    asset = base_asset(position.market)
    cash_change, held_change = fill.cash_change_micros, fill.held_change_nanos
    held = position.quantity_nanos
    return (
        Posting(USER_CASH, CASH_ASSET, cash_change, account.cash_micros),
        Posting(VENUE_CASH, CASH_ASSET, -cash_change - fill.fee_micros, venue_cash_micros(account)),
        Posting(VENUE_FEES, CASH_ASSET, fill.fee_micros, venue_fees_micros(account)),
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
        Posting(VENUE_FEES, CASH_ASSET, fill.fee_micros, venue_fees_micros(account)),
        Posting(user_account(base), base, held_change + freed_nanos, position.quantity_nanos - position.held_nanos),
        Posting(USER_HELD, base, -freed_nanos, position.held_nanos),
        Posting(venue_account(base), base, -held_change, -position.quantity_nanos),
    )
    return tuple(p for p in postings if p.amount != 0)


def perp_postings(change: PerpChange, freed_micros: int, *, account: Account) -> tuple[Posting, ...]:
    """What an event of a perpetual position moves; `freed_micros` were held for its order. Account is AFTER it.

    Profits, losses and funding come from and go to the venue's cash; insurance takes liquidation fees and covers what
    a margin could not.
    """
    venue_change = -(
        change.cash_change_micros + change.margin_change_micros + change.fee_micros + change.insurance_change_micros
    )
    postings = (
        Posting(USER_CASH, CASH_ASSET, change.cash_change_micros + freed_micros, account.cash_micros),
        Posting(USER_HELD, CASH_ASSET, -freed_micros, account.held_micros),
        Posting(USER_MARGIN, CASH_ASSET, change.margin_change_micros, account.margin_micros),
        Posting(VENUE_CASH, CASH_ASSET, venue_change, venue_cash_micros(account)),
        Posting(VENUE_FEES, CASH_ASSET, change.fee_micros, venue_fees_micros(account)),
        Posting(VENUE_INSURANCE, CASH_ASSET, change.insurance_change_micros, account.insurance_micros),
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
        Posting(USER_MARGIN, CASH_ASSET, -account.margin_micros, 0),
        Posting(VENUE_FEES, CASH_ASSET, -venue_fees_micros(account), 0),
        Posting(VENUE_INSURANCE, CASH_ASSET, -account.insurance_micros, 0),
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


def write_tick(quote: Quote, **more: str) -> str:
    """The evidence of a tick that moved an order or a position without a fill: JSON."""
    return _encode(
        {
            **more,
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
