"""The shell of `leaderboard`: reads standings once for many visitors, ranks them, and sets no skill beside them."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Protocol

import msgspec

from pump_party.domains.prop_engine.curve import DAY_MS
from pump_party.domains.prop_engine.ranking import BoardEntry, Place, Ranking, Worth, rank
from pump_party.domains.prop_interface.contract import (
    AROUND_ME,
    RANKED_MAX,
    AccountKind,
    BoardMetric,
    BoardQuery,
    BoardView,
    BoardWindow,
    LeaderboardRow,
)
from pump_party.kernel.ids import AccountId
from pump_party.platform.clock import Clock

BOARD_KEPT_MS = 2_000
"""So long a board that was ranked is shown again. Marks are ten seconds apart."""

BOARD_OLD_MS = 10_000
"""So long it is shown, too, while somebody else's request ranks it anew."""

BOARDS_KEPT_MAX = 32
"""Boards that are kept at a time: of every window and metric, for people and clones."""

_DAYS = {BoardWindow.TODAY: 0, BoardWindow.WEEK: 7, BoardWindow.MONTH: 30}

NoSkillReturns = Callable[[int, int], tuple[int, int] | None]
"""(since, now) -> the returns of holding and of tossing coins."""

_NEVER_MARKED = Worth(cycle=0, equity_micros=0)

_Key = tuple[BoardWindow, BoardMetric, bool, tuple[AccountId, ...]]


class BoardStore(Protocol):
    """What boards read. `db/prop_boards.py` implements it."""

    def of_kind(self, kind: str, *, limit: int) -> Sequence[BoardEntry]:
        """Those that have filled, by liquidation value, the highest first."""
        ...

    def of_accounts(self, account_ids: Sequence[AccountId]) -> Sequence[BoardEntry]:
        """Those of these accounts that have filled, in no order."""
        ...

    def worths_at(self, account_ids: Sequence[AccountId], at_ms: int) -> Mapping[AccountId, Worth]:
        """What their newest marks at that time say. Accounts without a mark by then are absent."""
        ...


class _Kept(msgspec.Struct, frozen=True):
    """A board, and when it was ranked."""

    ranking: Ranking
    at_ms: int
    complete: bool
    from_ms: int | None
    compared_ms: int | None

    def is_younger(self, age_ms: int, now_ms: int) -> bool:
        return 0 <= now_ms - self.at_ms < age_ms


class Boards:
    """Implements `contract.Leaderboards`."""

    def __init__(self, store: BoardStore, no_skill: NoSkillReturns, clock: Clock) -> None:
        self._store = store
        self._no_skill = no_skill
        self._clock = clock
        self._ranking = Lock()
        self._kept: dict[_Key, _Kept] = {}
        self._worths: dict[int, Mapping[AccountId, Worth]] = {}

    def board(self, query: BoardQuery) -> BoardView:
        now_ms = self._clock.now_ms()
        kept = self._ranked(query, now_ms)
        ranking, limit = kept.ranking, query.limit
        at = None if query.viewer is None else ranking.best_of(query.viewer)
        mine = [] if at is None else ranking.places(at, at + 1)
        is_beyond = at is not None and at >= limit
        around = ranking.places(max(limit, at - AROUND_ME), at + AROUND_ME + 1) if at is not None and is_beyond else []
        return BoardView(
            rows=tuple(self._row(place, kept, now_ms) for place in ranking.places(0, limit)),
            mine=next((self._row(place, kept, now_ms) for place in mine), None),
            around=tuple(self._row(place, kept, now_ms) for place in around),
            ranked=len(ranking),
            complete=kept.complete,
            from_ms=kept.from_ms,
            compared_ms=kept.compared_ms,
        )

    def _ranked(self, query: BoardQuery, now_ms: int) -> _Kept:
        key = (query.window, query.metric, query.people, tuple(query.clones))
        kept = self._kept.get(key)
        if kept is not None and kept.is_younger(BOARD_KEPT_MS, now_ms):
            return kept
        # However many ask at once, one of them ranks. Meanwhile the others see the board of a moment before.
        is_shown = kept is not None and kept.is_younger(BOARD_OLD_MS, now_ms)
        if not self._ranking.acquire(blocking=not is_shown):
            assert kept is not None
            return kept
        try:
            kept = self._kept.get(key)
            if kept is None or not kept.is_younger(BOARD_KEPT_MS, now_ms):
                kept = self._rank(query, now_ms)
                self._keep(key, kept, now_ms)
            return kept
        finally:
            self._ranking.release()

    def _keep(self, key: _Key, fresh: _Kept, now_ms: int) -> None:
        kept = {k: one for k, one in self._kept.items() if one.is_younger(BOARD_OLD_MS, now_ms)}
        if len(kept) >= BOARDS_KEPT_MAX:
            kept.clear()
        self._kept = kept | {key: fresh}

    def _rank(self, query: BoardQuery, now_ms: int) -> _Kept:
        people: Sequence[BoardEntry] = ()
        if query.people:
            people = self._store.of_kind(AccountKind.PRACTICE.value, limit=RANKED_MAX + 1)
        entries = [*people[:RANKED_MAX], *self._store.of_accounts(query.clones)]
        midnight_ms = now_ms // DAY_MS * DAY_MS
        from_ms = None if query.window is BoardWindow.CYCLE else midnight_ms - _DAYS[query.window] * DAY_MS
        bases: Mapping[AccountId, int] = {}
        if from_ms is not None:
            # Who neither traded nor held anything since is not on the board.
            entries = [entry for entry in entries if entry.as_of_ms >= from_ms]
            bases = self._bases(entries, from_ms, midnight_ms)
        compared_ms = None if from_ms == midnight_ms else midnight_ms
        return _Kept(
            rank(entries, bases, query.metric, compared_ms=compared_ms),
            at_ms=now_ms,
            complete=len(people) <= RANKED_MAX,
            from_ms=from_ms,
            compared_ms=compared_ms,
        )

    def _bases(self, entries: Sequence[BoardEntry], from_ms: int, midnight_ms: int) -> dict[AccountId, int]:
        """What each account was worth at the midnight the window began with. A cycle that began later has none."""
        older = [entry for entry in entries if entry.started_ms <= from_ms]
        if from_ms == midnight_ms:
            return {entry.account_id: entry.day_start_micros for entry in older}
        worths = self._worths_at(from_ms, [entry.account_id for entry in older], midnight_ms)
        own = [(entry, worths[entry.account_id]) for entry in older]
        return {entry.account_id: worth.equity_micros for entry, worth in own if worth.cycle == entry.cycle}

    def _worths_at(self, at_ms: int, account_ids: Sequence[AccountId], midnight_ms: int) -> Mapping[AccountId, Worth]:
        """At a midnight some days ago, which no mark changes any more: each is read once."""
        known = self._worths.get(at_ms, {})
        missing = [account_id for account_id in account_ids if account_id not in known]
        if missing:
            known = {**known, **dict.fromkeys(missing, _NEVER_MARKED), **self._store.worths_at(missing, at_ms)}
            asked = {midnight_ms - days * DAY_MS for days in _DAYS.values()}
            self._worths = {at: worths for at, worths in self._worths.items() if at in asked} | {at_ms: known}
        return known

    def _row(self, place: Place, kept: _Kept, now_ms: int) -> LeaderboardRow:
        entry = place.entry
        since_ms = entry.started_ms if kept.from_ms is None else max(entry.started_ms, kept.from_ms)
        held_ppm, random_ppm = self._no_skill(since_ms, now_ms) or (None, None)
        return LeaderboardRow(
            rank=place.rank,
            rank_before=place.rank_before,
            account_id=entry.account_id,
            user_id=entry.user_id,
            kind=AccountKind(entry.kind),
            equity_micros=entry.equity_micros,
            return_ppm=place.return_ppm,
            max_drawdown_ppm=entry.max_drawdown_ppm,
            fills=entry.fills,
            marks=entry.marks,
            as_of_ms=entry.as_of_ms,
            standing_micros=entry.standing_micros,
            held_return_ppm=held_ppm,
            random_return_ppm=random_ppm,
        )
