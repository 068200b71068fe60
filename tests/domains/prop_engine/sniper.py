"""A trader who sees the true price before the oracle shows it, against the real engine (execution model, section 5).

An oracle publishes once a second what the price was `lag_ms` ago. Once an hour, for three days, the price jumps up by
25 to 80 basis points; 200 ms later the sniper buys, and sells again seven seconds after the jump. A round trip costs
24 basis points: twice a confidence of 5 and a fee of 7.
"""

from collections.abc import Sequence
from fractions import Fraction

from msgspec.structs import replace
from tests.db.desk import ALICE
from tests.domains.prop_engine.markets import SOL, FixedBooks, FixedQuotes, order, quote_at, rule_sets

from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import AccountKind, FillMode, OpenAccount, OrderStatus, OrderView
from pump_party.kernel.dice import Dice
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

LAGS_MS = (400, 1_000, 2_000, 3_000)
LATENCIES_MS = (None, 500, 1_500, 3_000)
"""None is fill mode `latest`."""

JUMPS = 75
JUMP_PPM = (2_500, 8_000)
REACTION_MS = 200
BACK_MS = 7_000
TICK_MS = 1_000
TICKS = 14
HOUR_MS = 3_600_000
START_MS = 1_750_000_000_000
CONF_PPM = 500
SIZE_NANOS = 10 * 10**9


def table() -> dict[int, list[Fraction]]:
    """Mean basis points a trade makes, by lag, in the order of LATENCIES_MS."""
    return {lag_ms: [snipe(lag_ms, latency_ms) for latency_ms in LATENCIES_MS] for lag_ms in LAGS_MS}


def snipe(lag_ms: int, latency_ms: int | None) -> Fraction:
    rules = _rules(latency_ms)
    clock, quotes, dice = ManualClock(START_MS), FixedQuotes(), Dice(20260101)
    engine = PropTradingEngine(MemoryStore(), quotes, FixedBooks(), {rules.name: rules}, clock, Ids(clock))
    account_id = engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "sniper", rules.name)).account_id
    made = [_one_jump(engine, quotes, clock, dice, account_id, lag_ms, str(number)) for number in range(JUMPS)]
    return sum(made, Fraction(0)) / JUMPS


def _one_jump(
    engine: PropTradingEngine,
    quotes: FixedQuotes,
    clock: ManualClock,
    dice: Dice,
    account_id: str,
    lag_ms: int,
    key: str,
) -> Fraction:
    """What the round trip around one jump upwards makes, in basis points of what it paid."""
    before_e8, jump_ppm = 150 * 10**8, dice.between(*JUMP_PPM)
    after_e8 = before_e8 * (10**6 + jump_ppm) // 10**6
    first_tick_ms = (clock.now_ms() // HOUR_MS + 1) * HOUR_MS
    jump_ms = first_tick_ms + dice.between(3 * TICK_MS, 4 * TICK_MS)
    events = [(first_tick_ms + k * TICK_MS, "") for k in range(TICKS + 4)]
    events += [(jump_ms + REACTION_MS, "buy"), (jump_ms + BACK_MS, "sell")]
    placed: list[OrderView] = []
    for at_ms, side in sorted(events):
        clock.advance(at_ms - clock.now_ms())
        if side:
            command = order(ALICE, account_id, f"{key}-{side}", side, SIZE_NANOS)
            (outcome,) = engine.place_orders([command])
            assert isinstance(outcome, OrderView)
            placed.append(outcome)
            continue
        mid_e8 = (after_e8 if at_ms - lag_ms >= jump_ms else before_e8) * (10**6 + dice.between(-20, 20)) // 10**6
        quote = quote_at(at_ms, market=SOL, age_ms=0, mid_e8=mid_e8, conf_e8=mid_e8 * CONF_PPM // 10**6)
        quotes.set(quote)
        engine.take_ticks([quote])
    return _result(engine, account_id, placed)


def _result(engine: PropTradingEngine, account_id: str, placed: Sequence[OrderView]) -> Fraction:
    bought, sold = (engine.order(ALICE, account_id, one.order_id) for one in placed)
    assert (bought.status, sold.status) == (OrderStatus.FILLED, OrderStatus.FILLED), (bought, sold)
    assert bought.fill is not None
    assert sold.fill is not None
    paid_micros = bought.fill.gross_micros + bought.fill.fee_micros
    received_micros = sold.fill.gross_micros - sold.fill.fee_micros
    return Fraction((received_micros - paid_micros) * 10**4, paid_micros)


def _rules(latency_ms: int | None) -> RuleSet:
    if latency_ms is None:
        return rule_sets()["practice-v2"]
    rules = rule_sets()["practice-next-v1"]
    assert rules.fill_mode is FillMode.NEXT_TICK
    return replace(rules, spot={SOL: replace(rules.spot[SOL], latency_ms=latency_ms)}, perp={})
