"""Prove an account from its own records: every number derived again, every hash recomputed. Pure.

`pump-party db check` runs it over all accounts. A problem names the account and the version where it first shows.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pump_party.domains.prop_engine.chain import canonical, genesis, leaf_hash, link
from pump_party.domains.prop_engine.ledger import CASH_ASSET, USER_CASH, VENUE_FEES, transfer_record, user_account
from pump_party.domains.prop_engine.ledger import base_asset as base_asset_of
from pump_party.domains.prop_engine.model import Account, Fill, Order, Position, Posting, Transfer, TransferKind


class AccountRecords(msgspec.Struct, frozen=True):
    """All an account has ever recorded, transfers in version order. `last_seq` is its newest message, 0 if none."""

    account: Account
    positions: Sequence[Position]
    orders: Sequence[Order]
    fills: Mapping[int, Fill]
    transfers: Sequence[Transfer]
    last_seq: int


class Problem(msgspec.Struct, frozen=True):
    account_id: str
    version: int | None
    code: str
    detail: str


def audit(records: AccountRecords) -> list[Problem]:
    """Every breach found; empty means proven."""
    account = records.account

    def problem(code: str, detail: str, version: int | None = None) -> Problem:
        return Problem(account.account_id, version, code, detail)

    found: list[Problem] = []
    balances: dict[tuple[str, str], int] = defaultdict(int)
    head = genesis(account.account_id)
    for expected, transfer in enumerate(records.transfers, start=1):
        if transfer.version != expected:
            found.append(problem("version_gap", f"expected version {expected}, found {transfer.version}", expected))
            break
        fill = records.fills.get(transfer.version)
        head = link(head, leaf_hash(_line(transfer, fill)))
        if head != transfer.sha256:
            found.append(problem("chain_broken", "the record does not hash to what was chained", expected))
            head = transfer.sha256
        if (fill is not None) != (transfer.kind is TransferKind.FILL):
            found.append(problem("fill_missing", "a fill transfer without its fill, or the reverse", expected))
        for code, detail in _post(transfer.postings, balances):
            found.append(problem(code, detail, expected))
    if len(records.transfers) != account.version or head != account.head:
        found.append(problem("head_differs", f"the account is at version {account.version} with another chain head"))
    found.extend(problem(code, detail) for code, detail in _compare_balances(records, balances))
    found.extend(problem(code, detail) for code, detail in _compare_orders(records))
    if account.seq != records.last_seq:
        found.append(problem("seq_differs", f"account seq {account.seq}, newest message {records.last_seq}"))
    return found


def _line(transfer: Transfer, fill: Fill | None) -> bytes:
    return canonical(
        transfer_record(
            transfer.account_id,
            transfer.version,
            transfer.kind,
            at_ms=transfer.at_ms,
            order_id=transfer.order_id,
            postings=transfer.postings,
            fill=fill,
        )
    )


def _post(postings: Sequence[Posting], balances: dict[tuple[str, str], int]) -> Iterator[tuple[str, str]]:
    sums: dict[str, int] = defaultdict(int)
    for posting in postings:
        key = (posting.ledger_account, posting.asset)
        sums[posting.asset] += posting.amount
        balances[key] += posting.amount
        if balances[key] != posting.balance_after:
            yield "balance_differs", f"{key} is {balances[key]}, the entry says {posting.balance_after}"
        if posting.ledger_account.startswith("user:") and posting.balance_after < 0:
            yield "balance_negative", f"{key} is {posting.balance_after}"
    for asset, total in sums.items():
        if total != 0:
            yield "transfer_unbalanced", f"postings of {asset} sum to {total}"


def _compare_balances(records: AccountRecords, balances: Mapping[tuple[str, str], int]) -> Iterator[tuple[str, str]]:
    account = records.account
    books: dict[str, int] = defaultdict(int)
    for (_, asset), amount in balances.items():
        books[asset] += amount
    for asset, total in books.items():
        if total != 0:
            yield "book_unbalanced", f"balances of {asset} sum to {total}"

    stored = {(USER_CASH, CASH_ASSET): account.cash_micros, (VENUE_FEES, CASH_ASSET): account.fees_micros}
    for position in records.positions:
        asset = base_asset_of(position.market)
        stored[(user_account(asset), asset)] = position.quantity_nanos
    proven = {k: v for k, v in balances.items() if k[0].startswith("user:") or k[0] == VENUE_FEES}
    for key in sorted(stored.keys() | proven.keys()):
        if stored.get(key, 0) != proven.get(key, 0):
            yield "balance_differs", f"{key} is {stored.get(key, 0)}, its postings sum to {proven.get(key, 0)}"

    cycle = [f for f in records.fills.values() if f.cycle == account.cycle]
    for name, kept, derived in (
        ("fills", account.fills, len(cycle)),
        ("fees", account.fees_micros, sum(f.fee_micros for f in cycle)),
        ("realised PnL", account.realised_pnl_micros, sum(f.realised_pnl_micros for f in cycle)),
        ("position fees", account.fees_micros, sum(p.fees_micros for p in records.positions)),
        ("position PnL", account.realised_pnl_micros, sum(p.realised_pnl_micros for p in records.positions)),
    ):
        if kept != derived:
            yield "result_differs", f"{name}: the account says {kept}, its records {derived}"
    cost = sum(p.cost_micros for p in records.positions)
    if account.cash_micros + cost != account.start_micros + account.realised_pnl_micros - account.fees_micros:
        yield "identity_broken", "cash + cost is not start + realised - fees"


def _compare_orders(records: AccountRecords) -> Iterator[tuple[str, str]]:
    filled = {o.version: o for o in records.orders if o.version is not None}
    for version in sorted(filled.keys() ^ records.fills.keys()):
        yield "order_without_fill", f"version {version} has an order or a fill, but not both"
    for version, fill in records.fills.items():
        order = filled.get(version)
        if order is not None and (order.order_id, order.market, order.side) != (fill.order_id, fill.market, fill.side):
            yield "order_differs", f"the fill at version {version} is not of its order"
