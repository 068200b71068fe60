"""What an account's trading came to, as the portfolio page shows it."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Route, expect
from tests.e2e.extensions import SolanaExtension
from tests.e2e.people import Meet, Person
from tests.e2e.venue import Venue

from pump_party.apps.workers.mark_accounts import MARK_EVERY_S

pytestmark = pytest.mark.browser

PHONE = (360, 740)
MARKED_WITHIN_S = 40


def results_of(person: Person) -> Any:
    return person.product.get(f"/v1/accounts/{person.account()['account_id']}/results", person.token())


def until_accounts_were_just_marked(person: Person) -> None:
    """Accounts are marked at every full ten seconds: from here on there is time until the next."""
    every_ms = round(MARK_EVERY_S * 1_000)
    person.page.wait_for_timeout(every_ms - time.time_ns() // 1_000_000 % every_ms + 500)


def keep_the_first_results(person: Person) -> None:
    """Show what the server said first, however long the page takes."""
    said: list[APIResponse] = []

    def answer(route: Route) -> None:
        if not said:
            said.append(route.fetch())
        route.fulfill(response=said[0])

    person.page.route("**/results", answer)


def test_before_the_first_mark_nothing_is_claimed(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.open()
    person.sign_in(solana)
    expect(person.see("create-account")).to_be_visible()
    until_accounts_were_just_marked(person)
    keep_the_first_results(person)
    person.see("create-account").click()
    person.page.get_by_role("link", name="Portfolio").first.click()
    expect(person.see("chance")).to_contain_text("Not yet: it is too early")
    for name in ("Return", "Sharpe", "Win rate"):
        row = person.see("metric-row").filter(has=person.page.get_by_text(name, exact=True))
        expect(row).to_contain_text("not yet")


@pytest.mark.parametrize("size", [(1280, 900), PHONE])
def test_results_show_return_drawdown_holding_and_metrics_with_their_samples(
    size: tuple[int, int], meet: Meet, venue: Venue, solana: SolanaExtension
):
    person = meet(solana, size=size)
    person.begin_trading(solana)
    person.order("buy", "5000")
    expect(person.see("position-row")).to_have_count(1)
    venue.move("SOLUSDC", "147")
    expect(person.see("price-SOL-USDC")).to_have_text("147.0000")
    person.see("close-position").click()
    expect(person.see("position-row")).to_have_count(0)
    person.product.wait_until(lambda: (results_of(person)["return_ppm"] or 0) < -5_000, within_s=MARKED_WITHIN_S)
    person.page.get_by_role("link", name="Portfolio").first.click()
    panel = person.see("results")
    expect(panel).to_have_attribute("data-marks", re.compile(r"[1-9]"))
    told = results_of(person)

    expect(person.see("result-return")).to_have_text(re.compile(r"^−[12]\.\d\d%$"))
    expect(person.see("result-holding")).to_contain_text("%")
    expect(person.see("equity-chart").locator("canvas").first).to_be_visible()
    expect(person.see("chance")).to_contain_text("better than chance")
    rows = {row.locator("td").first.inner_text(): row for row in person.see("metric-row").all()}
    expect(rows["Win rate"].locator("td")).to_contain_text(["Win rate", "0.0%", "1 closed trade"])
    drawdown = f"{told['max_drawdown_ppm'] / 10_000:.2f}%"
    expect(rows["Largest drawdown"].locator("td").nth(1)).to_have_text(drawdown)
    expect(rows["Fees"].locator("td").nth(2)).to_have_text("2 fills")
    expect(rows["Calmar"].locator("td").nth(1)).to_have_text("not yet")
    width = person.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width == size[0]
