"""Conditions that close a position are checked by the machine, on what is known and on nothing else."""

import pytest
from msgspec.structs import replace
from tests.domains.aitrading.worlds import (
    CLOSE,
    EMA,
    FUNDING,
    MIDS_E8,
    SOL,
    SOL_PERP,
    account,
    decider,
    quote,
    seen,
    snapshot,
)

from pump_party.domains.aitrading.model import Invalidation, OpenInvalidation, Proposal, ProposalAction
from pump_party.domains.clones.contract import Op
from pump_party.domains.marketdata.contract import MarketSnapshot
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8

HELD = account(spot={SOL: 10**9}, perps={SOL_PERP: (-(10**9), 2)})
MID = MIDS_E8[SOL]


def closes(
    condition: Invalidation, shown: MarketSnapshot | None = None, *, mid_e8: int | None = None, market: Market = SOL
) -> bool:
    at = seen(
        *([shown] if shown else []), account=HELD, quotes={} if mid_e8 is None else {market: quote(market, mid_e8)}
    )
    due = decider().due([OpenInvalidation(market, condition)], at)
    assert all((found.market, found.action) == (market, ProposalAction.CLOSE) for found in due)
    return bool(due)


@pytest.mark.parametrize(
    ("op", "value", "mid_e8", "expected"),
    [
        (Op.BELOW, 140 * E8, 140 * E8 - 1, True),
        (Op.BELOW, 140 * E8, 140 * E8, False),
        (Op.ABOVE, 140 * E8, 140 * E8 + 1, True),
        (Op.ABOVE, 140 * E8, 140 * E8, False),
    ],
)
def test_the_price_is_looked_at_on_every_tick(op: Op, value: int, mid_e8: int, expected: bool):
    assert closes(Invalidation(None, op, value=value), mid_e8=mid_e8) is expected


def test_a_quote_goes_before_the_price_of_the_snapshot():
    below = Invalidation(None, Op.BELOW, value=140 * E8)
    assert closes(below, snapshot(mid_e8=139 * E8))
    assert not closes(below, snapshot(mid_e8=139 * E8), mid_e8=141 * E8)


def test_a_feature_is_compared_with_a_number_or_another_feature():
    assert closes(Invalidation(CLOSE, Op.BELOW, than=EMA), snapshot(close=(MID - 1, MID)))
    assert not closes(Invalidation(CLOSE, Op.BELOW, than=EMA), snapshot())
    assert closes(Invalidation(None, Op.ABOVE, than=EMA), snapshot(ema=(MID - 1, MID)))
    assert closes(Invalidation(FUNDING, Op.ABOVE, value=-1), snapshot())


def test_what_is_not_known_closes_nothing():
    for condition in (Invalidation(EMA, Op.BELOW, value=10**12), Invalidation(CLOSE, Op.ABOVE, than=EMA)):
        assert not closes(condition, snapshot(ema=(None, None)))
        assert not closes(condition, mid_e8=MID)
    assert not closes(Invalidation(None, Op.BELOW, value=10**12))


def test_a_market_without_a_position_is_left_alone_and_one_close_is_enough():
    both = [OpenInvalidation(SOL, Invalidation(feature, Op.ABOVE, value=1)) for feature in (None, CLOSE)]
    flat = seen(snapshot(), account=account())

    assert decider().due(both, flat) == ()
    assert decider().due(both, replace(flat, account=HELD)) == (
        Proposal(SOL, ProposalAction.CLOSE, reason="invalidated: price above"),
    )
