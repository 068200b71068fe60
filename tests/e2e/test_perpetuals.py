"""Perpetuals in the browser: what is shown before the order is what is held after it."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.extensions import EvmExtension, SolanaExtension
from tests.e2e.figures import signed_usd, usd
from tests.e2e.people import Meet, Person
from tests.e2e.venue import Venue

pytestmark = pytest.mark.browser

PHONE = (360, 740)
PERP = "/trade?market=SOL-PERP"


def expect_perp_as_told(person: Person) -> dict[str, str]:
    """The one perpetual position of the person is shown exactly as the server has it. Returns it."""
    row = person.see("perp-row")
    expect(row).to_have_count(1)
    account = person.account()
    (told,) = account["perps"]
    expect(row).to_have_attribute("data-side", told["side"])
    expect(row.locator("td").nth(1)).to_have_text(f"{told['side'].capitalize()} {told['leverage']}×")
    expect(row.locator("td").nth(2)).to_have_text(told["quantity"])
    expect(row.locator("td").nth(6)).to_contain_text(signed_usd(told["unrealised_pnl"]))
    expect(person.see("perp-margin")).to_have_text(usd(told["margin"]))
    expect(person.see("perp-liquidation")).to_have_text(usd(told["liquidation_price"], 4))
    expect(person.see("equity")).to_have_text(usd(account["equity"]))
    expect(person.see("cash")).to_have_text(usd(account["cash"]))
    assert account["residual"] == "0"
    return dict(told)


def test_a_perpetual_is_opened_with_leverage_at_the_liquidation_price_that_was_shown_before(
    meet: Meet, venue: Venue, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    person.see("market-kind-perp").click()
    expect(person.page).to_have_url(re.compile("market=SOL-PERP"))
    expect(person.see("side-buy")).to_have_text("Long")
    person.see("leverage-input").fill("21")
    person.see("amount-input").fill("100")
    expect(person.see("submit-reason")).to_have_text("The leverage is a whole number from 1 to 20.")
    person.see("leverage-slider").fill("10")
    expect(person.see("leverage-input")).to_have_value("10")
    expect(person.see("preview-margin")).to_have_text(re.compile(r"^1,50\d\.\d\d$"))
    expect(person.see("submit-reason")).to_have_text("")
    before = person.see("preview-liquidation").inner_text()
    margin = person.see("preview-margin").inner_text()
    person.see("submit-order").click()
    expect(person.see("order-result")).to_contain_text("Bought 100 SOL (long 10×)")

    expect(person.see("perp-liquidation")).to_have_text(before)
    expect(person.see("perp-margin")).to_have_text(margin)
    expect_perp_as_told(person)
    venue.move("SOLUSDC", "152")
    expect(person.see("price-SOL-PERP")).to_have_text("152.0000")
    assert float(expect_perp_as_told(person)["unrealised_pnl"]) > 150

    person.see("close-position").click()
    expect(person.see("perp-row")).to_have_count(0)
    expect(person.see("fill-row").first).to_contain_text("Close long")
    account = person.expect_shown_as_told()
    assert (account["perps"], account["margin"], account["residual"]) == ([], "0", "0")
    assert account["cash"] == account["equity"]


def test_a_short_is_liquidated_and_its_history_says_so(meet: Meet, venue: Venue, evm: EvmExtension):
    person = meet(evm)
    person.begin_trading(evm, path=PERP)
    person.see("side-sell").click()
    person.see("leverage-input").fill("20")
    person.see("amount-input").fill("50")
    expect(person.see("submit-order")).to_have_text("Short SOL")
    person.see("submit-order").click()
    told = expect_perp_as_told(person)
    assert told["side"] == "short"
    assert 150 < float(told["liquidation_price"]) < 154.5
    venue.move("SOLUSDC", "155")
    expect(person.see("perp-row")).to_have_count(0)
    expect(person.see("fill-row").first).to_contain_text("Liquidated short")
    person.expect_shown_as_told()
    person.page.get_by_role("link", name="Portfolio").first.click()
    expect(person.see("fills-history").locator("tbody tr").first).to_contain_text("liquidation")


def test_on_a_phone_a_short_gets_a_stop_and_turns_into_a_long_in_one_order(meet: Meet, solana: SolanaExtension):
    person = meet(solana, size=PHONE)
    person.begin_trading(solana, path=PERP)
    person.see("side-sell").click()
    person.see("leverage-input").fill("5")
    person.see("share-50").click()
    person.see("submit-order").click()
    expect(person.see("perp-row")).to_have_attribute("data-side", "short")
    person.see("edit-exits").click()
    person.see("exit-stop").fill("160")
    person.see("save-exits").click()
    expect(person.see("edit-exits")).to_have_text("stop 160.00")
    width = person.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width == PHONE[0]

    (short,) = person.account()["perps"]
    person.see("side-buy").click()
    person.see("amount-input").fill(str(int(float(short["quantity"])) + 10))
    expect(person.see("submit-reason")).to_have_text("")
    person.see("submit-order").click()
    expect(person.see("perp-row")).to_have_attribute("data-side", "long")
    expect(person.see("edit-exits")).to_have_text("Stop, target…")
    expect_perp_as_told(person)
