"""The leaderboard and the latest decisions over HTTP: who is on them, and what nobody is told."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest
from tests.apps.api.stage import SOL, Api, Person
from tests.domains.clones.strategies import sound

from pump_party.apps.api.schemas.boards import Leaderboard, LeaderboardItem
from pump_party.domains.prop_engine.boards import BOARD_KEPT_MS

BOARD = "/v1/leaderboards/practice?limit=200"
BUY = {"market": SOL, "side": "buy", "quantity": "2"}
OPENING = {"run_key": "first", "proposals": [{"market": SOL, "action": "open", "side": "long", "share": "0.1"}]}
SECRETS = ("reason", "detail", "stop_price", "confidence", "account_id", "user_id", "sha256", "context")


@pytest.fixture
def trader(api: Api, person: Person) -> Person:
    """Somebody whose practice account has filled and was marked."""
    api.set_price(150)
    person.post(f"/v1/accounts/{person.open_account()}/orders", BUY)
    api.services.prop.mark_accounts()
    return person


def deciding_clone(api: Api, person: Person, name: str | None = None) -> str:
    """A clone that has decided to buy."""
    api.set_price(150)
    clone_id = person.published_clone(sound(), name)
    assert person.post(f"/v1/clones/{clone_id}/deployment", {}).status_code == 201
    decided = person.post(f"/v1/clones/{clone_id}/actions", OPENING)
    assert decided.status_code == 201, decided.text
    return clone_id


def trading_clone(api: Api, person: Person, name: str | None = None) -> str:
    """A clone whose account has filled and was marked."""
    clone_id = deciding_clone(api, person, name)
    told(
        lambda: (api.services.prop.take_ticks([api.set_price(150)]), person.get(f"/v1/clones/{clone_id}/fills"))[1],
        lambda fills: len(fills["items"]) == 1,
    )
    api.services.prop.mark_accounts()
    return clone_id


def told(ask: Callable[[], Any], has: Callable[[Any], bool]) -> Any:
    """What is answered once boards that were ranked before are kept no longer."""
    until = monotonic() + 3 * BOARD_KEPT_MS / 1_000
    while not has(answer := ask().json()) and monotonic() < until:
        sleep(0.1)
    assert has(answer), answer
    return answer


def clones_of(board: Any) -> list[str]:
    return [item["clone"]["clone_id"] for item in board["items"] if item["trader"] == "clone"]


def test_a_board_has_people_and_clones_and_says_which_is_which(api: Api, trader: Person):
    clone_id = trading_clone(api, trader, "Steady hand")
    board = told(lambda: trader.get(BOARD), lambda b: clone_id in clones_of(b))
    assert set(board) == set(Leaderboard.__struct_fields__)
    own = next(item for item in board["items"] if item["clone"] and item["clone"]["clone_id"] == clone_id)
    assert set(own) == set(LeaderboardItem.__struct_fields__)
    assert (own["display_name"], own["clone"]["name"], own["account_id"]) == ("Steady hand", "Steady hand", None)
    assert (own["mine"], own["fills"], own["marks"] > 0) == (True, 1, True)
    person = next(item for item in board["items"] if item["mine"] and item["trader"] == "person")
    assert (person["clone"], person["account_id"] is None) == (None, False)
    assert (board["window"], board["metric"], board["traders"], board["from_ms"]) == ("cycle", "return", "all", None)
    assert (board["complete"], board["compared_ms"] % 86_400_000) == (True, 0)
    assert board["ranked"] == len(board["items"])


def test_one_asks_for_people_or_clones_alone_and_ranks_are_counted_among_them(api: Api, trader: Person):
    clone_id = trading_clone(api, trader)
    clones = told(lambda: api.client.get(f"{BOARD}&traders=clones"), lambda b: clone_id in clones_of(b))
    people = told(lambda: api.client.get(f"{BOARD}&traders=people"), lambda b: b["items"])
    assert {item["trader"] for item in clones["items"]} == {"clone"}
    assert {item["trader"] for item in people["items"]} == {"person"}
    assert clones["items"][0]["rank"] == people["items"][0]["rank"] == 1


def test_which_account_a_clone_trades_is_nowhere_on_a_board(api: Api, person: Person):
    clone_id = trading_clone(api, person)
    account_id = person.get(f"/v1/clones/{clone_id}/account").json()["account_id"]
    told(lambda: person.get(BOARD), lambda b: clone_id in clones_of(b))
    assert account_id not in person.get(BOARD).text
    assert person.user_id not in person.get(BOARD).text


def test_a_clone_without_a_deployment_or_with_one_that_was_stopped_is_on_no_board(api: Api, person: Person):
    draft, published, stopped = person.clone(), person.published_clone(sound()), trading_clone(api, person)
    told(lambda: api.client.get(BOARD), lambda b: stopped in clones_of(b))
    assert person.post(f"/v1/clones/{stopped}/deployment/pause").status_code == 200
    assert stopped in clones_of(api.client.get(BOARD).json())
    assert person.post(f"/v1/clones/{stopped}/deployment/stop").status_code == 200
    text = api.client.get(BOARD).text
    assert [clone_id for clone_id in (draft, published, stopped) if clone_id in text] == []


def test_the_name_of_a_hidden_clone_is_on_no_board_and_in_no_list(api: Api, person: Person):
    clone_id = trading_clone(api, person, "Rude name")
    api.services.clones.hide(clone_id, operator="op", reason="rude")
    board = told(lambda: api.client.get(BOARD), lambda b: clone_id in clones_of(b))
    latest = api.client.get("/v1/decisions")
    assert "Rude name" not in str(board) + latest.text
    assert f"Hidden clone {clone_id[-4:]}" in latest.text


def test_one_finds_oneself_also_beyond_the_rows_and_else_is_told_why_not(api: Api, trader: Person):
    for _ in range(2):
        other = api.sign_in()
        other.post(f"/v1/accounts/{other.open_account()}/orders", BUY | {"quantity": "1"})
    api.services.prop.mark_accounts()
    path = "/v1/leaderboards/practice?limit=1&traders=people"
    board = told(lambda: trader.get(path), lambda b: b["me"] is not None and b["me"]["rank"] > 1)
    assert (board["me"]["mine"], len(board["items"]), board["me_absent"]) == (True, 1, None)
    assert board["me"] in board["around"]
    assert board["ranked"] >= board["me"]["rank"]
    stranger, nobody = (one.get(path).json() for one in (api.sign_in(), api.client))
    assert (stranger["me"], stranger["me_absent"], stranger["around"]) == (None, "nothing_ranked", [])
    assert (nobody["me"], nobody["me_absent"]) == (None, "signed_out")


def test_windows_and_metrics_are_named_and_an_unknown_one_is_refused(api: Api, trader: Person):
    for window in ("today", "7d", "30d"):
        board = told(lambda w=window: trader.get(f"{BOARD}&window={w}"), lambda b: b["me"] is not None)
        assert (board["window"], board["from_ms"] % 86_400_000) == (window, 0)
        assert (board["compared_ms"] is None) == (window == "today")
    assert trader.get(f"{BOARD}&metric=drawdown").json()["metric"] == "drawdown"
    for wrong in ("window=1d", "metric=luck", "traders=bots", "limit=0"):
        answer = api.client.get(f"/v1/leaderboards/practice?{wrong}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_value")


def test_the_latest_decisions_of_all_clones_are_public_and_tell_nothing_private(api: Api, person: Person):
    clone_ids = [deciding_clone(api, person) for _ in range(3)]
    page = api.client.get("/v1/decisions?limit=2").json()
    assert [item["clone"]["clone_id"] for item in page["items"]] == clone_ids[:0:-1]
    assert {item["decision"]["form"] for item in page["items"]} == {"public"}
    older = api.client.get(f"/v1/decisions?limit=1&cursor={page['next_cursor']}").json()
    assert older["items"][0]["clone"]["clone_id"] == clone_ids[0]
    own = person.get("/v1/decisions?limit=2")
    assert own.json() == page, "also its owner is shown the public form here"
    assert [word for word in SECRETS if word in own.text] == []
    assert api.client.get("/v1/decisions?cursor=1").json()["code"] == "bad_cursor"
