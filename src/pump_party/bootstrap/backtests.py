"""Builds backtests: the service and its worker, and `pump-party backtest`, which needs no database."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pump_party.adapters.backtest_player import ProcessPlayer
from pump_party.adapters.sealed_answers import SealedAnswers
from pump_party.adapters.sealing import AesGcmSealing, PlatformKeys
from pump_party.adapters.strategy_seal import StrategySeal
from pump_party.bootstrap.aitrading import build_inquirer
from pump_party.bootstrap.clones import KEY_FILE
from pump_party.bootstrap.database import open_database, open_existing
from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.bootstrap.objects import build_object_store
from pump_party.bootstrap.tapes import build_shelf
from pump_party.config import Settings
from pump_party.db.backtests import BacktestStore
from pump_party.db.backtests_answers import AnswerStore
from pump_party.db.clones import CloneStore
from pump_party.db.engine import Database
from pump_party.domains.aitrading.contract import Inquirer
from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.aitrading.planning import plan_of
from pump_party.domains.backtests.answer_book import AnswerBook
from pump_party.domains.backtests.contract import (
    MINUTE_MS,
    AskedNow,
    Backtests,
    BacktestView,
    BacktestWork,
    Entrant,
    Played,
    UseModels,
)
from pump_party.domains.backtests.holding import holding_curve
from pump_party.domains.backtests.service import RULE_SET, BacktestService
from pump_party.domains.backtests.thinking import Answers, Asked, KeptAnswer, Thinker
from pump_party.domains.backtests.work import BacktestWork as Work
from pump_party.domains.clones.contract import Clones, InvalidStrategy, Strategy, content_sha256
from pump_party.domains.clones.house_strategies import PREFIX, house_strategy
from pump_party.domains.clones.validation import read
from pump_party.domains.marketdata.registry import Registry, load_registry
from pump_party.domains.prop_interface.contract import PropTrading
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import UserId
from pump_party.platform.clock import Clock, SystemClock
from pump_party.platform.ids import Ids

if TYPE_CHECKING:
    from pump_party.adapters.tape_history import RecordedTape

SEED = 1
PLAYER_MODULE = "pump_party.apps.workers.play_backtest"

OPERATOR = UserId("operator")
"""Whose answers and whose budget those of the command are."""

Progress = Callable[[str, int, int], None]


class NamedStrategy(msgspec.Struct, frozen=True):
    name: str
    strategy: Strategy


class Backtesting(NamedTuple):
    service: Backtests
    work: BacktestWork


def build_backtests(
    settings: Settings,
    database: Database,
    registry: Registry,
    clones: Clones,
    prop: PropTrading,
    inquirer: Inquirer,
    clock: Clock,
    ids: Ids,
) -> Backtesting:
    keys = PlatformKeys(settings.strategy_keys, Path(settings.data_dir).expanduser().resolve() / KEY_FILE)
    seal = StrategySeal(AesGcmSealing(keys), lambda: not clones.count_keys())
    store, artifacts = BacktestStore(database, ids), build_object_store(settings)
    answers, bodies = AnswerStore(database), SealedAnswers(artifacts, seal)
    shelf, rule_sets = build_shelf(settings, database, registry), prop.rule_sets()
    decider = StrategyDecider(rule_sets)
    service = BacktestService(store, shelf, seal, artifacts, clones, decider, inquirer, rule_sets, clock, ids)
    player = ProcessPlayer([sys.executable, "-m", PLAYER_MODULE], msgspec.json.encode(settings))

    def book(view: BacktestView) -> AnswerBook:
        return AnswerBook(
            answers,
            bodies,
            inquirer,
            clock,
            user_id=view.user_id,
            clone_id=view.clone_id,
            use_models=view.use_models,
        )

    return Backtesting(service, Work(store, seal, player, artifacts, clock, book))


def load_strategy(source: str) -> NamedStrategy:
    """A house strategy ("house:momentum") or a JSON file. Raises NotFound, InvalidStrategy with every problem."""
    if source.startswith(PREFIX):
        found = house_strategy(source)
        return NamedStrategy(found.name, found.strategy)
    path = Path(source)
    if not path.is_file():
        raise Invalid(f"there is no file {source}; a house strategy is named house:momentum", field="strategy")
    return NamedStrategy(path.stem, read_strategy(path.read_bytes(), load_registry()))


def read_strategy(body: bytes, registry: Registry) -> Strategy:
    """Raises InvalidStrategy."""
    validation = read(body, {asset.market: asset.kind for asset in registry.assets()})
    if validation.strategy is None:
        raise InvalidStrategy(validation.problems)
    return validation.strategy


def play_backtest(
    strategies: Sequence[NamedStrategy],
    folder: Path,
    *,
    from_ms: int | None,
    to_ms: int | None,
    rule_set: str | None,
    progress: Progress,
    settings: Settings,
    use_models: UseModels,
) -> tuple[Played, AskedNow | None]:
    """Play them side by side. `progress` hears of what is done ("read FILE", "play"), how far, and of how much (0 when
    it is not known). Also returns what models were asked, if any. Raises Invalid for a tape, a time or a rule set that
    does not fit; Unavailable where a strategy has prompts and there is no database with answers.
    """
    from pump_party.adapters.indicators import TaLibIndicators
    from pump_party.adapters.tape_history import read_tape

    registry = load_registry()
    with _answers(strategies, settings, use_models) as answers:
        tape = read_tape(folder, registry, TaLibIndicators(), lambda name, rows: progress(f"read {name}", rows, 0))
        played = play(
            strategies,
            tape,
            registry,
            from_ms=from_ms,
            to_ms=to_ms,
            rule_set=rule_set or RULE_SET,
            tell=lambda done, total: progress("play", done, total),
            answers=answers,
            prompt_tokens_max=settings.model_prompt_tokens,
        )
        return played, answers.asked_now() if isinstance(answers, AnswerBook) else None


class NoAnswers:
    """For strategies that ask nothing."""

    def of(self, asked: Sequence[Asked]) -> Sequence[KeptAnswer] | None:
        raise AssertionError(asked[0].model)


@contextmanager
def _answers(
    strategies: Sequence[NamedStrategy], settings: Settings, use_models: UseModels
) -> Iterator[AnswerBook | NoAnswers]:
    """The answers that are kept on this machine; a database is opened only for strategies that have prompts."""
    models = {plan.model for plan in map(plan_of, (one.strategy for one in strategies)) if plan.needs_model}
    if not models:
        yield NoAnswers()
        return
    asks = use_models is UseModels.ASK
    with closing(open_database(settings) if asks else open_existing(settings)) as database:
        clock = SystemClock()
        inquirer = build_inquirer(settings, database, clock, Ids(clock))
        if asks and not models <= set(inquirer.offered()):
            raise Invalid("a strategy names a model that is not offered here", code="model_not_offered", field="model")
        keys = PlatformKeys(settings.strategy_keys, Path(settings.data_dir).expanduser().resolve() / KEY_FILE)
        clones = CloneStore(database)
        seal = StrategySeal(AesGcmSealing(keys), lambda: not clones.count_keys())
        bodies = SealedAnswers(build_object_store(settings), seal)
        yield AnswerBook(
            AnswerStore(database), bodies, inquirer, clock, user_id=OPERATOR, clone_id=None, use_models=use_models
        )


def play(
    strategies: Sequence[NamedStrategy],
    tape: "RecordedTape",
    registry: Registry,
    *,
    from_ms: int | None,
    to_ms: int | None,
    rule_set: str,
    tell: Callable[[int, int], None],
    answers: Answers,
    prompt_tokens_max: int,
) -> Played:
    """Play them side by side over a tape in memory. `answers` are for strategies that have prompts. Raises Invalid."""
    from pump_party.domains.backtests.run import Backtest
    from pump_party.domains.prop_engine.paper_venue import PaperVenue

    rules = build_all_rule_sets(registry)
    if rule_set not in rules:
        raise Invalid(f"is none of {', '.join(rules)}", code="rule_set_unknown", field="rule_set")
    decider = StrategyDecider(PaperVenue(rules, start_ms=0, seed=SEED).trading.rule_sets())
    entrants = [Entrant(s.name, content_sha256(s.strategy), decider.plan(s.strategy)) for s in strategies]
    markets = sorted({market for entrant in entrants for market in entrant.plan.limits.markets})
    first_ms, last_ms = tape.span_ms(markets)
    from_ms, to_ms = max(first_ms, from_ms or first_ms), min(last_ms, to_ms or last_ms)
    if from_ms >= to_ms:
        raise Invalid("the tape has nothing between these times", code="no_common_time", field="from")
    venue = PaperVenue(rules, start_ms=from_ms, seed=SEED, candles=tape.candles)
    asker = Thinker(decider, answers, prompt_tokens_max=prompt_tokens_max)
    span = {"from_ms": from_ms, "to_ms": to_ms}
    backtest = Backtest(tape, venue, decider, entrants, rule_set=rule_set, asker=asker, **span)
    outcomes = backtest.run(tell, lambda: False)
    return Played(
        tape=tape.name,
        tape_sha256=tape.sha256,
        feed=tape.feed,
        rule_set=rule_set,
        from_ms=from_ms,
        to_ms=to_ms,
        candles=(to_ms - from_ms) // MINUTE_MS * len(markets),
        outcomes=tuple(outcomes),
        holding=holding_curve(tape, outcomes[0], markets, from_ms=from_ms, to_ms=to_ms),
    )
