"""Prove an account from its own records: every number derived again, every hash recomputed. Pure.

`pump-party db check` runs it over all accounts. A problem names the account and the version where it first shows.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pump_party.domains.prop_engine.chain import genesis, leaf_hash, link
from pump_party.domains.prop_engine.ledger import (
    CASH_ASSET,
    USER_CASH,
    USER_HELD,
    USER_MARGIN,
    VENUE_FEES,
    VENUE_INSURANCE,
    read_postings,
    user_account,
    venue_fees_micros,
)
from pump_party.domains.prop_engine.ledger import base_asset as base_asset_of
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    OpenOrder,
    Order,
    Position,
    Posting,
    RecordKind,
)
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.domains.prop_engine.record_line import record_line
from pump_party.domains.prop_engine.replay import funding_of, replay
from pump_party.domains.prop_interface.contract import AccountStatus

UNDECIDED = (RecordKind.ACCEPT, RecordKind.REST, RecordKind.TRIGGER, RecordKind.CANCELLING)
"""Records of an order that had not ended."""


WITHOUT_ORDER = (
    RecordKind.OPEN,
    RecordKind.FUNDING,
    RecordKind.MARGIN_CALL,
    RecordKind.MARGIN_RESTORED,
    RecordKind.LIQUIDATION_SUSPENDED,
    RecordKind.STATUS,
    RecordKind.CLOSE,
)


class AccountRecords(msgspec.Struct, frozen=True):
    """All an account has ever recorded, the journal in version order. `last_seq` is its newest message's, 0 if none."""

    account: Account
    positions: Sequence[Position]
    perps: Sequence[PerpPosition]
    open_orders: Sequence[OpenOrder]
    orders: Sequence[Order]
    fills: Sequence[Fill]
    journal: Sequence[JournalRecord]
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

    orders = {order.order_id: order for order in [o.order for o in records.open_orders] + list(records.orders)}
    fills: dict[str, Fill] = {fill.fill_id: fill for fill in records.fills}
    found: list[Problem] = []
    balances: dict[tuple[str, str], int] = defaultdict(int)
    head = genesis(account.account_id)
    for expected, record in enumerate(records.journal, start=1):
        if record.version != expected:
            found.append(problem("version_gap", f"expected version {expected}, found {record.version}", expected))
            break
        order = None if record.order_id is None else as_told(orders.get(record.order_id), record)
        fill = fills.get(record.record_id)
        head = link(head, leaf_hash(record_line(record, order, fill)))
        if head != record.sha256:
            found.append(problem("chain_broken", "the record does not hash to what was chained", expected))
            head = record.sha256
        for code, detail in [*_outcome(record, order, fill), *_post(read_postings(record.postings), balances)]:
            found.append(problem(code, detail, expected))
    if len(records.journal) != account.version or head != account.head:
        found.append(problem("head_differs", f"the account is at version {account.version} with another chain head"))
    found.extend(problem(code, detail) for code, detail in _compare_balances(records, balances))
    found.extend(problem(code, detail) for code, detail in _compare_open_orders(records))
    told = {record.order_id for record in records.journal}
    found.extend(
        problem("order_without_record", f"order {order_id} is not in the journal")
        for order_id in orders
        if order_id not in told
    )
    order_of_fill = {fill_id: fill.order_id for fill_id, fill in fills.items()}
    found.extend(
        problem("order_differs", f"order {order.order_id} names a fill that is not its own")
        for order in records.orders
        if order.fill_id is not None and order_of_fill.get(order.fill_id) != order.order_id
    )
    # Of records that are not what was chained nothing follows.
    if not found:
        found.extend(problem("account_differs", detail) for detail in _compare_account(records))
        found.extend(problem("position_differs", detail) for detail in _compare_positions(records))
    if account.seq != records.last_seq:
        found.append(problem("seq_differs", f"account seq {account.seq}, newest message {records.last_seq}"))
    return found


def _compare_account(records: AccountRecords) -> Iterator[str]:
    """When it was opened, and the status that its newest change left; one that never changed is active."""
    account, journal = records.account, records.journal
    if journal and account.opened_ms != journal[0].at_ms:
        yield f"opened at {account.opened_ms}, its first record is of {journal[0].at_ms}"
    changes = [record.detail for record in journal if record.kind is RecordKind.STATUS and record.detail is not None]
    told = _decode_change(changes[-1]).status if changes else AccountStatus.ACTIVE
    if account.status is not told:
        yield f"the account is {account.status.value}, its records left it {told.value}"


class _StatusChange(msgspec.Struct):
    status: AccountStatus


_decode_change = msgspec.json.Decoder(_StatusChange).decode


def as_told(order: Order | None, record: JournalRecord) -> Order | None:
    """The order as it was when the record was written: a record before its end knows no outcome."""
    if order is None or record.kind not in UNDECIDED:
        return order
    return msgspec.structs.replace(order, reject_code=None, fill_id=None)


def _outcome(record: JournalRecord, order: Order | None, fill: Fill | None) -> Iterator[tuple[str, str]]:
    """A fill record has an order and its fill, one about an account or a position neither, the others an order."""
    expected = {RecordKind.FILL: (True, True)} | dict.fromkeys(WITHOUT_ORDER, (False, False))
    if (order is not None, fill is not None) != expected.get(record.kind, (True, False)):
        yield (
            "outcome_incomplete",
            f"a {record.kind.value} record with order {order is not None}, fill {fill is not None}",
        )
    if order is not None and fill is not None:
        same = (order.order_id, order.account_id, order.market, order.side, record.version)
        if same != (fill.order_id, fill.account_id, fill.market, fill.side, fill.version):
            yield "order_differs", "the fill is not of its order"


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
            yield "record_unbalanced", f"postings of {asset} sum to {total}"


def _compare_balances(records: AccountRecords, balances: Mapping[tuple[str, str], int]) -> Iterator[tuple[str, str]]:
    account = records.account
    books: dict[str, int] = defaultdict(int)
    for (_, asset), amount in balances.items():
        books[asset] += amount
    for asset, total in books.items():
        if total != 0:
            yield "book_unbalanced", f"balances of {asset} sum to {total}"

    stored = {
        (USER_CASH, CASH_ASSET): account.cash_micros,
        (USER_HELD, CASH_ASSET): account.held_micros,
        (USER_MARGIN, CASH_ASSET): account.margin_micros,
        (VENUE_FEES, CASH_ASSET): venue_fees_micros(account),
        (VENUE_INSURANCE, CASH_ASSET): account.insurance_micros,
    }
    for position in records.positions:
        asset = base_asset_of(position.market)
        stored[(user_account(asset), asset)] = position.quantity_nanos - position.held_nanos
        stored[(USER_HELD, asset)] = position.held_nanos
    kept_venues = (VENUE_FEES, VENUE_INSURANCE)
    proven = {k: v for k, v in balances.items() if k[0].startswith("user:") or k[0] in kept_venues}
    for key in sorted(stored.keys() | proven.keys()):
        if stored.get(key, 0) != proven.get(key, 0):
            yield "balance_differs", f"{key} is {stored.get(key, 0)}, its postings sum to {proven.get(key, 0)}"

    held: list[Position | PerpPosition] = [*records.positions, *records.perps]
    cycle = [f for f in records.fills if f.cycle == account.cycle]
    for name, kept, derived in (
        ("fills", account.fills, len(cycle)),
        ("fees", account.fees_micros, sum(f.fee_micros for f in cycle)),
        ("realised PnL", account.realised_pnl_micros, sum(f.realised_pnl_micros for f in cycle)),
        ("position fees", account.fees_micros, sum(p.fees_micros for p in held)),
        ("position PnL", account.realised_pnl_micros, sum(p.realised_pnl_micros for p in held)),
        ("position funding", account.funding_micros, sum(p.funding_micros for p in records.perps)),
        ("position margin", account.margin_micros, sum(p.margin_micros for p in records.perps)),
    ):
        if kept != derived:
            yield "result_differs", f"{name}: the account says {kept}, its records {derived}"
    cost = sum(p.cost_micros for p in records.positions)
    have_micros = account.cash_micros + account.held_micros + account.margin_micros + cost
    earned_micros = account.realised_pnl_micros + account.funding_micros - account.fees_micros
    if have_micros != account.start_micros + earned_micros:
        yield "identity_broken", "cash + held + margin + cost is not start + realised + funding - fees"


def _compare_positions(records: AccountRecords) -> Iterator[str]:
    """Every position follows from the cycle's own fills and fundings."""
    account = records.account
    opened = max((r.version for r in records.journal if r.kind is RecordKind.OPEN), default=0)
    fills = [fill for fill in records.fills if fill.cycle == account.cycle]
    fundings = [funding_of(r) for r in records.journal if r.kind is RecordKind.FUNDING and r.version > opened]
    held = replay(account.account_id, fills, fundings, {})
    spot = {p.market: (p.quantity_nanos, p.cost_micros) for p in records.positions}
    perps = {p.market: _perp_figures(p) for p in records.perps}
    for name, kept, replayed, nothing in (
        ("spot", spot, {m: (p.quantity_nanos, p.cost_micros) for m, p in held.positions.items()}, (0, 0)),
        ("perpetual", perps, {m: _perp_figures(p) for m, p in held.perps.items()}, (0, 0, 0, 0, 0)),
    ):
        for market in sorted(kept.keys() | replayed.keys()):
            if kept.get(market, nothing) != replayed.get(market, nothing):
                yield f"{name} {market}: kept {kept.get(market)}, its fills make {replayed.get(market)}"


def _perp_figures(position: PerpPosition) -> tuple[int, ...]:
    return (
        position.direction,
        position.quantity_nanos,
        position.entry_cost_micros,
        position.margin_micros,
        position.leverage,
    )


def _compare_open_orders(records: AccountRecords) -> Iterator[tuple[str, str]]:
    """What is held belongs to open orders, each hold to exactly one."""
    account = records.account
    if account.open_orders != len(records.open_orders):
        yield "open_orders_differ", f"the account counts {account.open_orders}, {len(records.open_orders)} are open"
    holds: dict[str, int] = defaultdict(int)
    for open_order in records.open_orders:
        holds[open_order.held_asset] += open_order.held_amount
    stored = {CASH_ASSET: account.held_micros}
    stored |= {base_asset_of(p.market): p.held_nanos for p in records.positions}
    for asset in sorted(stored.keys() | holds.keys()):
        if stored.get(asset, 0) != holds.get(asset, 0):
            yield "hold_differs", f"{stored.get(asset, 0)} of {asset} is held, open orders hold {holds.get(asset, 0)}"
