"""Pages of clones: one that asks a language model, live; decided again; shown to everybody; revealed and checked."""

import itertools
import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.e2e.extensions import EvmExtension, SolanaExtension
from tests.e2e.models import BOLD, CALM, Models
from tests.e2e.people import Meet, Person

pytestmark = pytest.mark.browser

PHONE = (360, 740)
SLOT_MS = 90_000
"""A cadence of one minute, and patience."""

PAUSED_WITHIN_S = 10

WORDS = "Buy what rises.\nBe calm about it."

_names = (f"Paper Moon {number}" for number in itertools.count(1))


def strategy(decider: dict[str, Any], *, model: str | None = None, cadence_s: int = 60) -> dict[str, Any]:
    """One market, one block that decides."""
    limits = {"cadence_s": cadence_s, "max_leverage": 1, "max_position_ppm": 900_000, "model": model}
    chain = ("stream", "markets", "decider", "clone")
    return {
        "schema": "strategy/1",
        "nodes": [
            {"kind": "data_stream", "id": "stream", "interval": "1m", "candles": 5, "features": []},
            {"kind": "asset", "id": "markets", "markets": ["SOL-USDC"]},
            decider | {"id": "decider"},
            {"kind": "trading_clone", "id": "clone"} | limits,
        ],
        "edges": [{"source": source, "target": target} for source, target in itertools.pairwise(chain)],
    }


def asking(**more: Any) -> dict[str, Any]:
    return strategy({"kind": "trading_prompt", "text": WORDS}, model=CALM, **more)


def resting() -> dict[str, Any]:
    hold = {"when": {"kind": "always"}, "then": {"kind": "hold"}}
    return strategy({"kind": "rule", "clauses": [hold]}, cadence_s=14_400)


def make(person: Person, drawn: dict[str, Any], *, published: bool) -> tuple[str, str]:
    """A clone of theirs, made beside the browser. Returns its id and name."""
    client, name = person.client(), next(_names)
    status, clone = client.request("POST", "/v1/clones", {"name": name}, key=f"clone-{name.split()[-1]}")
    assert status == 201, clone
    path = f"/v1/clones/{clone['clone_id']}"
    if published:
        body = {"strategy": drawn, "layout": {}, "base_version": None}
        status, version = client.request("POST", f"{path}/versions", body, key=f"version-{name.split()[-1]}")
        assert status == 201, version
    else:
        draft = {"strategy": drawn, "layout": {}, "base_version": None, "revision": clone["draft_revision"]}
        status, saved = client.request("PUT", f"{path}/draft", draft)
        assert status == 200, saved
    return clone["clone_id"], name


def sign_in(person: Person, extension: SolanaExtension | EvmExtension, path: str = "/studio") -> None:
    person.open(path)
    person.sign_in(extension)
    expect(person.see("connection-state")).to_have_attribute("data-state", "live")


def rehearse(person: Person) -> None:
    """One decision without trading: what the model was shown, what it was asked, what it said, what the gates say."""
    person.see("dry-run").click()
    result = person.see("dry-run-result")
    expect(result).to_contain_text("Long 25% SOL/USDC")
    expect(result).to_contain_text("calm likes the trend")
    expect(result).to_contain_text("Allowed by the gates")
    expect(result.get_by_test_id("run-usage")).to_contain_text("cost unknown")
    for name, said in (("context", "context/1"), ("prompt", "Be calm about it."), ("answer", "calm likes the trend")):
        evidence = result.get_by_test_id(f"evidence-{name}")
        evidence.locator("summary").click()
        expect(evidence.locator("pre")).to_contain_text(said)


def let_it_trade(person: Person) -> None:
    person.see("publish").click()
    person.see("confirm-publish").click()
    expect(person.see("published")).to_have_text("version 1")
    person.see("tab-trade").click()
    # Far enough from a slot to be paused before it.
    left_s = 60 - time.time() % 60
    person.page.wait_for_timeout(left_s * 1_000 if left_s < PAUSED_WITHIN_S else 0)
    person.see("let-it-trade").click()
    expect(person.see("deployment-state")).to_have_attribute("data-state", "running")


def expect_deployment(person: Person, pressed: str, state: str) -> None:
    person.see(pressed).click()
    expect(person.see("deployment-state")).to_have_attribute("data-state", state)


def play_what_is_recorded(person: Person) -> None:
    """A backtest that may ask nobody counts the answers it would have needed."""
    person.see("tab-backtest").click()
    person.see("tape").select_option("synthetic")
    person.page.get_by_role("radio", name="1 day").click()
    expect(person.see("models-recorded")).to_have_attribute("data-state", "on")
    person.see("start-backtest").click()
    expect(person.see("backtest-row")).to_have_attribute("data-state", "done", timeout=SLOT_MS)
    expect(person.see("answers-missing")).to_have_text(re.compile(r"1,4\d\d"))
    person.see("tab-trade").click()


def stop(person: Person) -> None:
    person.see("stop").click()
    expect_deployment(person, "confirm-stop", "stopped")
    expect(person.see("let-it-trade")).to_be_visible()


def lose_the_connection_and_find_it(person: Person) -> None:
    """The page asks while nobody tells it, and is told again afterwards."""
    person.expect_problem("ERR_INTERNET_DISCONNECTED")
    page = person.see("clone-page")
    expect(page).to_have_attribute("data-live", "true")
    person.context.set_offline(True)
    expect(page).to_have_attribute("data-live", "false")
    person.context.set_offline(False)
    expect(page).to_have_attribute("data-live", "true")


def decide_again(person: Person, other: str) -> None:
    """The same context by a bolder model, by a rule that holds, and by a version of another clone, which holds, too."""
    person.see("replay").first.click()
    person.see("instead-model-name").fill(BOLD)
    person.see("decide-again").click()
    expect(person.see("replay-then")).to_contain_text("Long 25% SOL/USDC")
    expect(person.see("replay-again")).to_contain_text("Long 80% SOL/USDC")
    expect(person.see("replay-again")).to_contain_text("bold likes the trend")
    expect(person.see("pnl-again")).to_contain_text("Would have made until")
    person.see("instead-rule").click()
    person.see("instead-rule-name").select_option("hold")
    person.see("decide-again").click()
    expect(person.see("replay-again")).to_contain_text("Hold SOL/USDC")
    person.see("instead-version").click()
    expect(person.see("version-number")).to_have_value("1")
    person.see("decide-again").click()
    expect(person.see("replay-again")).to_contain_text("calm likes the trend")
    person.see("version-clone").select_option(other)
    person.see("decide-again").click()
    expect(person.see("replay-again")).to_contain_text("Hold SOL/USDC")
    person.page.keyboard.press("Escape")
    expect(person.see("replay-result")).to_have_count(0)


def resume_elsewhere(person: Person, clone_id: str) -> None:
    """What another tab or a program does to the clone is told."""
    expect(person.see("clone-trading")).to_have_attribute("data-state", "paused")
    assert person.client().request("POST", f"/v1/clones/{clone_id}/deployment/resume")[0] == 200
    expect(person.see("clone-trading")).to_have_attribute("data-state", "running")
    assert "clone_deployment" in {frame["type"] for frame in person.frames}


def test_a_clone_with_a_model_is_rehearsed_decides_live_and_its_decision_is_made_again(
    meet: Meet, models: Models, solana: SolanaExtension
):
    person = meet(solana)
    sign_in(person, solana)
    assert person.product.get("/v1/models")["items"] == [CALM, BOLD]
    other, _ = make(person, resting(), published=True)
    clone_id, _ = make(person, asking(), published=False)
    person.open(f"/studio/{clone_id}")
    rehearse(person)
    assert "Be calm about it." in str(models.asked[-1].body["messages"])
    let_it_trade(person)
    expect_deployment(person, "pause", "paused")
    play_what_is_recorded(person)

    person.see("its-decisions").click()
    lose_the_connection_and_find_it(person)
    resume_elsewhere(person, clone_id)
    person.page.wait_for_load_state("networkidle")
    asked: list[str] = []
    told = len(person.frames)
    person.page.on("request", lambda request: asked.append(request.url))
    expect(person.see("decision").first).to_contain_text("Long 25% SOL/USDC", timeout=SLOT_MS)
    expect(person.see("clone-fill")).to_contain_text("Bought")
    expect(person.see("clone-equity").locator("canvas").first).to_be_visible()
    assert {"clone_decision", "clone_fill", "clone_equity"} <= {frame["type"] for frame in person.frames}
    assert not [url for url in asked if "/fills" in url]
    # No frame has reasons: the owner's page asks for them, once a decision.
    decided = [frame for frame in person.frames[told:] if frame["type"] == "clone_decision"]
    assert len([url for url in asked if "/decisions?" in url]) <= len(decided)
    visitor = meet()
    visitor.open(f"/clones/{clone_id}")
    expect(visitor.see("clone-fill")).to_contain_text("Bought")

    person.see("decision-details").first.click()
    expect(person.see("own-reasoning")).to_have_text("calm likes the trend")
    expect(person.see("own-fill")).to_contain_text("Bought")
    expect(person.see("run-usage")).to_contain_text("cost unknown")
    expect(person.see("usage-unknown")).to_contain_text("not known")
    decide_again(person, other)
    person.page.get_by_role("link", name="Open in the studio").click()
    person.see("tab-trade").click()
    expect_deployment(person, "pause", "paused")
    expect_deployment(person, "resume", "running")
    stop(person)


def test_a_clone_that_never_traded_is_listed_and_asks_the_server_for_nothing_that_is_not_there(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    sign_in(person, solana)
    clone_id, name = make(person, resting(), published=True)
    visitor = meet(size=PHONE)
    visitor.open("/clones")
    card = visitor.see("clone-card").filter(has_text=name)
    expect(card).to_contain_text("never let trade")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    failed: list[str] = []
    visitor.page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    card.get_by_role("link").click()
    expect(visitor.see("clone-title")).to_have_text(name)
    expect(visitor.see("untraded")).to_contain_text("It has not traded yet.")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert failed == []

    person.open(f"/clones/{clone_id}")
    person.see("edit-profile").click()
    person.see("profile-bio").fill("Rests, and says so.")
    person.page.keyboard.press("Tab")
    person.see("save-profile").press("Enter")
    expect(person.see("save-profile")).to_have_count(0)
    expect(person.page.get_by_text("Rests, and says so.")).to_be_visible()


def test_a_revealed_strategy_is_checked_by_the_browser_of_whoever_looks(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    sign_in(person, solana)
    clone_id, _ = make(person, resting(), published=True)
    visitor = meet()
    visitor.open(f"/clones/{clone_id}")
    visitor.see("commitments").locator("summary").click()
    expect(visitor.see("commitment")).to_contain_text("private")
    expect(visitor.see("verify")).to_have_count(0)

    person.open(f"/studio/{clone_id}")
    person.see("tab-versions").click()
    person.see("reveal").click()
    person.see("confirm-reveal").click()
    expect(person.see("version-row")).to_have_attribute("data-revealed", "true")

    visitor.page.reload()
    visitor.see("commitments").locator("summary").first.click()
    visitor.see("verify").click()
    expect(visitor.see("verified")).to_have_attribute("data-ok", "true")
    visitor.see("evidence-strategy").locator("summary").click()
    expect(visitor.see("evidence-strategy")).to_contain_text('"kind": "hold"')
