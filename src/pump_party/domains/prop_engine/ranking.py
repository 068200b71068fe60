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


def rank(
    entries: Sequence[BoardEntry],
    bases: Mapping[AccountId, int],
    metric: BoardMetric,
    *,
    compared_ms: int | None,
) -> list[Place]:
    """Best first. By the return of what closing everything would leave on what the account was worth when the window
    began, then smaller drawdown; or by drawdown, then return.

    Equal accounts share a rank; time and id never break a tie. `bases` are those worths, the start capital where there
    is none. An account that was worth nothing then has no return and no rank. The rank at `compared_ms`, a midnight,
    is found in the same way among the same accounts, of those that had filled by then.
    """
    based = [(entry, bases.get(entry.account_id, entry.start_micros)) for entry in entries]
    based = [(entry, base) for entry, base in based if base > 0]
    returns = [return_ppm(base, entry.standing_micros) for entry, base in based]
    keys = [_key(metric, made, entry.max_drawdown_ppm) for (entry, _), made in zip(based, returns, strict=True)]
    ranks = _ranks(keys)
    before = {} if compared_ms is None else _ranks_at(based, metric, compared_ms)
    order = sorted(range(len(based)), key=lambda at: (keys[at], based[at][0].account_id))
    return [Place(based[at][0], ranks[keys[at]], before.get(based[at][0].account_id), returns[at]) for at in order]


def _ranks_at(based: Sequence[tuple[BoardEntry, int]], metric: BoardMetric, at_ms: int) -> dict[AccountId, int]:
    keys: dict[AccountId, tuple[int, int]] = {}
    for entry, base in based:
        if entry.as_of_ms < at_ms:
            fills, standing, drawdown = entry.fills, entry.standing_micros, entry.max_drawdown_ppm
        else:
            fills, standing, drawdown = entry.day_fills, entry.day_standing_micros, entry.day_max_drawdown_ppm
        if fills:
            keys[entry.account_id] = _key(metric, return_ppm(base, standing), drawdown)
    ranks = _ranks(list(keys.values()))
    return {account_id: ranks[key] for account_id, key in keys.items()}


def _key(metric: BoardMetric, made_ppm: int, drawdown_ppm: int) -> tuple[int, int]:
    """The smaller, the better."""
    return (-made_ppm, drawdown_ppm) if metric is BoardMetric.RETURN else (drawdown_ppm, -made_ppm)


def _ranks(keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The rank of each key: one more than how many are better."""
    ranks: dict[tuple[int, int], int] = {}
    for place, key in enumerate(sorted(keys), start=1):
        ranks.setdefault(key, place)
    return ranks
