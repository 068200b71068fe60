"""Plays strategies over a folder of recorded minutes, without a database."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.domains.backtests.contract import MINUTE_MS, Entrant, Played
from pump_party.domains.clones.contract import InvalidStrategy, Strategy, content_sha256
from pump_party.domains.clones.house_strategies import PREFIX, house_strategy
from pump_party.domains.clones.validation import read
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.errors import Invalid

RULE_SET = "practice-next-v1"
"""The conditions of contests, on a practice account: no fill on a price that could have been seen."""

SEED = 1

Progress = Callable[[str, int, int], None]


class NamedStrategy(msgspec.Struct, frozen=True):
    name: str
    strategy: Strategy


def load_strategy(source: str) -> NamedStrategy:
    """A house strategy ("house:momentum") or a JSON file. Raises NotFound, InvalidStrategy with every problem."""
    if source.startswith(PREFIX):
        found = house_strategy(source)
        return NamedStrategy(found.name, found.strategy)
    path = Path(source)
    if not path.is_file():
        raise Invalid(f"there is no file {source}; a house strategy is named house:momentum", field="strategy")
    known = {asset.market: asset.kind for asset in load_registry().assets()}
    validation = read(path.read_bytes(), known)
    if validation.strategy is None:
        raise InvalidStrategy(validation.problems)
    return NamedStrategy(path.stem, validation.strategy)


def play_backtest(
    strategies: Sequence[NamedStrategy],
    folder: Path,
    *,
    from_ms: int | None,
    to_ms: int | None,
    rule_set: str | None,
    progress: Progress,
) -> Played:
    """Play them side by side. `progress` hears of what is done ("read FILE", "play"), how far, and of how much (0 when
    it is not known). Raises Invalid for a tape, a time or a rule set that does not fit, and for a strategy that needs
    a language model.
    """
    from pump_party.adapters.indicators import TaLibIndicators
    from pump_party.adapters.tape_history import read_tape
    from pump_party.domains.aitrading.decider import StrategyDecider
    from pump_party.domains.backtests.run import Backtest
    from pump_party.domains.prop_engine.paper_venue import PaperVenue

    registry = load_registry()
    tape = read_tape(folder, registry, TaLibIndicators(), lambda name, rows: progress(f"read {name}", rows, 0))
    rules, rules_name = build_all_rule_sets(registry), rule_set or RULE_SET
    if rules_name not in rules:
        raise Invalid(f"is none of {', '.join(rules)}", code="rule_set_unknown", field="rule_set")
    venue_rules = PaperVenue(rules, start_ms=0, seed=SEED).trading.rule_sets()
    decider = StrategyDecider(venue_rules)
    entrants = [Entrant(s.name, content_sha256(s.strategy), decider.plan(s.strategy)) for s in strategies]
    markets = sorted({market for entrant in entrants for market in entrant.plan.limits.markets})
    first_ms, last_ms = tape.span_ms(markets)
    from_ms, to_ms = max(first_ms, from_ms or first_ms), min(last_ms, to_ms or last_ms)
    if from_ms >= to_ms:
        raise Invalid("the tape has nothing between these times", code="no_common_time", field="from")
    venue = PaperVenue(rules, start_ms=from_ms, seed=SEED, candles=tape.candles)
    backtest = Backtest(tape, venue, decider, entrants, rule_set=rules_name, from_ms=from_ms, to_ms=to_ms)
    outcomes = backtest.run(lambda done, total: progress("play", done, total), lambda: False)
    return Played(
        tape=tape.name,
        tape_sha256=tape.sha256,
        feed=tape.feed,
        rule_set=rules_name,
        from_ms=from_ms,
        to_ms=to_ms,
        candles=(to_ms - from_ms) // MINUTE_MS * len(markets),
        outcomes=tuple(outcomes),
    )
