"""Who stands where on a leaderboard: the one function that ranks accounts. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from pump_party.domains.prop_engine.results import return_ppm
from pump_party.domains.prop_interface.contract import BoardMetric
from pump_party.kernel.ids import AccountId, UserId


class BoardEntry(msgspec.Struct, frozen=True, gc=False):
    """What of a standing a board needs. `day_` fields are of the moment the day of `as_of_ms` began."""

    account_id: AccountId
    user_id: UserId
    kind: str
    cycle: int
    start_micros: int
    equity_micros: int
    standing_micros: int
    max_drawdown_ppm: int
    fills: int
    marks: int
    as_of_ms: int
    started_ms: int
    day_start_micros: int
    day_standing_micros: int
    day_max_drawdown_ppm: int
    day_fills: int


class Worth(msgspec.Struct, frozen=True, gc=False):
    """What an account was worth at a time, and in which cycle."""

    cycle: int
    equity_micros: int


class Place(msgspec.Struct, frozen=True, gc=False):
    """An account at its rank, and at the one it had at the time compared with."""

    entry: BoardEntry
    rank: int
    rank_before: int | None
    return_ppm: int


class Ranking:
    """Accounts in the order of their ranks, best first. Made by `rank`."""

    __slots__ = ("_before", "_best", "_entries", "_order", "_ranks", "_returns")

    def __init__(
        self,
        entries: Sequence[BoardEntry],
        returns: Sequence[int],
        order: Sequence[int],
        ranks: Mapping[int, int],
        before: Mapping[int, int],
    ) -> None:
        """Numbers are places among the entries: `order` has them best first, the mappings what is known of each."""
        self._entries = entries
        self._returns = returns
        self._order = order
        self._ranks = ranks
        self._before = before
        self._best: dict[UserId, int] = {}
        for place, number in enumerate(order):
            self._best.setdefault(entries[number].user_id, place)

    def __len__(self) -> int:
        return len(self._order)

    def places(self, first: int, end: int) -> list[Place]:
        return [
            Place(self._entries[number], self._ranks[number], self._before.get(number), self._returns[number])
            for number in self._order[first:end]
        ]

    def best_of(self, user_id: UserId) -> int | None:
        """Where the best of this user's accounts is in the order, counted from 0."""
        return self._best.get(user_id)


def rank(
    entries: Sequence[BoardEntry],
    bases: Mapping[AccountId, int],
    metric: BoardMetric,
    *,
    compared_ms: int | None,
) -> Ranking:
    """By the return of what closing everything would leave on what the account was worth when the window began, then
    smaller drawdown; or by drawdown, then return.

    Equal accounts share a rank; time and id never break a tie. `bases` are those worths, the start capital where there
    is none. An account that was worth nothing then has no return and no rank. The rank at `compared_ms`, a midnight,
    is found in the same way among the same accounts, of those that had filled by then.
    """
    rankable = [one for one in entries if bases.get(one.account_id, one.start_micros) > 0]
    rankable.sort(key=lambda one: one.account_id)
    worths = [bases.get(one.account_id, one.start_micros) for one in rankable]
    returns = [return_ppm(base, one.standing_micros) for one, base in zip(rankable, worths, strict=True)]
    everybody = range(len(rankable))
    order, ranks = _ranked(everybody, metric, returns, [one.max_drawdown_ppm for one in rankable])
    if compared_ms is None:
        return Ranking(rankable, returns, order, ranks, {})
    then = [_at(one, compared_ms) for one in rankable]
    returns_then = [return_ppm(base, standing) for base, (_, standing, _) in zip(worths, then, strict=True)]
    had_filled = [number for number in everybody if then[number][0]]
    _, before = _ranked(had_filled, metric, returns_then, [drawdown for _, _, drawdown in then])
    return Ranking(rankable, returns, order, ranks, before)


def _at(entry: BoardEntry, midnight_ms: int) -> tuple[int, int, int]:
    """Fills, standing and drawdown at the last midnight, which no mark has followed but those of this day."""
    if entry.as_of_ms < midnight_ms:
        return entry.fills, entry.standing_micros, entry.max_drawdown_ppm
    return entry.day_fills, entry.day_standing_micros, entry.day_max_drawdown_ppm


def _ranked(
    numbers: Sequence[int], metric: BoardMetric, returns: Sequence[int], drawdowns: Sequence[int]
) -> tuple[list[int], dict[int, int]]:
    """These numbers best first, and the rank of each: one more than how many are better."""
    losses = [-made for made in returns]
    first, second = (losses, drawdowns) if metric is BoardMetric.RETURN else (drawdowns, losses)
    # Two sorts by one small number each are faster than one by both.
    order = sorted(numbers, key=second.__getitem__)
    order.sort(key=first.__getitem__)
    ranks: dict[int, int] = {}
    better = -1
    for place, number in enumerate(order, start=1):
        is_equal = better >= 0 and first[number] == first[better] and second[number] == second[better]
        ranks[number] = ranks[better] if is_equal else place
        better = number
    return order, ranks
