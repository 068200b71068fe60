"""Clones over HTTP: what their owner does with them, what everybody else sees, what is refused and how."""

import hashlib
import json

import pytest
from tests.apps.api.stage import Api, Person
from tests.domains.clones.strategies import compare, feature, number, prompt, rule, sound

from pump_party.apps.api.bodies import JSON_DEPTH_MAX
from pump_party.apps.api.schemas.clones import Clone, OwnClone
from pump_party.domains.clones.rule import CONDITION_DEPTH_MAX

STRATEGY = sound()
PUBLISHED = {"strategy": STRATEGY, "layout": {"rule": [10, 20]}, "base_version": None}


def test_a_new_clone_is_its_owners_and_everybody_sees_its_public_side(api: Api, person: Person):
    made = person.post("/v1/clones", {"name": "Night Owl", "bio": "Trades late."})
    assert made.status_code == 201
    clone_id = made.json()["clone_id"]
    assert [item["clone_id"] for item in person.get("/v1/clones").json()["items"]] == [clone_id]
    assert person.get(f"/v1/clones/{clone_id}/private").json() == made.json()

    seen = api.client.get(f"/v1/clones/{clone_id}").json()
    assert (seen["name"], seen["bio"], seen["status"], seen["version"]) == ("Night Owl", "Trades late.", "draft", None)
    assert set(seen) == set(Clone.__struct_fields__)
    assert set(Clone.__struct_fields__).isdisjoint({"hidden_reason", "version_id", "draft_revision", "user_id"})
    assert set(made.json()) == set(OwnClone.__struct_fields__)


def test_making_a_clone_twice_with_one_key_makes_it_once(person: Person):
    body = {"name": "Only Once"}
    first, again = (person.post("/v1/clones", body, key="once") for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    other = person.post("/v1/clones", {"name": "Only Twice"}, key="once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"name": "no"}, "bad_name", "name"),
        ({"name": "ring\u0007ring"}, "bad_name", "name"),
        ({"name": "Fine Name", "bio": "hidden\u202etext"}, "bad_bio", "bio"),
        ({"name": "Fine Name", "owner": "me"}, "unknown_field", "owner"),
        ({}, "missing_field", "name"),
    ],
)
def test_a_name_or_bio_that_may_not_be_is_refused_with_its_field(person: Person, body, code, field):
    answer = person.post("/v1/clones", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


def test_a_name_is_taken_whoever_asks(api: Api, person: Person):
    person.clone("Lone Wolf")
    answer = api.sign_in().post("/v1/clones", {"name": "L0NE WOLF"})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_a_profile_changes_field_by_field(person: Person):
    clone_id = person.clone("Before Noon", bio="Early.")
    assert person.patch(f"/v1/clones/{clone_id}", {"name": "After Noon"}).json()["bio"] == "Early."
    changed = person.patch(f"/v1/clones/{clone_id}", {"bio": ""}).json()
    assert (changed["name"], changed["bio"]) == ("After Noon", "")


def test_the_directory_lists_published_clones_page_by_page(api: Api, person: Person):
    unpublished = person.clone()
    published = [person.published_clone(STRATEGY) for _ in range(3)]
    first = api.client.get("/v1/clones/directory?limit=2").json()
    second = api.client.get("/v1/clones/directory", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    found = [item["clone_id"] for item in first["items"] + second["items"]]
    assert found[:3] == published[::-1]
    assert unpublished not in found
    bad = api.client.get("/v1/clones/directory?cursor=nonsense")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")


def test_an_avatar_is_a_picture_and_stays_the_same(api: Api, person: Person):
    path = f"/v1/clones/{person.clone()}/avatar.svg"
    drawn = api.client.get(path)
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert drawn.text.startswith("<svg")
    assert api.client.get(path).text == drawn.text != api.client.get(f"{path}?mood=asleep").text


def test_a_reported_name_reaches_operators(api: Api, person: Person):
    clone_id = person.clone("Bad Impostor")
    assert api.sign_in().post(f"/v1/clones/{clone_id}/reports", {"reason": "Not who it says."}).status_code == 204
    reported = {view.clone_id: view.reason for view in api.services.clones.reported(limit=10)}
    assert reported[clone_id] == "Not who it says."


def test_a_hidden_clone_shows_neither_name_nor_bio_to_others(api: Api, person: Person):
    clone_id = person.clone("Rude Words", bio="Worse words.")
    api.services.clones.hide(clone_id, operator="alice", reason="rude")
    seen = api.client.get(f"/v1/clones/{clone_id}").text
    assert "Rude" not in seen
    assert "Worse" not in seen
    assert person.get(f"/v1/clones/{clone_id}/private").json()["hidden_reason"] == "rude"


# --- drafts and versions ------------------------------------------------------------------------


def test_a_draft_comes_back_as_it_was_saved_finished_or_not(person: Person):
    clone_id = person.clone()
    path = f"/v1/clones/{clone_id}/draft"
    assert person.get(path).json() == {
        "strategy": None, "layout": {}, "base_version": None, "revision": 0, "saved_ms": None,
    }  # fmt: skip
    unfinished = {**STRATEGY, "nodes": STRATEGY["nodes"][:2], "edges": []}
    saved = person.put(path, {"strategy": unfinished, "layout": {"rule": [1, -2]}, "base_version": None, "revision": 0})
    assert (saved.status_code, saved.json()["revision"]) == (200, 1)
    read = person.get(path).json()
    assert (read["strategy"], read["layout"]) == (unfinished, {"rule": [1, -2]})


def test_a_draft_saved_in_two_places_is_refused_in_the_second(person: Person):
    path = f"/v1/clones/{person.clone()}/draft"
    body = {"strategy": STRATEGY, "layout": {}, "base_version": None, "revision": 0}
    assert person.put(path, body).status_code == 200
    second = person.put(path, body)
    assert (second.status_code, second.json()["code"], second.json()["revision"]) == (409, "draft_conflict", 1)


def test_validation_names_every_problem_and_its_place(person: Person):
    broken = sound(decider=rule(id="rule"), max_leverage=99)
    broken["nodes"][1]["markets"] = ["NO-SUCH"]
    found = person.post("/v1/strategies/validate", {"strategy": broken}).json()["problems"]
    assert {(one["node_id"], one["path"].split(".")[0]) for one in found} >= {
        ("assets", "nodes[1]"),
        ("clone", "nodes[3]"),
    }
    assert person.post("/v1/strategies/validate", {"strategy": STRATEGY}).json() == {"problems": []}


def test_publishing_makes_a_version_and_the_commitment_is_everybodys(api: Api, person: Person):
    clone_id = person.clone()
    made = person.post(f"/v1/clones/{clone_id}/versions", PUBLISHED, key="publish")
    assert made.status_code == 201
    version = made.json()
    assert (version["number"], version["layout"]) == (1, {"rule": [10, 20]})
    assert person.post(f"/v1/clones/{clone_id}/versions", PUBLISHED, key="publish").json() == version
    assert person.get(f"/v1/clones/{clone_id}/versions/1").json() == version
    assert [one["number"] for one in person.get(f"/v1/clones/{clone_id}/versions").json()["items"]] == [1]

    seen = api.client.get(f"/v1/clones/{clone_id}/commitments")
    assert [one["commitment"] for one in seen.json()["items"]] == [version["commitment"]]
    assert version["salt"] not in seen.text
    assert version["sha256"] not in seen.text


def test_publishing_over_a_newer_version_says_what_would_change(person: Person):
    clone_id = person.published_clone(STRATEGY)
    newer = {"strategy": sound(max_leverage=3), "layout": {}, "base_version": 1}
    assert person.post(f"/v1/clones/{clone_id}/versions", newer).status_code == 201
    behind = person.post(
        f"/v1/clones/{clone_id}/versions", {"strategy": sound(max_leverage=5), "layout": {}, "base_version": 1}
    )
    problem = behind.json()
    assert (behind.status_code, problem["code"], problem["field"]) == (409, "version_conflict", "base_version")
    assert problem["current"]["number"] == 2
    change = {"path": "max_leverage", "before": 3, "after": 5}
    assert problem["diff"]["nodes"] == [
        {"node_id": "clone", "kind": "trading_clone", "change": "changed", "fields": [change]}
    ]


def test_a_strategy_with_problems_is_not_published_and_all_are_told(person: Person):
    body = PUBLISHED | {"strategy": sound(cadence_s=7, max_leverage=99)}
    refused = person.post(f"/v1/clones/{person.clone()}/versions", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_strategy")
    assert len(refused.json()["problems"]) == 2


def test_versions_are_compared_and_restored(person: Person):
    clone_id = person.published_clone(STRATEGY)
    body = {"strategy": sound(max_leverage=4), "layout": {}, "base_version": 1}
    person.post(f"/v1/clones/{clone_id}/versions", body)
    diff = person.get(f"/v1/clones/{clone_id}/versions/1/diff/2").json()
    assert [one["path"] for one in diff["nodes"][0]["fields"]] == ["max_leverage"]
    revision = person.get(f"/v1/clones/{clone_id}/draft").json()["revision"]
    restored = person.post(f"/v1/clones/{clone_id}/versions/1/restore", {"revision": revision}).json()
    assert (restored["base_version"], restored["revision"]) == (2, revision + 1)
    assert restored["strategy"]["nodes"] != body["strategy"]["nodes"]


@pytest.mark.parametrize("number", ["0", "501", "99999999999999999999", "one"])
def test_a_version_that_cannot_be_is_refused(person: Person, number):
    answer = person.get(f"/v1/clones/{person.clone()}/versions/{number}")
    assert answer.status_code in (404, 422)


def test_a_revealed_version_proves_its_commitment(api: Api, person: Person):
    clone_id = person.published_clone(STRATEGY)
    path = f"/v1/clones/{clone_id}/commitments/1/revealed"
    hidden = api.client.get(path)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_revealed")
    person.post(f"/v1/clones/{clone_id}/versions/1/reveal")
    shown = api.client.get(path).json()
    digest = hashlib.sha256(shown["strategy"].encode()).digest()
    assert digest.hex() == shown["sha256"]
    assert hashlib.sha256(bytes.fromhex(shown["salt"]) + digest).hexdigest() == shown["commitment"]
    assert json.loads(shown["strategy"])["schema"] == "strategy/1"


def test_the_deepest_rule_there_may_be_fits_a_request(person: Person):
    condition = compare(feature(), "above", number("100"))
    for _ in range(CONDITION_DEPTH_MAX - 1):
        condition = {"kind": "all", "conditions": [condition, {"kind": "always"}]}
    strategy = sound(decider=rule({"when": condition, "then": {"kind": "close"}}))
    answer = person.post("/v1/strategies/validate", {"strategy": strategy})
    assert (answer.status_code, answer.json()) == (200, {"problems": []})
    assert JSON_DEPTH_MAX < 64


def test_a_prompt_of_the_longest_kind_fits_a_request(person: Person):
    strategy = sound(decider=prompt("é" * 8_000), model="openai:gpt-5")
    assert person.post("/v1/strategies/validate", {"strategy": strategy}).json() == {"problems": []}


def test_house_strategies_can_be_published_as_they_are(api: Api, person: Person):
    house = api.client.get("/v1/strategies/house").json()["items"]
    assert house[0]["name"] == "momentum"
    for one in house:
        assert person.post("/v1/strategies/validate", {"strategy": one["strategy"]}).json() == {"problems": []}


def test_the_schema_is_served(api: Api):
    schema = api.client.get("/v1/strategies/schema").json()
    assert schema["$id"] == "strategy/1"
