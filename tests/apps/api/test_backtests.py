"""Backtests over HTTP: asked for from a browser with nothing recorded, followed, read, compared, cancelled."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.apps.api.stage import Api, Person
from tests.domains.aitrading.worlds import prompt_strategy
from tests.domains.backtests.tapes import MINUTE_MS, START_MS, crossing, walk

from pump_party.domains.clones.contract import canonical

MINUTES = 240
STRATEGY = msgspec.json.decode(canonical(crossing()))
BODY = {"strategy": STRATEGY, "tape": "walk", "name": "Crossing"}


@pytest.fixture(autouse=True)
def tape(api: Api) -> None:
    """A recording in the folder of tapes."""
    folder = Path(api.services.settings.data_dir) / "tapes" / "walk"
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["date,open,high,low,close,volume"]
    for c in walk(MINUTES):
        at = datetime.fromtimestamp(c.open_ms // 1000, UTC).isoformat()
        prices = (f"{e8 // 10**8}.{e8 % 10**8:08}" for e8 in (c.open_e8, c.high_e8, c.low_e8, c.close_e8))
        rows.append(",".join([at, *prices, "1"]))
    (folder / "SOL-USDC-1m.csv").write_text("\n".join(rows) + "\n")


def start(person: Person, body: dict[str, object] = BODY) -> str:
    answer = person.post("/v1/backtests", body)
    assert answer.status_code == 202, answer.text
    backtest_id: str = answer.json()["backtest_id"]
    return backtest_id


def work_off(api: Api) -> None:
    while (job := api.services.backtest_work.next_job()) is not None:
        api.services.backtest_work.work_off(job, lambda: False)


def test_tapes_are_the_recordings_and_a_made_up_month_that_says_so(person: Person):
    tapes = {tape["name"]: tape for tape in person.get("/v1/tapes").json()["items"]}
    assert set(tapes) == {"walk", "synthetic"}
    assert {m["market"] for m in tapes["walk"]["markets"]} >= {"SOL-USDC", "SOL-PERP"}
    assert {m["to_ms"] - m["from_ms"] for m in tapes["walk"]["markets"]} == {MINUTES * MINUTE_MS}
    assert (tapes["walk"]["feed"], tapes["synthetic"]["feed"]) == ("tape", "synthetic")
    assert {m["to_ms"] - m["from_ms"] for m in tapes["synthetic"]["markets"]} == {30 * 86_400_000}


def test_a_backtest_is_followed_from_the_queue_to_its_page(api: Api, person: Person):
    first, second = start(person), start(person, BODY | {"name": "Again"})
    waiting = person.get(f"/v1/backtests/{first}").json()
    assert (waiting["state"], waiting["minutes"], waiting["name"]) == ("waiting", MINUTES, "Crossing")
    assert (waiting["from_ms"], waiting["feed"], waiting["summary"]) == (START_MS, "tape", None)
    work_off(api)

    newest, oldest = person.get("/v1/backtests").json()["items"]
    assert (newest["backtest_id"], oldest["backtest_id"]) == (second, first)
    assert {newest["state"], oldest["state"]} == {"done"}
    assert newest["result_hash"] == oldest["result_hash"]

    result = person.get(f"/v1/backtests/{first}/result").json()
    assert result["results"]["fills"] == oldest["summary"]["fills"] > 10
    assert result["results"]["equity"] == oldest["summary"]["equity"]
    times = [[mark["at_ms"] for mark in curve] for curve in (result["results"]["curve"], result["holding"])]
    assert times[0] == times[1] != []
    assert sum(count["count"] for count in result["decisions"]) == MINUTES - 1

    decisions = person.get(f"/v1/backtests/{first}/decisions", params={"limit": 10}).json()
    assert len(decisions["items"]) == 10
    opened = next(row for row in decisions["items"] if row["action"] == "open")
    assert (opened["market"], opened["side"], opened["share"]) == ("SOL-USDC", "long", "0.3")
    following = person.get(f"/v1/backtests/{first}/decisions", params={"cursor": decisions["next_cursor"]})
    assert following.json()["items"][0]["slot_ms"] > decisions["items"][-1]["slot_ms"]

    compared = person.get("/v1/backtests/compare", params={"ids": f"{second},{first}"}).json()
    assert [item["backtest"]["name"] for item in compared["items"]] == ["Again", "Crossing"]
    both = person.get("/v1/backtests/compare/page", params={"ids": f"{second},{first}"})
    assert both.headers["content-type"].startswith("text/html"), both.text
    chart = both.text.split("<h2>")[1]
    assert [f"<title>{name}</title>" in chart for name in ("Again", "Crossing", "held without costs")] == [True] * 3
    assert chart.count("<polyline") == 3

    page = person.get(f"/v1/backtests/{first}/page")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-disposition"].startswith("attachment")
    assert "Crossing" in page.text
    assert "<script" not in page.text


def test_a_cancelled_one_is_ended_and_has_no_result(person: Person):
    backtest_id = start(person)
    assert person.delete(f"/v1/backtests/{backtest_id}").json()["state"] == "cancelled"
    answer = person.get(f"/v1/backtests/{backtest_id}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "backtest_not_done")


def test_asking_twice_with_one_key_asks_once(person: Person):
    first, again = (person.post("/v1/backtests", BODY, key="once") for _ in range(2))
    assert first.json() == again.json()
    other = person.post("/v1/backtests", BODY | {"name": "Other"}, key="once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_a_version_of_a_clone_is_played_and_a_strangers_is_not(api: Api, person: Person):
    clone_id = person.published_clone(STRATEGY, "Crossed Lines")
    answer = person.post("/v1/backtests", {"clone_id": clone_id, "tape": "walk"})
    assert (answer.json()["name"], answer.json()["version"]) == ("Crossed Lines v1", 1)
    refused = api.sign_in().post("/v1/backtests", {"clone_id": clone_id, "tape": "walk"})
    assert (refused.status_code, refused.json()["code"]) == (404, "clone_not_found")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"tape": "../../etc"}, "tape_not_found", "tape"),
        ({"from_ms": START_MS + MINUTES * MINUTE_MS}, "no_common_time", "from_ms"),
        ({"rule_set": "none"}, "rule_set_unknown", "rule_set"),
        ({"name": ""}, "bad_name", "name"),
        ({"speed": 5}, "unknown_field", "speed"),
    ],
)
def test_what_cannot_be_played_is_refused_with_its_field(person: Person, changes, code, field):
    answer = person.post("/v1/backtests", BODY | changes)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


def test_a_strategy_with_problems_is_answered_with_all_of_them(person: Person):
    answer = person.post("/v1/backtests", BODY | {"strategy": {"schema": "strategy/1", "nodes": [], "edges": []}})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_strategy")
    assert answer.json()["problems"]


def test_a_backtest_with_prompts_goes_by_kept_answers_and_says_what_is_missing(api: Api, person: Person):
    strategy = msgspec.json.decode(canonical(prompt_strategy("Buy low.", candles=2)))
    backtest_id = start(person, BODY | {"strategy": strategy})
    work_off(api)
    done = person.get(f"/v1/backtests/{backtest_id}").json()
    assert (done["state"], done["use_models"], done["asked"]) == ("done", "recorded", None)
    assert done["summary"]["models"] == {
        "questions": 3,
        "missing": 3,
        "failed": 0,
        "tokens_in": 0,
        "tokens_out": 0,
        "cost": "0",
        "unpriced": 0,
    }
    result = person.get(f"/v1/backtests/{backtest_id}/result").json()
    assert result["decisions"] == [{"code": "answer_missing", "count": 3}]
    refused = person.post("/v1/backtests", BODY | {"strategy": strategy, "use_models": "ask"})
    assert (refused.status_code, refused.json()["code"]) == (422, "model_not_offered")
    wrong = person.post("/v1/backtests", BODY | {"strategy": strategy, "use_models": "maybe"})
    assert wrong.status_code == 422
