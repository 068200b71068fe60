"""Backtests as jobs on either database: asked for once, played once more after a crash, with the same bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from tests.domains.aitrading.worlds import prompt_strategy
from tests.domains.backtests.tapes import MINUTE_MS, SOL, START_MS, crossing, walk
from tests.domains.backtests.test_run import play
from tests.domains.clones.conftest import ALICE, BOB, Workshop

from pump_party.adapters.object_store import ObjectStore
from pump_party.adapters.sealing import AesGcmSealing, PlatformKeys
from pump_party.adapters.strategy_seal import StrategySeal
from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.db.backtests import BacktestStore
from pump_party.db.engine import Database
from pump_party.db.outbox import OutboxStore
from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.aitrading.model import ModelReply
from pump_party.domains.backtests import contract
from pump_party.domains.backtests.answer_book import AnswerBook
from pump_party.domains.backtests.contract import BacktestState, StartBacktest, TapeMarket, TapeView
from pump_party.domains.backtests.played import Played, write_played
from pump_party.domains.backtests.service import BacktestService
from pump_party.domains.backtests.store import LEASE_MS, PlayerEnded, PlayRequest
from pump_party.domains.backtests.thinking import Answers
from pump_party.domains.backtests.work import ATTEMPTS_MAX, PLAY_MS_MAX, BacktestWork
from pump_party.domains.clones.contract import InvalidStrategy, canonical
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine.paper_venue import PaperVenue
from pump_party.events.backtests import BacktestChanged
from pump_party.kernel.errors import Conflict, IdempotencyMismatch, Invalid, NotFound, Unavailable
from pump_party.kernel.ids import Market, UserId
from pump_party.platform.bus import BACKTEST_CHANNEL
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids
from pump_party.platform.jobs import LeaseLost

BTC = Market("BTC-USDC")
RULES = build_all_rule_sets(load_registry())
MINUTES = 240
TO_MS = START_MS + MINUTES * MINUTE_MS
TAPE = TapeView("walk", "a walk", "tape", (TapeMarket(SOL, START_MS, TO_MS),))


class OneTape:
    def tapes(self) -> list[TapeView]:
        return [TAPE]


class HerePlayer:
    """Plays in this process; `before` is what happens when it is about to."""

    def __init__(self) -> None:
        self.before: Callable[[], None] = lambda: None
        self.played = 0

    def play(self, request: PlayRequest, tell: Callable[[int], bool], answers: Answers) -> bytes | None:
        del answers
        self.before()
        if not (tell(MINUTES // 2) and tell(MINUTES // 2)):
            return None
        self.played += 1
        strategy = msgspec.json.decode(request.strategy)
        assert strategy["schema"] == "strategy/1"
        outcomes = play(walk(MINUTES), crossing(), minutes=MINUTES)
        name = (request.tape, "00" * 32, "tape", request.rule_set, request.from_ms, request.to_ms, MINUTES)
        return write_played(Played(*name, tuple(outcomes), ()))


class NobodyAnswers:
    """No model is offered."""

    def offered(self) -> list[str]:
        return []

    def inquire(self, *_: object, **__: object) -> list[ModelReply]:
        raise AssertionError


class Bench:
    def __init__(self, database: Database, clock: ManualClock, ids: Ids, folder: Path) -> None:
        self.clock, self.database = clock, database
        self.workshop = Workshop(database, clock, ids)
        self.store = BacktestStore(database, ids)
        self.outbox = OutboxStore(database)
        self.player = HerePlayer()
        seal = StrategySeal(AesGcmSealing(PlatformKeys("k1:" + "11" * 32, folder / "keys")), lambda: True)
        self.artifacts = artifacts = ObjectStore("memory://")
        rule_sets = PaperVenue(RULES, start_ms=0, seed=1).trading.rule_sets()
        self.service = BacktestService(
            self.store,
            OneTape(),
            seal,
            artifacts,
            self.workshop.clones,
            StrategyDecider(rule_sets),
            NobodyAnswers(),
            rule_sets,
            clock,
            ids,
        )
        self.work = BacktestWork(self.store, seal, self.player, artifacts, clock, self._book)

    def _book(self, view: contract.BacktestView) -> AnswerBook:
        nothing: Any = None
        owner = {"user_id": view.user_id, "clone_id": None, "use_models": view.use_models}
        return AnswerBook(nothing, nothing, NobodyAnswers(), self.clock, **owner)  # type: ignore[arg-type]

    def start(self, key: str = "one", *, user: UserId = ALICE, **changes: object) -> contract.BacktestView:
        command = {"strategy": canonical(crossing()), "tape": "walk"} | changes
        return self.service.start(StartBacktest(user_id=user, idempotency_key=key, **command))  # type: ignore[arg-type]

    def work_off(self) -> BacktestState:
        job = self.work.next_job()
        assert job is not None
        return self.work.work_off(job, lambda: False)


@pytest.fixture
def bench(database: Database, clock: ManualClock, ids: Ids, tmp_path: Path) -> Bench:
    return Bench(database, clock, ids, tmp_path)


def test_a_backtest_goes_from_waiting_to_a_result_with_its_hash(bench: Bench):
    asked = bench.start()
    assert (asked.state, asked.minutes, asked.markets) == (BacktestState.WAITING, MINUTES, (SOL,))
    assert bench.work_off() is BacktestState.DONE
    done = bench.service.one(ALICE, asked.backtest_id)
    result = bench.service.result(ALICE, asked.backtest_id)
    assert done.minutes_done == MINUTES
    assert done.result_hash == result.played.outcomes[0].sha256
    assert done.summary is not None
    assert done.summary.fills == len(result.played.outcomes[0].fills) > 0
    assert bench.work.next_job() is None


def test_the_same_request_again_is_the_same_backtest_and_another_under_its_key_is_refused(bench: Bench):
    first = bench.start()
    bench.work_off()
    assert bench.start().backtest_id == first.backtest_id
    with pytest.raises(IdempotencyMismatch):
        bench.start(from_ms=START_MS + MINUTE_MS)
    assert len(bench.service.mine(ALICE)) == 1


def test_nobody_else_sees_or_cancels_a_backtest(bench: Bench):
    asked = bench.start()
    bench.work_off()
    service = bench.service
    assert service.mine(BOB) == []
    for call in (
        lambda: service.one(BOB, asked.backtest_id),
        lambda: service.result(BOB, asked.backtest_id),
        lambda: service.cancel(BOB, asked.backtest_id),
        lambda: service.decisions(BOB, asked.backtest_id, cursor=None, limit=5),
        lambda: service.compare(BOB, [asked.backtest_id, bench.start("two").backtest_id]),
    ):
        with pytest.raises(NotFound) as refused:
            call()
        assert refused.value.code == "backtest_not_found"


def test_a_worker_that_is_killed_leaves_a_job_that_the_next_one_ends_with_the_same_hash(bench: Bench):
    asked, again = bench.start(), bench.start("two")
    lost = bench.work.next_job()
    assert lost is not None
    assert bench.work.next_job() is not None
    assert bench.work.next_job() is None
    bench.clock.advance(LEASE_MS)
    states = [bench.work_off(), bench.work_off()]
    assert states == [BacktestState.DONE] * 2
    with pytest.raises(LeaseLost):
        bench.work.work_off(msgspec.structs.replace(lost, key=again.backtest_id), lambda: False)
    hashes = {bench.service.one(ALICE, view.backtest_id).result_hash for view in (asked, again)}
    assert len(hashes) == 1


def test_a_worker_that_takes_over_does_not_wait_for_the_lease(bench: Bench):
    bench.start()
    assert bench.work.next_job() is not None
    bench.work.take_over()
    assert bench.work_off() is BacktestState.DONE


def test_a_worker_that_ends_gives_its_backtest_up_and_the_next_begins_again(bench: Bench):
    asked = bench.start()
    job = bench.work.next_job()
    assert job is not None
    assert bench.work.work_off(job, lambda: True) is BacktestState.WAITING
    bench.work.take_over()
    assert bench.work_off() is BacktestState.DONE
    assert bench.service.one(ALICE, asked.backtest_id).state is BacktestState.DONE


def test_a_backtest_that_takes_its_worker_along_is_given_up(bench: Bench):
    asked = bench.start()
    for _ in range(ATTEMPTS_MAX):
        assert bench.work.next_job() is not None
        bench.work.take_over()
    assert bench.work_off() is BacktestState.FAILED
    assert bench.service.one(ALICE, asked.backtest_id).code == "gave_up"
    assert bench.player.played == 0


def test_what_goes_wrong_is_said_on_the_backtest(bench: Bench):
    def ends() -> None:
        raise PlayerEnded("its process ended with code -9")

    asked = bench.start()
    bench.player.before = ends
    assert bench.work_off() is BacktestState.FAILED
    failed = bench.service.one(ALICE, asked.backtest_id)
    assert (failed.code, failed.detail) == ("player_ended", "its process ended with code -9")
    with pytest.raises(Conflict) as refused:
        bench.service.result(ALICE, asked.backtest_id)
    assert refused.value.code == "backtest_not_done"


def test_a_database_that_is_away_is_no_failure_of_the_backtest(bench: Bench):
    def away() -> None:
        raise Unavailable("the database does not answer")

    bench.start()
    bench.player.before = away
    with pytest.raises(Unavailable):
        bench.work_off()
    bench.player.before = lambda: None
    bench.clock.advance(LEASE_MS)
    assert bench.work_off() is BacktestState.DONE


def test_one_that_takes_too_long_is_ended(bench: Bench):
    asked = bench.start()
    bench.player.before = lambda: bench.clock.advance(PLAY_MS_MAX + 1)
    assert bench.work_off() is BacktestState.FAILED
    assert bench.service.one(ALICE, asked.backtest_id).code == "too_slow"


@pytest.mark.parametrize("when", ["waiting", "running"])
def test_a_cancelled_backtest_is_not_played_to_its_end(bench: Bench, when: str):
    asked = bench.start()

    def cancel() -> None:
        assert bench.service.cancel(ALICE, asked.backtest_id).state is BacktestState.CANCELLED

    if when == "waiting":
        cancel()
    else:
        bench.player.before = cancel
    assert bench.work_off() is BacktestState.CANCELLED
    assert bench.player.played == 0
    assert bench.work.next_job() is None
    assert bench.service.cancel(ALICE, asked.backtest_id).state is BacktestState.CANCELLED


def test_a_user_has_so_many_waiting_and_so_many_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    for number in range(contract.WAITING_PER_USER_MAX):
        bench.start(f"key {number}")
    with pytest.raises(Conflict) as refused:
        bench.start("one more")
    assert refused.value.code == "too_many_backtests"
    bench.start("other", user=BOB)
    monkeypatch.setattr("pump_party.db.backtests.KEPT_PER_USER_MAX", 2)
    views = bench.service.mine(ALICE)
    for view in views:
        bench.service.cancel(ALICE, view.backtest_id)
    newest = bench.start("one more")
    assert {view.backtest_id for view in bench.service.mine(ALICE)} == {
        newest.backtest_id,
        *(view.backtest_id for view in views[:2]),
    }


def test_followers_are_told_of_every_change_and_of_nothing_twice(bench: Bench):
    def told(view: contract.BacktestView) -> list[tuple[int, BacktestState, int]]:
        messages = bench.outbox.after(view.backtest_id, seq=0, limit=100)
        assert {(m.channel, m.kind) for m in messages} <= {(BACKTEST_CHANNEL, BacktestChanged.KIND)}
        events = [msgspec.json.decode(m.payload, type=BacktestChanged) for m in messages]
        assert {event.user_id for event in events} <= {ALICE}
        views = [msgspec.json.decode(event.backtest, type=contract.BacktestView) for event in events]
        return [(m.seq, v.state, v.minutes_done) for m, v in zip(messages, views, strict=True)]

    asked = bench.start()
    bench.work_off()
    bench.service.cancel(ALICE, asked.backtest_id)
    running, done = BacktestState.RUNNING, BacktestState.DONE
    assert told(asked) == [(1, running, 0), (2, running, MINUTES // 2), (3, done, MINUTES)]
    cancelled = bench.start("two")
    bench.service.cancel(ALICE, cancelled.backtest_id)
    assert told(cancelled) == [(1, BacktestState.CANCELLED, 0)]


def test_what_was_told_of_a_backtest_goes_with_it(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pump_party.db.backtests.KEPT_PER_USER_MAX", 1)
    views = [bench.start(key) for key in ("a", "b")]
    for view in views:
        bench.service.cancel(ALICE, view.backtest_id)
    bench.start("c")
    assert [bench.outbox.latest_seq(view.backtest_id) for view in views] == [0, 1]


def test_a_strategy_is_in_the_database_sealed_and_only_until_it_was_played(bench: Bench):
    def stored() -> list[tuple[object, ...]]:
        with bench.database.read() as connection:
            return [tuple(row) for row in connection.execute(sa.text("SELECT sealed, view FROM backtests_runs"))]

    bench.start()
    ((sealed, view),) = stored()
    assert sealed is not None
    for word in (b"stream", b"above", b"data_stream"):
        assert word not in bytes(sealed)  # type: ignore[call-overload]
        assert word not in bytes(view)  # type: ignore[call-overload]
    bench.work_off()
    assert stored()[0][0] is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tape": "../etc"}, "tape_not_found"),
        (
            {"strategy": canonical(crossing(contract.TapeMarket.__class__ and SOL)), "rule_set": "none"},
            "rule_set_unknown",
        ),
        ({"from_ms": TO_MS}, "no_common_time"),
        ({"strategy": None}, "one_of"),
        ({"clone_id": "x"}, "one_of"),
        ({"name": " "}, "bad_name"),
        ({"strategy": canonical(prompt_strategy("think")), "use_models": contract.UseModels.ASK}, "model_not_offered"),
    ],
)
def test_what_cannot_be_played_is_refused_before_it_waits(bench: Bench, changes: dict[str, object], code: str):
    with pytest.raises(Invalid) as refused:
        bench.start(**changes)
    assert refused.value.code == code
    assert bench.service.mine(ALICE) == []


def test_a_backtest_has_at_most_so_many_minutes(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pump_party.domains.backtests.service.MARKET_MINUTES_MAX", MINUTES - 1)
    with pytest.raises(Invalid) as refused:
        bench.start()
    assert refused.value.code == "backtest_too_long"


def test_a_strategy_with_problems_is_refused_with_all_of_them(bench: Bench):
    with pytest.raises(InvalidStrategy) as refused:
        bench.start(strategy=b'{"schema":"strategy/1","nodes":[],"edges":[]}')
    assert refused.value.problems


def test_a_version_of_an_own_clone_is_played_under_its_name(bench: Bench):
    clone = bench.workshop.create()
    with pytest.raises(Conflict) as refused:
        bench.start(strategy=None, clone_id=clone.clone_id)
    assert refused.value.code == "not_published"
    with pytest.raises(NotFound):
        bench.start(user=BOB, strategy=None, clone_id=clone.clone_id)


def test_decisions_come_in_pages_in_order_of_time(bench: Bench):
    asked = bench.start()
    bench.work_off()
    seen, cursor = [], None
    while True:
        page = bench.service.decisions(ALICE, asked.backtest_id, cursor=cursor, limit=20)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert tuple(seen) == bench.service.result(ALICE, asked.backtest_id).played.outcomes[0].log
    assert len(seen) > 40
    assert [row.slot_ms for row in seen] == sorted(row.slot_ms for row in seen)
    assert {row.action.value for row in seen} == {"open", "close"}
    with pytest.raises(Invalid) as refused:
        bench.service.decisions(ALICE, asked.backtest_id, cursor="-1", limit=50)
    assert refused.value.code == "bad_cursor"


def test_runs_of_one_tape_and_span_are_compared_and_others_are_not(bench: Bench):
    ids = [bench.start(key).backtest_id for key in ("a", "b")]
    other = bench.start("c", to_ms=TO_MS - MINUTE_MS).backtest_id
    for _ in range(3):
        bench.work_off()
    comparison = bench.service.compare(ALICE, ids)
    assert [r.backtest.backtest_id for r in comparison.results] == ids
    assert (comparison.from_ms, comparison.to_ms) == (START_MS, TO_MS)
    for wrong, code in (
        ([ids[0]], "bad_comparison"),
        ([ids[0]] * 2, "bad_comparison"),
        ([*ids, other], "not_comparable"),
    ):
        with pytest.raises(Invalid) as refused:
            bench.service.compare(ALICE, wrong)
        assert refused.value.code == code
