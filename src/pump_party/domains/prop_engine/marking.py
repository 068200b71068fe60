"""Derive an account's next equity marks: one after every fill and funding, one at the grid point. Pure.

The order path writes no marks: a fill's row says all that is needed to value the account right after it, so its mark
is derived from the row, once, by whoever marks next. What the fill's own market does not price is valued at the
newest mid the account was marked or filled at; where that is too old, the fill has no mark of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from pump_party.domains.prop_engine.curve import DAY_MS, MarkPrice
from pump_party.domains.prop_engine.model import Account, RecordKind, Standing
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.results import next_standing
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.valuation import (
    Exchanged,
    Stake,
    before_fill,
    liquidation_micros,
    stake_of,
    worth_micros,
)
from pump_party.kernel.ids import Market

MARK_INTERVAL_MS = 10_000
"""Marks of what is held lie on this grid, midnight among its points: several markers write the same mark once."""

PRICE_KEPT_MS = 2 * MARK_INTERVAL_MS
"""How long a mid may value what is still held of its market when another market fills."""

NEVER_KNOWN: Final[tuple[MarkPrice | None, int]] = (None, 0)


class Move(msgspec.Struct, frozen=True):
    """A journal record that changed what an account is worth: a cycle opened, a fill, an hour's funding."""

    kind: RecordKind
    at_ms: int
    fill: Exchanged | None = None
    funding_micros: int = 0


def move_of(kind: RecordKind, at_ms: int, detail: str | None, fill: Exchanged | None) -> Move:
    """What a journal record with its detail, and with what its fill exchanged where it is one, changed."""
    if kind is RecordKind.FUNDING:
        assert detail is not None
        return Move(kind, at_ms, None, int(_decode_funding(detail).funding_micros))
    return Move(kind, at_ms, fill)


class _Funding(msgspec.Struct):
    funding_micros: str


_decode_funding = msgspec.json.Decoder(_Funding).decode

MOVES = (RecordKind.OPEN, RecordKind.FILL, RecordKind.FUNDING)
"""The records that change what an account is worth."""


class Markable(msgspec.Struct, frozen=True):
    """An account as of one moment, and its moves since the version of its standing, oldest first.

    `complete` is False when there were more, of which only the newest are here.
    """

    holdings: Holdings
    standing: Standing | None
    moves: Sequence[Move]
    complete: bool = True


class Marked(msgspec.Struct, frozen=True):
    """The standing after each new mark, oldest first: `equity_micros` is the mark, beside the day's start and the peak.

    Only the newest one's liquidation value is computed, and only it is stored.
    """

    account: Account
    standings: tuple[Standing, ...]
    replaces_ms: int | None
    """`as_of_ms` of the standing these follow: whoever finds another one there came second."""


def mark(
    markable: Markable,
    prices: Mapping[Market, MarkPrice],
    rules: RuleSet,
    *,
    grid_ms: int,
    equity_now_micros: int | None = None,
) -> Marked | None:
    """The account's new marks; None when there are none. `prices` are of the markets that are open now.

    `equity_now_micros` is what it is worth at them, where many accounts were valued at once.
    """
    holdings, account, earlier = markable.holdings, markable.holdings.account, markable.standing
    base = earlier if earlier is not None and earlier.cycle == account.cycle else None
    moves = _of_cycle(markable.moves)
    opened = [move.at_ms for move in moves if move.kind is RecordKind.OPEN]
    started_ms = opened[0] if opened else account.opened_ms if base is None else base.started_ms
    first, after = stakes(newest_stake := stake_of(holdings), moves)
    assert not opened or after[0] == Stake(account.start_micros, {}), account
    known = {} if base is None else {m: (price, base.as_of_ms) for m, price in base.prices.items()}
    newest, standings = base, []
    start = first if markable.complete else None
    # A cycle may begin in the millisecond of the last mark of the one before.
    newest_ms = 0 if earlier is None else earlier.as_of_ms
    for step in _steps(moves, start, after, newest_ms=newest_ms, grid_ms=grid_ms):
        if step.fill is not None:
            known[step.fill.market] = (MarkPrice(step.fill.mid_e8, step.fill.conf_e8), step.at_ms)
        if step.on_grid:
            known |= {market: (price, step.at_ms) for market, price in prices.items()}
        if (usable := _usable(step, known)) is None:
            continue
        is_now = step.on_grid and step.stake == newest_stake
        equity, exposed, gross = _worth(step.stake, usable, equity_now_micros if is_now else None)
        newest = next_standing(
            account,
            newest,
            equity,
            at_ms=step.at_ms,
            exposed_micros=exposed,
            gross_exposed_micros=gross,
            prices=usable,
            started_ms=started_ms,
        )
        standings.append(newest)
    if not standings:
        return None
    standings[-1] = _with_liquidation_value(standings[-1], newest_stake, holdings, rules)
    return Marked(account, tuple(standings), None if earlier is None else earlier.as_of_ms)


def _worth(stake: Stake, prices: Mapping[Market, MarkPrice], equity_micros: int | None) -> tuple[int, int, int]:
    """As `worth_micros`. Of one market its equity, where it is known, says the rest."""
    if equity_micros is None or len(prices) > 1:
        return worth_micros(stake, prices)
    exposed_micros = equity_micros - stake.net_micros
    return equity_micros, exposed_micros, abs(exposed_micros)


def _with_liquidation_value(standing: Standing, stake: Stake, holdings: Holdings, rules: RuleSet) -> Standing:
    if standing.prices.keys() != stake.quantities.keys():
        return standing
    value = liquidation_micros(holdings, rules, standing.prices, at_ms=standing.as_of_ms)
    day_micros = value if standing.as_of_ms % DAY_MS == 0 else standing.day_standing_micros
    return msgspec.structs.replace(standing, standing_micros=value, day_standing_micros=day_micros)


def stakes(newest: Stake, moves: Sequence[Move]) -> tuple[Stake, list[Stake]]:
    """The stake before the first move and those right after each, undone one by one from the newest."""
    after, stake = [], newest
    for move in reversed(moves):
        after.append(stake)
        if move.fill is not None:
            stake = before_fill(stake, move.fill)
        elif move.kind is RecordKind.FUNDING:
            stake = Stake(stake.net_micros - move.funding_micros, stake.quantities)
    return stake, after[::-1]


def _of_cycle(moves: Sequence[Move]) -> Sequence[Move]:
    """Without what belongs to a cycle that has ended."""
    opened = [number for number, move in enumerate(moves) if move.kind is RecordKind.OPEN]
    return moves[opened[-1] :] if opened else moves


class _Step(msgspec.Struct, frozen=True):
    at_ms: int
    stake: Stake
    fill: Exchanged | None = None
    on_grid: bool = False


def _steps(
    moves: Sequence[Move], stake: Stake | None, after: Sequence[Stake], *, newest_ms: int, grid_ms: int
) -> Iterator[_Step]:
    """What to mark when, in the order it happened; no two marks of an account have one time.

    `stake` is that before the first move, None where it is not known.
    """
    for move, moved in zip(moves, after, strict=True):
        if move.kind is RecordKind.OPEN:
            stake = None
        # A record that was committed late is marked right behind what came before it.
        at_ms = max(move.at_ms, newest_ms + 1)
        if stake is not None and newest_ms < grid_ms <= at_ms:
            yield _Step(grid_ms, stake, on_grid=True)
            newest_ms, at_ms = grid_ms, max(at_ms, grid_ms + 1)
        yield _Step(at_ms, moved, move.fill)
        newest_ms, stake = at_ms, moved
    if stake is not None and newest_ms < grid_ms:
        yield _Step(grid_ms, stake, on_grid=True)


def _usable(step: _Step, known: Mapping[Market, tuple[MarkPrice, int]]) -> dict[Market, MarkPrice] | None:
    """The prices of what is held, if there is one of each: of this very moment on the grid, else not too old."""
    oldest_ms = step.at_ms if step.on_grid else step.at_ms - PRICE_KEPT_MS
    prices: dict[Market, MarkPrice] = {}
    for market in step.stake.quantities:
        price, known_ms = known.get(market, NEVER_KNOWN)
        if price is None or known_ms < oldest_ms:
            return None
        prices[market] = price
    return prices
