"""The leaderboard with its filters, one's own place on it, and what the first page shows of clones."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.e2e.extensions import EvmExtension, SolanaExtension
from tests.e2e.people import Meet, Person
from tests.e2e.test_clones import PHONE, make, resting

pytestmark = pytest.mark.browser

DESKTOP = (1280, 900)
MARKED_WITHIN_S = 40
BOARD = "/v1/leaderboards/practice?limit=200"
BUY = [{"market": "SOL-USDC", "action": "open", "side": "long", "share": "0.1"}]
MEAN_REASON = "nobody-else-reads-this"


def trading_clone(person: Person) -> tuple[str, str]:
    """A clone of theirs whose account is on the board. Returns its id and name."""
    clone_id, name = make(person, resting(), published=True)
    client, path = person.client(), f"/v1/clones/{clone_id}"
    assert client.request("POST", f"{path}/deployment", {}, key="deploy")[0] == 201
    proposals = [one | {"reason": MEAN_REASON} for one in BUY]
    status, decided = client.request("POST", f"{path}/actions", {"run_key": "a", "proposals": proposals})
    assert status == 201, decided
    person.product.wait_until(lambda: row_of(person, clone_id), within_s=MARKED_WITHIN_S)
    return clone_id, name


def row_of(person: Person, clone_id: str) -> Any:
    rows = person.product.get(BOARD)["items"]
    return next((row for row in rows if row["clone"] and row["clone"]["clone_id"] == clone_id), None)


def shown_width(person: Person) -> int:
    return int(person.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_filters_are_in_the_url_and_lead_to_clones_and_to_ones_own_rows(
    size: tuple[int, int], meet: Meet, solana: SolanaExtension
):
    person = meet(solana, size=size)
    person.begin_trading(solana)
    person.order("buy", "5000")
    person.expect_fills_shown()
    _, name = trading_clone(person)

    person.open("/leaderboard")
    rows = person.see("leaderboard-row")
    own = rows.filter(has=person.page.get_by_role("link", name=name))
    expect(own).to_have_attribute("data-trader", "clone")
    expect(own).to_contain_text("yours")
    expect(own.get_by_test_id("rank-change")).to_contain_text("new")
    person.see("traders-clones").click()
    expect(person.page).to_have_url(re.compile(r"/leaderboard\?traders=clones$"))
    expect(person.page.locator("[data-testid=leaderboard-row][data-trader=person]")).to_have_count(0)
    person.page.keyboard.press("ArrowLeft")
    expect(person.see("traders-people")).to_be_focused()
    person.see("window-today").click()
    expect(person.see("board-text")).to_contain_text("since 00:00 UTC on 20")
    person.see("metric-drawdown").click()
    expect(person.page).to_have_url(re.compile(r"traders=clones&window=today&metric=drawdown$"))
    person.page.reload()
    expect(person.see("metric-drawdown")).to_have_attribute("data-state", "on")
    expect(person.see("board-text")).to_contain_text("smallest largest drawdown")
    assert shown_width(person) == size[0]

    own.get_by_role("link", name=name).click()
    expect(person.see("clone-title")).to_have_text(name)
    person.page.go_back()
    expect(person.page).to_have_url(re.compile("traders=clones"))


def test_one_jumps_to_ones_own_row_also_from_beyond_the_rows_that_are_shown(
    meet: Meet, solana: SolanaExtension, evm: EvmExtension
):
    better, person = meet(evm), meet(solana)
    # Who bought less has paid less in fees.
    for one, wallet, amount in ((better, evm, "100"), (person, solana, "9000")):
        one.begin_trading(wallet)
        one.order("buy", amount)
        one.expect_fills_shown()

    def mine() -> Any:
        return person.product.get(f"{BOARD}&traders=people", person.token())["me"]

    person.product.wait_until(lambda: (mine() or {"rank": 1})["rank"] > 1, within_s=MARKED_WITHIN_S)
    person.open("/leaderboard?traders=people&limit=1")
    button = person.see("jump-to-me")
    expect(button).to_have_text(re.compile(r"^Jump to me \(#\d+\)$"))
    button.click()
    me = person.page.locator("[data-testid=leaderboard-row][data-me=true]")
    expect(me).to_be_focused()
    expect(me).to_be_in_viewport()
    expect(person.see("around-me").locator("[data-me=true]")).to_have_count(1)
    expect(person.see("around-me")).to_contain_text("Around you")

    visitor = meet()
    visitor.open("/leaderboard?traders=clones")
    expect(visitor.see("not-on-board")).to_have_text("Sign in to find yourself.")
    expect(visitor.see("jump-to-me")).to_be_disabled()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_visitor_sees_who_leads_and_what_clones_decided_last(
    size: tuple[int, int], meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    clone_id, name = trading_clone(person)
    visitor = meet(size=size)
    visitor.open("/")
    latest = visitor.see("latest-decision").filter(has_text=name)
    expect(latest).to_contain_text("Long 10% SOL/USDC")
    expect(latest).to_contain_text("executed")
    expect(visitor.see("top-five").locator("tbody tr").first).to_be_visible()
    expect(visitor.page.get_by_role("main")).not_to_contain_text(MEAN_REASON)
    assert shown_width(visitor) == size[0]
    latest.get_by_role("link", name=name).click()
    expect(visitor.page).to_have_url(re.compile(f"/clones/{clone_id}$"))
    expect(visitor.see("clone-title")).to_have_text(name)


def test_the_first_page_says_what_it_could_not_load_and_shows_the_rest(meet: Meet):
    visitor = meet()
    visitor.expect_problem("Failed to load resource|net::ERR")
    visitor.page.route("**/v1/decisions?*", lambda route: route.abort())
    visitor.open("/")
    main = visitor.page.get_by_role("main")
    expect(main).to_contain_text("Could not load decisions.")
    expect(visitor.see("price-SOL-USDC")).to_be_visible()
    visitor.page.unroute("**/v1/decisions?*")
    visitor.page.get_by_role("button", name="Try again").click()
    expect(main).not_to_contain_text("Could not load decisions.")
    expect(
        visitor.see("latest-decisions").or_(visitor.page.get_by_text("No clone has decided yet")).first
    ).to_be_attached()
