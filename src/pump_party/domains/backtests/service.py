"""Backtests as jobs: asked for, looked at, compared, cancelled. Playing them is `work.py`."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from pump_party.domains.aitrading.contract import Decider, Inquirer
from pump_party.domains.backtests.contract import (
    COMPARED_MAX,
    DECISIONS_LIMIT_MAX,
    MARKET_MINUTES_MAX,
    NAME_CHARS_MAX,
)
from pump_party.domains.backtests.model import MINUTE_MS
from pump_party.domains.backtests.played import read_played
from pump_party.domains.backtests.store import Artifacts, BacktestStore, Shelf, StrategySeal, result_place
from pump_party.domains.backtests.views import (
    ENDED,
    BacktestState,
    BacktestView,
    Comparison,
    DecisionPage,
    ResultView,
    StartBacktest,
    TapeView,
    UseModels,
)
from pump_party.domains.clones.contract import Clones, InvalidStrategy, Strategy, canonical, content_sha256
from pump_party.domains.prop_interface.contract import RuleSetView
from pump_party.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from pump_party.kernel.ids import BacktestId, CloneId, Market, UserId
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids

RULE_SET = "practice-next-v1"
"""The conditions of contests, on a practice account: no fill on a price that could have been seen."""


class _Chosen(msgspec.Struct, frozen=True):
    """The strategy that is to be played."""

    strategy: Strategy
    name: str
    clone_id: CloneId | None = None
    version: int | None = None


class BacktestService:
    """Implements `contract.Backtests`."""

    def __init__(
        self,
        store: BacktestStore,
        shelf: Shelf,
        seal: StrategySeal,
        artifacts: Artifacts,
        clones: Clones,
        decider: Decider,
        inquirer: Inquirer,
        rule_sets: Sequence[RuleSetView],
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._seal = seal
        self._artifacts = artifacts
        self._clones = clones
        self._decider = decider
        self._inquirer = inquirer
        self._rule_sets: Mapping[str, RuleSetView] = {rules.name: rules for rules in rule_sets}
        self._clock = clock
        self._ids = ids

    def tapes(self) -> Sequence[TapeView]:
        return self._shelf.tapes()

    def start(self, command: StartBacktest) -> BacktestView:
        request_sha256 = sha256(msgspec.json.encode(command)).hexdigest()
        earlier = self._store.recall(command.user_id, key=command.idempotency_key, request_sha256=request_sha256)
        if earlier is not None:
            return earlier
        chosen = self._choose(command)
        rule_set = command.rule_set or RULE_SET
        if rule_set not in self._rule_sets:
            raise Invalid(f"is none of {', '.join(self._rule_sets)}", code="rule_set_unknown", field="rule_set")
        plan = self._decider.plan(chosen.strategy)
        if plan.needs_model and command.use_models is UseModels.ASK and plan.model not in self._inquirer.offered():
            raise Invalid("names a model that is not offered here", code="model_not_offered", field="use_models")
        markets = tuple(sorted(plan.limits.markets))
        tape = self._tape(command.tape)
        from_ms, to_ms = _span(tape, markets, command.from_ms, command.to_ms)
        view = BacktestView(
            backtest_id=BacktestId(self._ids.new()),
            user_id=command.user_id,
            name=chosen.name,
            clone_id=chosen.clone_id,
            version=chosen.version,
            strategy_sha256=content_sha256(chosen.strategy),
            tape=tape.name,
            feed=tape.feed,
            rule_set=rule_set,
            markets=markets,
            from_ms=from_ms,
            to_ms=to_ms,
            state=BacktestState.WAITING,
            minutes_done=0,
            minutes=(to_ms - from_ms) // MINUTE_MS,
            created_ms=self._clock.now_ms(),
            use_models=command.use_models,
        )
        sealed = self._seal.seal(view.user_id, view.backtest_id, canonical(chosen.strategy))
        return self._store.add(view, sealed, key=command.idempotency_key, request_sha256=request_sha256)

    def mine(self, user_id: UserId) -> Sequence[BacktestView]:
        return self._store.of_user(user_id)

    def one(self, user_id: UserId, backtest_id: str) -> BacktestView:
        view = self._store.find(backtest_id)
        if view is None or view.user_id != user_id:
            raise NotFound("there is no such backtest", code="backtest_not_found", field="backtest_id")
        return view

    def result(self, user_id: UserId, backtest_id: str) -> ResultView:
        view = self.one(user_id, backtest_id)
        if view.artifact_sha256 is None:
            raise Conflict(f"the backtest is {view.state.value} and has no result", code="backtest_not_done")
        return ResultView(view, read_played(self._body(view.backtest_id, view.artifact_sha256)))

    def _body(self, backtest_id: BacktestId, artifact_sha256: str) -> bytes:
        try:
            body = self._artifacts.get_at(result_place(backtest_id, artifact_sha256))
        except NotFound:
            # Where earlier releases kept it.
            body = self._artifacts.get_at(artifact_sha256)
        if sha256(body).hexdigest() != artifact_sha256:
            raise Unavailable(f"the result {artifact_sha256} is damaged", code="object_damaged")
        return body

    def decisions(self, user_id: UserId, backtest_id: str, *, cursor: str | None, limit: int) -> DecisionPage:
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 9):
            raise Invalid("is not a cursor of this list", code="bad_cursor", field="cursor")
        outcome = self.result(user_id, backtest_id).played.outcomes[0]
        start = int(cursor or 0)
        end = start + max(1, min(limit, DECISIONS_LIMIT_MAX))
        return DecisionPage(outcome.log[start:end], str(end) if end < len(outcome.log) else None, outcome.log_left_out)

    def compare(self, user_id: UserId, backtest_ids: Sequence[str]) -> Comparison:
        if not 2 <= len(backtest_ids) <= COMPARED_MAX or len(set(backtest_ids)) != len(backtest_ids):
            raise Invalid(f"name 2 to {COMPARED_MAX} different backtests", code="bad_comparison", field="ids")
        results = tuple(self.result(user_id, backtest_id) for backtest_id in backtest_ids)
        first = results[0].played
        same = (first.tape_sha256, first.from_ms, first.to_ms)
        if any((r.played.tape_sha256, r.played.from_ms, r.played.to_ms) != same for r in results):
            raise Invalid("are not of the same tape and span", code="not_comparable", field="ids")
        return Comparison(first.tape, first.tape_sha256, first.feed, first.from_ms, first.to_ms, results)

    def cancel(self, user_id: UserId, backtest_id: str) -> BacktestView:
        view = self.one(user_id, backtest_id)
        if view.state not in ENDED:
            self._store.cancel(view.backtest_id, now_ms=self._clock.now_ms())
        return self.one(user_id, backtest_id)

    # --- what is to be played ---

    def _choose(self, command: StartBacktest) -> _Chosen:
        if (command.strategy is None) == (command.clone_id is None):
            raise Invalid("give either strategy or clone_id", code="one_of", field="strategy")
        if command.name is not None and not 1 <= len(command.name.strip()) <= NAME_CHARS_MAX:
            raise Invalid(f"has 1 to {NAME_CHARS_MAX} characters", code="bad_name", field="name")
        if command.strategy is not None:
            validation = self._clones.validate(command.strategy)
            if validation.strategy is None:
                raise InvalidStrategy(validation.problems)
            return _Chosen(validation.strategy, command.name or "draft")
        assert command.clone_id is not None
        clone = self._clones.owner_clone(command.user_id, command.clone_id)
        number = command.version
        if number is None:
            number = self._clones.current_version(clone.clone_id).number
        version = self._clones.version(command.user_id, clone.clone_id, number)
        return _Chosen(version.strategy, command.name or f"{clone.name} v{number}", clone.clone_id, number)

    def _tape(self, name: str) -> TapeView:
        found = next((tape for tape in self._shelf.tapes() if tape.name == name), None)
        if found is None:
            raise Invalid("is no tape of this server", code="tape_not_found", field="tape")
        return found


def _span(tape: TapeView, markets: Sequence[Market], from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
    """Whole minutes that all of these markets have. Raises Invalid."""
    spans = {one.market: one for one in tape.markets}
    missing = [market for market in markets if market not in spans]
    if missing:
        raise Invalid(f"has no minutes of {', '.join(missing)}", code="market_not_on_tape", field="tape")
    first_ms = max(spans[market].from_ms for market in markets)
    last_ms = min(spans[market].to_ms for market in markets)
    first_ms, last_ms = max(first_ms, from_ms or first_ms), min(last_ms, to_ms or last_ms)
    first_ms, last_ms = -(-first_ms // MINUTE_MS) * MINUTE_MS, last_ms // MINUTE_MS * MINUTE_MS
    if first_ms >= last_ms:
        raise Invalid("the tape has nothing between these times", code="no_common_time", field="from_ms")
    if (last_ms - first_ms) // MINUTE_MS * len(markets) > MARKET_MINUTES_MAX:
        days = MARKET_MINUTES_MAX // len(markets) // 1440
        raise Invalid(f"at most {days} days of {len(markets)} markets", code="backtest_too_long", field="to_ms")
    return first_ms, last_ms
