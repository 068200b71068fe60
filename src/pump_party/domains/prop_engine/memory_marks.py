"""Marks and standings inside one process: what results are computed from, for backtests.

Answers as `db/prop_marks.py` does, of what `memory_store.py` keeps on an account's shelf.
"""

from bisect import bisect_right
from collections.abc import Sequence

from pump_party.domains.prop_engine.curve import EquityMark
from pump_party.domains.prop_engine.marking import MOVES, Markable, Marked, Move, move_of
from pump_party.domains.prop_engine.memory_shelf import Shelf
from pump_party.domains.prop_engine.model import Fill, RecordKind
from pump_party.domains.prop_engine.perp_model import FLAT
from pump_party.domains.prop_engine.store import Performance
from pump_party.domains.prop_engine.valuation import Exchanged
from pump_party.domains.prop_engine.views import shortfall_micros
from pump_party.kernel.ids import AccountId


def is_to_mark(shelf: Shelf) -> bool:
    """Whether the account holds a position or changed since its last mark."""
    return has_changed(shelf) or holds_something(shelf)


def has_changed(shelf: Shelf) -> bool:
    return not shelf.marks or shelf.marks[-1].version < shelf.account.version


def holds_something(shelf: Shelf) -> bool:
    for spot in shelf.positions.values():
        if spot.quantity_nanos:
            return True
    return any(perp.direction != FLAT for perp in shelf.perps.values())


def markable(shelf: Shelf) -> Markable:
    standing = shelf.marks[-1] if shelf.marks else None
    return Markable(shelf.holdings(), standing, _moves(shelf, 0 if standing is None else standing.version))


def _moves(shelf: Shelf, version: int) -> list[Move]:
    """The records behind a version that changed the account's worth, oldest first."""
    newer = shelf.journal[bisect_right(shelf.journal, version, key=lambda record: record.version) :]
    told = [record for record in newer if record.kind in MOVES]
    first = bisect_right(shelf.fills, version, key=lambda fill: fill.version)
    fills: dict[str, Exchanged] = {fill.fill_id: _exchanged(fill) for fill in shelf.fills[first:]}
    return [move_of(r.kind, r.at_ms, r.detail, fills[r.record_id] if r.kind is RecordKind.FILL else None) for r in told]


def _exchanged(fill: Fill) -> Exchanged:
    return Exchanged(
        fill.market,
        fill.side,
        fill.quantity_nanos,
        fill.gross_micros,
        fill.fee_micros,
        fill.mid_e8,
        fill.conf_e8,
        shortfall_micros(fill.detail),
    )


def keep_marks(shelves: dict[AccountId, Shelf], marked: Sequence[Marked]) -> list[Marked]:
    """Keep those that follow the newest standing there is. Returns them."""
    first = []
    for found in marked:
        shelf = shelves[found.account.account_id]
        newest_ms = shelf.marks[-1].as_of_ms if shelf.marks else None
        if newest_ms == found.replaces_ms:
            shelf.marks.extend(found.standings)
            first.append(found)
    return first


def sampled_marks(shelf: Shelf, cycle: int, *, first_ms: int, every_ms: int, count: int) -> list[EquityMark]:
    """The newest mark of the cycle at each of `count` times, oldest first; times before its first are left out."""
    found = []
    for at_ms in range(first_ms, first_ms + count * every_ms, every_ms):
        end = bisect_right(shelf.marks, at_ms, key=lambda mark: mark.as_of_ms)
        if end and shelf.marks[end - 1].cycle == cycle:
            mark = shelf.marks[end - 1]
            found.append(EquityMark(at_ms, mark.equity_micros, mark.exposed_micros))
    return found


def performance(shelf: Shelf, *, fills_limit: int) -> Performance:
    cycle = shelf.account.cycle
    standing = shelf.marks[-1] if shelf.marks and shelf.marks[-1].cycle == cycle else None
    opening = next(record for record in reversed(shelf.journal) if record.kind is RecordKind.OPEN)
    of_cycle = [fill for fill in shelf.fills if fill.cycle == cycle]
    started_ms = opening.at_ms if standing is None else standing.started_ms
    return Performance(shelf.holdings(), started_ms, standing, of_cycle[:fills_limit])
