"""What backtests leave in the object store goes when nobody names it any more. SQLite and Postgres."""

from hashlib import sha256

import pytest
from tests.db.test_backtests import Bench, bench
from tests.domains.clones.conftest import ALICE, BOB

from pump_party.db.backtests_answers import AnswerStore
from pump_party.domains.backtests import contract
from pump_party.domains.backtests.contract import BacktestState
from pump_party.domains.backtests.store import AnswerRow, result_place
from pump_party.kernel.errors import NotFound

__all__ = ["bench"]


def kept(bench: Bench, view: contract.BacktestView) -> bool:
    done = bench.store.find(view.backtest_id) or view
    assert done.artifact_sha256 is not None
    try:
        return bool(bench.artifacts.get_at(result_place(done.backtest_id, done.artifact_sha256)))
    except NotFound:
        return False


def test_a_result_goes_with_its_backtest_and_the_same_result_of_another_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pump_party.db.backtests.KEPT_PER_USER_MAX", 1)
    first, second, other = bench.start("a"), bench.start("b"), bench.start("a", user=BOB)
    for _ in range(3):
        assert bench.work_off() is BacktestState.DONE
    old, same = bench.service.one(ALICE, first.backtest_id), bench.service.one(BOB, other.backtest_id)
    assert old.artifact_sha256 == same.artifact_sha256
    assert bench.work.prune() == 0
    bench.start("c")
    assert bench.work.prune() > 0
    assert [kept(bench, view) for view in (old, second, same)] == [False, True, True]
    assert bench.service.result(BOB, same.backtest_id).played
    assert bench.work.prune() == 0


def test_a_result_of_an_earlier_release_is_read_and_goes_with_the_last_that_names_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pump_party.db.backtests.KEPT_PER_USER_MAX", 1)
    views = [bench.start("a"), bench.start("a", user=BOB)]
    for _ in views:
        bench.work_off()
    sha256 = bench.service.one(ALICE, views[0].backtest_id).artifact_sha256
    assert sha256 is not None
    places = [result_place(view.backtest_id, sha256) for view in views]
    bench.artifacts.put_at(sha256, bench.artifacts.get_at(places[0]))
    bench.artifacts.delete_at(places)
    owners = ((ALICE, views[0]), (BOB, views[1]))
    assert all(bench.service.result(user, view.backtest_id).played for user, view in owners)
    for user, place_is_kept in ((ALICE, True), (BOB, False)):
        for key in ("x", "y"):
            bench.start(key, user=user)
            bench.service.cancel(user, bench.service.mine(user)[0].backtest_id)
        bench.work.prune()
        if place_is_kept:
            assert bench.artifacts.get_at(sha256)
    with pytest.raises(NotFound):
        bench.artifacts.get_at(sha256)


def test_the_result_of_one_that_was_cancelled_meanwhile_is_deleted(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    asked = bench.start()
    put_at, put = bench.artifacts.put_at, []

    def cancelled_meanwhile(place: str, body: bytes) -> bool:
        put.append(place)
        bench.service.cancel(ALICE, asked.backtest_id)
        return put_at(place, body)

    monkeypatch.setattr(bench.artifacts, "put_at", cancelled_meanwhile)
    bench.work_off()
    assert bench.service.one(ALICE, asked.backtest_id).state is BacktestState.CANCELLED
    assert bench.artifacts.get_at(put[0])
    assert bench.work.prune() == 1
    with pytest.raises(NotFound):
        bench.artifacts.get_at(put[0])


def test_an_answer_that_is_replaced_or_too_old_is_deleted(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pump_party.db.backtests_answers.ANSWERS_PER_USER_MAX", 2)
    store = AnswerStore(bench.database)

    def keep(key: str, words: bytes, at_ms: int) -> str:
        place = sha256(words).hexdigest()
        bench.artifacts.put(place, words)
        fields = {"model": "m", "context_sha256": "", "prompt_sha256": "", "template": "", "failure": None}
        counts = {"tokens_in": 1, "tokens_out": 1, "cost_micros": None, "price_table": None}
        store.keep(ALICE, [AnswerRow(answer_key=key, place=place, at_ms=at_ms, **fields, **counts)])  # type: ignore[arg-type]
        return place

    first, again = keep("a", b"first", 1), keep("a", b"again", 2)
    assert bench.store.gone(limit=9) == [first]
    keep("a", b"again", 3)
    keep("b", b"other", 4)
    assert bench.store.gone(limit=9) == [first]
    keep("c", b"third", 5)
    assert bench.work.prune() == 2
    for place in (first, again):
        with pytest.raises(NotFound):
            bench.artifacts.get(place)
    assert bench.artifacts.get(sha256(b"other").hexdigest())
