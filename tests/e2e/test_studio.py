"""Clones in the browser: drawn, played, published, trading, and seen by everybody without what is private."""

import itertools
import re

import pytest
from playwright.sync_api import Locator, Route, expect
from tests.e2e.extensions import EvmExtension, SolanaExtension
from tests.e2e.people import Meet, Person

pytestmark = pytest.mark.browser

PHONE = (360, 740)
TABS_MAX = 80
SLOT_MS = 150_000
"""A cadence of one minute, and patience."""

BACKTEST_MS = 120_000

SECRET = "canary_zebra"
"""The id of a block: part of the strategy, and named in the reasons of decisions."""

_names = (f"Night Ledger {number}" for number in itertools.count(1))


def create_clone(person: Person, *, house: str = "") -> str:
    """Make a clone at the studio, empty or from a house strategy. Returns its name."""
    person.see(f"start-{house}" if house else "create-clone").click()
    name = next(_names)
    person.see("clone-name").fill(name)
    person.see("confirm-create").click()
    expect(person.page).to_have_url(re.compile(r"/studio/[0-9a-f-]+$"))
    expect(person.page.get_by_role("heading", name=name)).to_be_visible()
    return name


def begin(person: Person, extension: SolanaExtension, *, house: str = "") -> str:
    person.open("/studio")
    person.sign_in(extension)
    return create_clone(person, house=house)


def clone_id(person: Person) -> str:
    return person.page.url.rsplit("/", 1)[-1]


def tab_to(person: Person, wanted: Locator) -> None:
    """Go there as a keyboard does, and no other way."""
    expect(wanted).to_be_visible()
    expect(wanted).to_be_enabled()
    for _ in range(TABS_MAX):
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
        person.page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {wanted}")


def press(person: Person, test_id: str, key: str = "Enter") -> None:
    tab_to(person, person.see(test_id))
    person.page.keyboard.press(key)


def choose(person: Person, test_id: str, typed: str) -> None:
    """An option of a list, by its first letters."""
    tab_to(person, person.see(test_id))
    person.page.keyboard.type(typed)


def select_block(person: Person, name: str) -> None:
    tab_to(person, person.page.locator(f".react-flow__node[data-id={name}]"))
    person.page.keyboard.press("Enter")
    expect(person.see("inspector")).to_have_attribute("data-node", name)


def connect(person: Person, source: str, target: str) -> None:
    select_block(person, source)
    choose(person, "connect-to", target)
    expect(person.see("connection").filter(has_text=f"{source} → {target}")).to_have_count(1)


def expect_saved(person: Person) -> None:
    expect(person.see("draft-state")).to_have_attribute("data-state", "saved")


def build_by_keyboard(person: Person) -> None:
    """Half of its equity in SOL, always: from nothing to a strategy without a problem, without a mouse."""
    press(person, "add-data_stream")
    press(person, "add-asset")
    press(person, "market-SOL-USDC", "Space")
    press(person, "add-rule")
    press(person, "add-clause")
    choose(person, "condition-kind", "always")
    press(person, "action-share", "Control+A")
    person.page.keyboard.type("50")
    press(person, "add-trading_clone")
    connect(person, "stream", "markets")
    connect(person, "markets", "rule")
    connect(person, "rule", "clone")
    press(person, "block-id", "Control+A")
    person.page.keyboard.type(SECRET)
    person.page.keyboard.press("Enter")
    expect(person.see("inspector")).to_have_attribute("data-node", SECRET)
    expect(person.see("problems")).to_have_attribute("data-state", "valid")


def publish(person: Person) -> None:
    person.see("publish").click()
    person.see("confirm-publish").click()
    expect(person.see("confirm-publish")).to_have_count(0)


def undo_a_removal(person: Person) -> None:
    """A removed block takes its edges with it, and undo brings back both."""
    edges = person.page.locator(".react-flow__edge")
    expect(edges).to_have_count(3)
    select_block(person, SECRET)
    person.page.keyboard.press("Delete")
    expect(edges).to_have_count(1)
    expect(person.see("problems")).to_have_attribute("data-state", "invalid")
    person.page.keyboard.press("Control+z")
    expect(edges).to_have_count(3)
    expect(person.see("problems")).to_have_attribute("data-state", "valid")


def play(person: Person) -> None:
    """Backtest the draft on the made-up tape."""
    person.see("tab-backtest").click()
    person.see("tape").select_option("synthetic")
    expect(person.see("tape").locator("option:checked")).to_contain_text("SYNTHETIC")
    person.see("start-backtest").click()
    expect(person.see("backtest-row").first).to_have_attribute("data-state", "done", timeout=BACKTEST_MS)
    expect(person.see("backtest-result")).to_be_visible()
    expect(person.see("backtest-chart").locator("canvas").first).to_be_visible()
    expect(person.see("backtest-decisions")).to_contain_text("Long 50% SOL/USDC")
    expect(person.see("result-hash")).to_have_text(re.compile("result [0-9a-f]{64}"))
    told = [frame for frame in person.frames if frame["type"] == "backtest_progress"]
    assert told[-1]["backtest"]["state"] == "done"


def compare_and_cancel(person: Person) -> None:
    """One more of the same minutes stands beside the first; one that waits for it is called off."""
    rows = person.see("backtest-row")
    person.see("start-backtest").click()
    expect(rows).to_have_count(2)
    person.page.get_by_role("radio", name="30 days").click()
    person.see("start-backtest").click()
    expect(rows).to_have_count(3)
    rows.first.get_by_test_id("cancel-backtest").click()
    expect(rows.first).to_have_attribute("data-state", "cancelled")
    expect(rows.nth(1)).to_have_attribute("data-state", "done", timeout=BACKTEST_MS)
    expect(rows.first.get_by_test_id("compare")).to_be_disabled()
    rows.nth(1).get_by_test_id("compare").check()
    rows.nth(2).get_by_test_id("compare").check()
    expect(person.see("comparison-chart")).to_have_attribute("data-lines", "2")
    expect(person.see("comparison-chart").locator("canvas").first).to_be_visible()
    expect(person.see("backtest-comparison").locator("tbody tr")).to_have_count(2)


def test_a_rule_clone_is_built_by_keyboard_played_published_and_trades_without_telling_its_strategy(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    name = begin(person, solana)
    build_by_keyboard(person)
    undo_a_removal(person)
    expect_saved(person)

    person.see("tab-dry").click()
    person.see("dry-run").click()
    expect(person.see("dry-run-result")).to_contain_text("Long 50% SOL/USDC")
    expect(person.see("dry-run-result")).to_contain_text("Allowed by the gates")

    publish(person)
    expect_saved(person)
    person.see("tab-trade").click()
    person.see("let-it-trade").click()
    expect(person.see("deployment-state")).to_have_attribute("data-state", "running")
    play(person)
    compare_and_cancel(person)
    person.see("tab-trade").click()
    person.see("its-decisions").click()
    expect(person.see("clone-trading")).to_have_attribute("data-state", "running")
    decision = person.see("decision").filter(has_text="Long 50% SOL/USDC").first
    expect(decision).to_be_visible(timeout=SLOT_MS)
    decision.get_by_test_id("decision-details").click()
    expect(decision.get_by_test_id("own-reasoning")).to_contain_text(SECRET)
    expect(decision.get_by_test_id("own-risk verdict")).to_contain_text("Allowed by the gates")
    expect(decision.get_by_test_id("own-fill")).to_contain_text("Bought")
    evidence = decision.get_by_test_id("evidence-context")
    evidence.locator("summary").click()
    expect(evidence.locator("pre")).to_contain_text("context/1")

    visitor = meet()
    told: list[str] = []
    visitor.page.on("response", lambda response: told.append(response.text()) if "/v1/" in response.url else None)
    visitor.open(f"/clones/{clone_id(person)}")
    expect(visitor.see("clone-title")).to_have_text(name)
    expect(visitor.see("decision").filter(has_text="Long 50% SOL/USDC").first).to_be_visible()
    expect(visitor.see("clone-equity").locator("canvas").first).to_be_visible()
    expect(visitor.see("decision-details")).to_have_count(0)
    assert any("decisions" in body for body in told)
    assert SECRET not in visitor.page.content()
    assert not [body for body in told if SECRET in body or '"reason"' in body]


def test_a_change_undone_while_it_is_being_saved_is_undone_on_the_server_too(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    begin(person, solana, house="momentum")
    expect_saved(person)
    held: list[Route] = []
    person.page.route(
        "**/v1/clones/*/draft", lambda route: held.append(route) if route.request.method == "PUT" else route.continue_()
    )
    select_block(person, "rule")
    with person.page.expect_request(lambda request: request.method == "PUT"):
        person.page.keyboard.press("Delete")
    person.page.keyboard.press("Control+z")
    expect(person.page.locator(".react-flow__edge")).to_have_count(3)
    held.pop(0).continue_()
    person.page.unroute("**/v1/clones/*/draft")
    expect_saved(person)
    person.page.evaluate(
        "indexedDB.databases().then((all) => all.forEach((one) => indexedDB.deleteDatabase(one.name)))"
    )
    person.page.reload()
    expect(person.page.locator(".react-flow__edge")).to_have_count(3)


def test_a_version_published_meanwhile_is_shown_as_a_difference_before_anything_is_lost(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.expect_problem("status of 409")
    begin(person, solana, house="momentum")
    publish(person)
    expect(person.see("published")).to_have_text("version 1")
    other = person.context.new_page()
    other.goto(person.page.url)
    other.locator(".react-flow__node[data-id=clone]").click()
    expect(other.get_by_test_id("cadence")).to_be_visible()

    person.page.locator(".react-flow__node[data-id=clone]").click()
    person.see("cadence").select_option("3600")
    expect_saved(person)
    publish(person)
    expect(person.see("published")).to_have_text("version 2")

    other.get_by_test_id("max-position").fill("95")
    expect(other.get_by_test_id("draft-conflict")).to_be_visible()
    other.get_by_test_id("publish").click()
    other.get_by_test_id("confirm-publish").click()
    conflict = other.get_by_test_id("version-conflict")
    expect(conflict.get_by_test_id("diff")).to_contain_text("clone.max_position_ppm")
    expect(conflict.get_by_test_id("diff")).to_contain_text("clone.cadence_s")
    conflict.get_by_test_id("publish-over").click()
    expect(conflict).to_have_count(0)
    expect(other.get_by_test_id("published")).to_have_text("version 3")
    expect(other.get_by_test_id("draft-state")).to_have_attribute("data-state", "saved")

    other.get_by_test_id("tab-versions").click()
    expect(other.get_by_test_id("version-row")).to_have_count(3)
    other.get_by_role("button", name="Restore version 1").click()
    expect(other.get_by_test_id("max-position")).not_to_have_value("95")
    other.close()


def test_on_a_phone_a_strategy_is_an_outline_and_what_is_typed_survives_a_reload(meet: Meet, solana: SolanaExtension):
    person = meet(solana, size=PHONE)
    begin(person, solana, house="rebalance")
    expect(person.see("outline").locator("li")).to_have_count(4)
    expect(person.see("canvas")).to_have_count(0)
    expect(person.see("problems")).to_have_attribute("data-state", "valid")
    expect_saved(person)
    expect(person.see("undo")).to_be_disabled()
    width = person.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width == PHONE[0]

    person.see("outline-clone").click()
    person.see("cadence").select_option("3600")
    person.see("undo").click()
    expect(person.see("cadence")).to_have_value("900")
    expect_saved(person)
    person.see("redo").click()
    expect_saved(person)
    person.page.reload()
    person.see("outline-clone").click()
    expect(person.see("cadence")).to_have_value("3600")
    expect_saved(person)
    person.see("outline-rule").click()
    person.see("remove-block").click()
    expect(person.see("problem").first).to_be_visible()
    assert person.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_a_clone_can_be_reported_by_whoever_is_signed_in(meet: Meet, solana: SolanaExtension, evm: EvmExtension):
    owner, other = meet(solana), meet(evm)
    begin(owner, solana)
    other.open(f"/clones/{clone_id(owner)}")
    other.see("report-clone").click()
    other.choose(evm)
    expect(other.see("session-menu")).to_be_visible()
    other.see("report-clone").click()
    other.see("report-reason").fill("It passes for somebody else.")
    other.see("send-report").click()
    expect(other.see("report-sent")).to_be_visible()
