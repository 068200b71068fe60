"""Turn what happened into balanced postings, and link each transfer to the account's hash chain.

Every account is a closed book: its `user:*` legs face `venue:*` legs of the same book, so the postings of every
transfer, and all balances of the book, sum to zero per asset. Books never meet, so accounts never serialise.
"""

from collections.abc import Mapping, Sequence

from pump_party.domains.prop_engine.chain import canonical, leaf_hash, link
from pump_party.domains.prop_engine.model import Account, Fill, Position, Posting, SpotFill, Transfer, TransferKind
from pump_party.kernel.ids import Market, OrderId

CASH_ASSET = "USDC"
USER_CASH = "user:cash"
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
    return account.start_micros - account.cash_micros - account.fees_micros


def fill_postings(fill: SpotFill, *, account: Account, position: Position) -> tuple[Posting, ...]:
    """The five postings of a spot fill (execution model, section 7). Account and position are those AFTER it."""
    asset = base_asset(position.market)
    cash_change, held_change = fill.cash_change_micros, fill.held_change_nanos
    held = position.quantity_nanos
    return (
        Posting(USER_CASH, CASH_ASSET, cash_change, account.cash_micros),
        Posting(VENUE_CASH, CASH_ASSET, -cash_change - fill.fee_micros, venue_cash_micros(account)),
        Posting(VENUE_FEES, CASH_ASSET, fill.fee_micros, account.fees_micros),
        Posting(user_account(asset), asset, held_change, held),
        Posting(venue_account(asset), asset, -held_change, -held),
    )


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
        Posting(VENUE_CASH, CASH_ASSET, -venue_cash_micros(account), 0),
        Posting(VENUE_FEES, CASH_ASSET, -account.fees_micros, 0),
        Posting(VENUE_CAPITAL, CASH_ASSET, account.start_micros, 0),
    ]
    for position in positions:
        asset = base_asset(position.market)
        postings.append(Posting(user_account(asset), asset, -position.quantity_nanos, 0))
        postings.append(Posting(venue_account(asset), asset, position.quantity_nanos, 0))
    return tuple(p for p in postings if p.amount != 0)


def write_transfer(
    account: Account,
    *,
    kind: TransferKind,
    at_ms: int,
    postings: tuple[Posting, ...],
    order_id: OrderId | None = None,
    fill: Fill | None = None,
) -> Transfer:
    """The next transfer of the account, linked to its chain head.

    Asserts that the postings balance per asset and that no `user:*` balance is negative.
    """
    assert_balanced(postings)
    version = account.version + 1
    line = canonical(
        transfer_record(account.account_id, version, kind, at_ms=at_ms, order_id=order_id, postings=postings, fill=fill)
    )
    return Transfer(account.account_id, version, kind, at_ms, order_id, postings, link(account.head, leaf_hash(line)))


def assert_balanced(postings: Sequence[Posting]) -> None:
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.asset] = sums.get(posting.asset, 0) + posting.amount
        assert posting.balance_after >= 0 or not posting.ledger_account.startswith("user:"), posting
    assert not any(sums.values()), sums


def transfer_record(
    account_id: str,
    version: int,
    kind: TransferKind,
    *,
    at_ms: int,
    order_id: str | None,
    postings: Sequence[Posting],
    fill: Fill | None,
) -> Mapping[str, str]:
    """What the chain covers: every stored value of the transfer, its postings and its fill."""
    record = {
        "account_id": account_id,
        "at_ms": str(at_ms),
        "kind": kind.value,
        "postings": ";".join([f"{p.ledger_account} {p.asset} {p.amount} {p.balance_after}" for p in postings]),
        "version": str(version),
    }
    if order_id is not None:
        record["order_id"] = order_id
    if fill is not None:
        record |= {
            "conf_e8": str(fill.conf_e8),
            "cycle": str(fill.cycle),
            "fee_micros": str(fill.fee_micros),
            "feed": fill.feed,
            "fill_id": fill.fill_id,
            "filled_ms": str(fill.filled_ms),
            "gross_micros": str(fill.gross_micros),
            "half_spread_e8": str(fill.half_spread_e8),
            "impact_e8": str(fill.impact_e8),
            "market": fill.market,
            "mid_e8": str(fill.mid_e8),
            "price_e8": str(fill.price_e8),
            "publish_ms": str(fill.publish_ms),
            "quantity_nanos": str(fill.quantity_nanos),
            "realised_pnl_micros": str(fill.realised_pnl_micros),
            "recv_ms": str(fill.recv_ms),
            "side": fill.side.value,
            "slot": str(fill.slot),
            "source": fill.source,
            "tick_sha256": fill.tick_sha256,
        }
        if fill.tape_ms is not None:
            record["tape_ms"] = str(fill.tape_ms)
    return record
