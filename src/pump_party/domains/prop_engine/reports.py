"""The shell of `results`: reads what cycles left behind, and the market's prices to measure it and boards by."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pump_party.domains.marketdata.contract import Candle, CandleInterval, Candles, Quotes
from pump_party.domains.prop_engine.baselines import NoSkill, Price, no_skill
from pump_party.domains.prop_engine.curve import DAY_MS, EquityMark
from pump_party.domains.prop_engine.model import Account, SpotParams
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import PropStore
from pump_party.domains.prop_engine.track_record import Benchmark, Track, daily_sharpe, results_view
from pump_party.domains.prop_interface.contract import AccountKind, ResultsView
from pump_party.kernel.ids import Market, UserId
from pump_party.platform.clock import Clock

FILLS_MAX = 20_000
"""Fills of a cycle that turnover and trades are computed from. Of more they are not known."""

TRIALS_MAX = 20
"""Other attempts of the owner whose Sharpe ratios are looked up, the newest of each account; all are counted."""

CURVE_POINTS = 200
DAYS_MAX = 3_660

PRICES_MAX = 500
"""Prices that baselines trade on: the finest candles of which so many reach back to the start."""

NO_SKILL_KEPT_MS = 10_000
"""So long the board is compared with the same prices."""

BENCHMARK = Market("SOL-USDC")
"""What every result is compared with, where the account may trade it; else the first market of its rules."""

INTERVAL_MS = {
    CandleInterval.M1: 60_000,
    CandleInterval.M5: 300_000,
    CandleInterval.H1: 3_600_000,
    CandleInterval.D1: DAY_MS,
}


class Reporter:
    """Measures accounts. Changes nothing."""

    def __init__(
        self,
        store: PropStore,
        quotes: Quotes,
        candles: Candles | None,
        rule_sets: Mapping[str, RuleSet],
        clock: Clock,
    ) -> None:
        self._store = store
        self._quotes = quotes
        self._candles = candles
        self._rule_sets = rule_sets
        self._clock = clock
        self._no_skill: dict[CandleInterval, tuple[int, NoSkill | None]] = {}

    def no_skill_since(self, started_ms: int, now_ms: int) -> tuple[int, int] | None:
        """What holding and tossing coins have made since then; None without prices of the whole time."""
        interval = _interval(now_ms - started_ms)
        known_ms, series = self._no_skill.get(interval, (0, None))
        if now_ms - known_ms >= NO_SKILL_KEPT_MS:
            series = self._played(interval, now_ms)
            self._no_skill[interval] = (now_ms, series)
        return None if series is None else series.returns_ppm(started_ms)

    def _played(self, interval: CandleInterval, now_ms: int) -> NoSkill | None:
        rules = next(r for r in self._rule_sets.values() if r.default and r.kind is AccountKind.PRACTICE)
        longest_ms = (PRICES_MAX - 1) * INTERVAL_MS[interval] - 1
        benchmark = self._benchmark(rules, now_ms - longest_ms, now_ms)
        if benchmark is None:
            return None
        return no_skill(benchmark.prices, benchmark.params, start_micros=rules.start_micros)

    def results(self, user_id: UserId, account_id: str) -> ResultsView:
        performance = self._store.performance(user_id, account_id, fills_limit=FILLS_MAX)
        account, standing = performance.holdings.account, performance.standing
        now_ms = self._clock.now_ms()
        owned = [h.account for h in self._store.accounts(user_id) if h.account.kind is account.kind]
        attempts = sum(one.cycle for one in owned)
        started_ms = performance.started_ms
        if standing is None:
            return results_view(Track(account, None, started_ms, (), (), None, None, attempts), now_ms=now_ms)
        track = Track(
            account=account,
            standing=standing,
            started_ms=started_ms,
            daily=self._daily(account, started_ms, now_ms),
            curve=self._curve(account, started_ms, now_ms),
            fills=performance.fills if len(performance.fills) == account.fills else None,
            benchmark=self._benchmark(self._rule_sets[account.rule_set], started_ms, now_ms),
            attempts=attempts,
            earlier_sharpes=self._other_sharpes(account, owned, now_ms),
        )
        return results_view(track, now_ms=now_ms)

    def _daily(
        self, account: Account, started_ms: int, now_ms: int, *, cycle: int | None = None
    ) -> Sequence[EquityMark]:
        """The newest mark at every midnight, of the present cycle or another one."""
        first_ms = (started_ms // DAY_MS + 1) * DAY_MS
        count = min(DAYS_MAX, (now_ms - first_ms) // DAY_MS + 1)
        if count <= 0:
            return ()
        return self._store.sampled_marks(
            account.account_id, cycle or account.cycle, first_ms=first_ms, every_ms=DAY_MS, count=count
        )

    def _other_sharpes(self, account: Account, owned: Sequence[Account], now_ms: int) -> list[Decimal]:
        """Of the owner's attempts beside this one. A cycle that saw too few midnights has no ratio."""
        of = [(one, one.cycle - back) for back in range(TRIALS_MAX + 1) for one in owned if back < one.cycle]
        others = [(one, cycle) for one, cycle in of if (one.account_id, cycle) != (account.account_id, account.cycle)]
        found = (
            daily_sharpe(one.start_micros, self._daily(one, one.opened_ms, now_ms, cycle=cycle))
            for one, cycle in others[:TRIALS_MAX]
        )
        return [sharpe for sharpe in found if sharpe is not None]

    def _curve(self, account: Account, started_ms: int, now_ms: int) -> Sequence[EquityMark]:
        every_ms = max(1, -(-(now_ms - started_ms) // (CURVE_POINTS - 1)))
        return self._store.sampled_marks(
            account.account_id, account.cycle, first_ms=started_ms, every_ms=every_ms, count=CURVE_POINTS
        )

    def _benchmark(self, rules: RuleSet, started_ms: int, now_ms: int) -> Benchmark | None:
        """None while no prices are stored that reach into the cycle."""
        params = _params(rules)
        quote = self._quotes.latest([params.market]).get(params.market)
        if self._candles is None or quote is None:
            return None
        # A replayed tape's candles have the tape's times.
        ahead_ms = quote.publish_ms - quote.chart_ms()
        interval = _interval(now_ms - started_ms)
        candles = self._candles.candles(params.market, interval, before_ms=max(0, now_ms - ahead_ms), limit=PRICES_MAX)
        prices = _prices(candles, ahead_ms=ahead_ms, started_ms=started_ms, now_ms=now_ms)
        return Benchmark(params.market, prices, params) if prices else None


def _params(rules: RuleSet) -> SpotParams:
    """How orders of the benchmark fill under the account's own rules."""
    if BENCHMARK in rules.spot:
        return rules.spot[BENCHMARK]
    if rules.spot:
        return rules.spot[min(rules.spot)]
    return rules.perp[min(rules.perp)].pricing


def _interval(lasted_ms: int) -> CandleInterval:
    fine = (i for i, length_ms in INTERVAL_MS.items() if lasted_ms < (PRICES_MAX - 1) * length_ms)
    return next(fine, CandleInterval.D1)


def _prices(candles: Sequence[Candle], *, ahead_ms: int, started_ms: int, now_ms: int) -> list[Price]:
    """The close of every candle that ended within the cycle, in server time, oldest first; the newest is of now."""
    ended = [
        (min(now_ms, candle.open_ms + INTERVAL_MS[candle.interval] + ahead_ms), candle) for candle in reversed(candles)
    ]
    return [Price(at_ms, candle.close_e8, 0) for at_ms, candle in ended if at_ms >= started_ms]
