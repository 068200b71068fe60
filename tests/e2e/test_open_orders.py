"""Orders that wait: they rest, are triggered, cancel each other, and tell on the page what becomes of them."""

import re

import pytest
from playwright.sync_api import Route, expect
from tests.e2e.extensions import SolanaExtension
from tests.e2e.figures import usd
from tests.e2e.people import Meet
from tests.e2e.venue import Venue

pytestmark = pytest.mark.browser

NEXT_TICK = "practice-next-v1"


def test_a_limit_rests_with_its_money_held_is_shown_and_cancelled(meet: Meet, venue: Venue, solana: SolanaExtension):
    person = meet(solana)
    person.begin_trading(solana)
    person.page.keyboard.press("l")
    person.see("limit-price").fill("149")
    person.see("amount-input").fill("10")
    # 10 SOL at 149 and 7 bp: what the order can cost at most.
    expect(person.see("preview-held")).to_have_text("1,491.04 USD")
    person.see("submit-order").click()
    result = person.see("order-result")
    expect(result).to_have_attribute("data-status", "accepted")
    expect(result).to_contain_text("Rests at its limit")
    expect(person.see("held")).to_have_text("1,491.04")
    assert person.expect_shown_as_told()["open_orders"] == 1

    person.see("open-orders-tab").click()
    row = person.see("open-order-row")
    expect(row).to_have_attribute("data-stage", "resting")
    expect(row.locator("td")).to_contain_text(["", "SOL-USDC", "Limit", "Buy", "10 SOL", "149.00", "1,491.04 USD"])
    # At the limit it still rests: only a price through it fills it.
    venue.move("SOLUSDC", "149")
    expect(person.see("price-SOL-USDC")).to_have_text("149.0000")
    expect(row).to_have_count(1)

    person.see("cancel-order").click()
    expect(row).to_have_count(0)
    expect(result).to_contain_text("Cancelled by you.")
    expect(person.see("held")).to_have_count(0)
    assert person.expect_shown_as_told()["cash"] == "10000"
    person.see("orders-tab").click()
    expect(person.see("order-row")).to_have_attribute("data-status", "cancelled")


def test_a_resting_limit_fills_once_the_price_goes_through_it_and_cancel_all_ends_the_rest(
    meet: Meet, venue: Venue, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    person.see("order-type-limit").click()
    for price in ("149", "120", "110"):
        person.see("limit-price").fill(price)
        person.see("amount-input").fill("2")
        person.see("submit-order").click()
        expect(person.see("order-result")).to_contain_text("Rests at its limit")
        expect(person.see("amount-input")).to_have_value("")
    person.see("open-orders-tab").click()
    expect(person.see("open-order-row")).to_have_count(3)
    venue.move("SOLUSDC", "148")
    expect(person.see("open-order-row")).to_have_count(2)
    expect(person.see("announcer")).to_have_text("Bought 2 SOL at 149.00")
    person.see("cancel-all").click()
    expect(person.page.get_by_text("No open orders.")).to_be_visible()
    person.page.get_by_role("tab", name="Positions").click()
    assert [fill["price"] for fill in person.expect_fills_shown()] == ["149"]
    assert person.expect_shown_as_told()["held"] == "0"


def test_a_stop_of_the_ticket_says_when_it_fires_and_fires_then(meet: Meet, venue: Venue, solana: SolanaExtension):
    person = meet(solana)
    person.begin_trading(solana)
    person.see("order-type-stop").click()
    expect(person.page.get_by_text("Buys at the market once the price rises to it.")).to_be_visible()
    person.see("amount-input").fill("4")
    expect(person.see("submit-reason")).to_have_text("Enter a trigger price.")
    person.see("trigger-price").fill("152")
    person.see("submit-order").click()
    result = person.see("order-result")
    expect(result).to_contain_text("Armed at its trigger")
    assert person.expect_shown_as_told()["open_orders"] == 1
    venue.move("SOLUSDC", "153")
    expect(result).to_have_attribute("data-status", "filled")
    (fill,) = person.expect_fills_shown()
    assert (fill["side"], fill["quantity"], fill["evidence"]["mid"]) == ("buy", "4", "153")
    person.expect_shown_as_told()


def test_a_limit_for_at_once_or_never_is_cancelled_when_the_price_is_beyond_it(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.begin_trading(solana)
    person.see("order-type-limit").click()
    person.see("time-in-force").select_option("ioc")
    person.see("limit-price").fill("149")
    person.see("amount-input").fill("1")
    person.see("submit-order").click()
    expect(person.see("order-result")).to_contain_text("Cancelled: the price was not within the limit at once.")
    assert person.expect_shown_as_told()["cash"] == "10000"


def test_a_stop_and_a_target_attached_to_a_position_are_changed_and_one_cancels_the_other(
    meet: Meet, venue: Venue, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    person.see("exits").click()
    person.see("amount-unit-base").click()
    person.see("amount-input").fill("10")
    person.see("stop-price").fill("151")
    expect(person.see("submit-reason")).to_have_text("The stop of a long must be below the price, or it fires at once.")
    person.see("stop-price").fill("146")
    person.see("target-price").fill("154")
    person.see("submit-order").click()
    expect(person.see("order-result")).to_contain_text("Bought 10 SOL")
    exits = person.see("edit-exits")
    expect(exits).to_have_text("stop 146.00 · target 154.00")

    exits.click()
    person.see("exit-stop").fill("155")
    expect(person.see("exits-reason")).to_contain_text("must be below")
    expect(person.see("save-exits")).to_be_disabled()
    person.see("exit-stop").fill("148")
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("dialog")).to_have_count(0)
    expect(exits).to_have_text("stop 148.00 · target 154.00")
    expect(person.see("open-orders-tab")).to_have_text("Open orders (2)")

    venue.move("SOLUSDC", "147.5")
    expect(person.see("position-row")).to_have_count(0)
    expect(person.see("open-orders-tab")).to_have_text("Open orders")
    _, sold = reversed(person.expect_fills_shown())
    assert (sold["side"], sold["quantity"]) == ("sell", "10")
    person.see("orders-tab").click()
    expect(person.see("orders-table")).to_contain_text("Cancelled: the position was closed.")
    person.expect_shown_as_told()


def test_exits_of_one_order_cancel_each_other_by_name(meet: Meet, venue: Venue, solana: SolanaExtension):
    person = meet(solana)
    person.begin_trading(solana)
    person.see("exits").click()
    person.see("stop-price").fill("146")
    person.see("target-price").fill("152")
    person.order("buy", "1500")
    expect(person.see("edit-exits")).to_have_text("stop 146.00 · target 152.00")
    venue.move("SOLUSDC", "152.5")
    expect(person.see("position-row")).to_have_count(0)
    person.see("orders-tab").click()
    expect(person.see("orders-table")).to_contain_text("Cancelled: the other exit was filled.")
    person.expect_shown_as_told()


def test_an_order_for_the_next_price_is_shown_pending_and_then_filled_by_the_socket_alone(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana, rule_set=NEXT_TICK)
    expect(person.see("rule-set")).to_have_text("Next price")
    expect(person.see("waits")).to_contain_text("Fills on the next price")
    person.see("amount-input").fill("1500")
    expect(person.see("preview-held")).to_have_text("1,500.00 USD")
    fetched: list[str] = []

    def refuse_to_fetch(route: Route) -> None:
        if route.request.method == "GET":
            fetched.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    person.expect_problem("ERR_FAILED at .*/v1/accounts")
    person.page.route(re.compile("/v1/accounts"), refuse_to_fetch)
    person.see("submit-order").click()
    result = person.see("order-result")
    expect(result).to_have_attribute("data-status", "accepted")
    expect(result).to_contain_text("Waits for the next price")
    expect(result).to_contain_text("1,500.00 USD held.")
    expect(result).to_have_attribute("data-status", "filled")
    expect(result).to_contain_text("Bought 9.99")

    person.page.unroute(re.compile("/v1/accounts"))
    person.page.reload()
    (fill,) = person.expect_fills_shown()
    order = person.product.get(
        f"/v1/accounts/{person.account()['account_id']}/orders/{fill['order_id']}", person.token()
    )
    assert fill["evidence"]["publish_ms"] > order["created_ms"] + 1_500
    person.expect_shown_as_told()


@pytest.mark.parametrize(
    ("status", "title"),
    [("frozen", "Account frozen."), ("paused", "Account paused."), ("completed", "Account completed.")],
)
def test_an_account_that_takes_no_orders_says_why_and_offers_nothing_it_would_refuse(
    status: str, title: str, meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    person.order("buy", "500")
    expect(person.see("position-row")).to_have_count(1)

    def tell(route: Route) -> None:
        response = route.fetch()
        items = [account | {"status": status} for account in response.json()["items"]]
        route.fulfill(response=response, json={"items": items})

    person.page.route(re.compile(r"/v1/accounts$"), tell)
    person.page.reload()
    banner = person.see("account-status")
    expect(banner).to_have_attribute("data-status", status)
    expect(banner).to_contain_text(title)
    expect(person.see("submit-reason")).to_have_text(title)
    for name in ("submit-order", "close-position", "edit-exits"):
        expect(person.see(name)).to_be_disabled()
    assert usd(person.account()["cash"]) == person.see("cash").inner_text()


def test_another_account_under_other_rules_is_opened_and_the_page_keeps_to_the_one_that_is_chosen(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    person.order("buy", "500")
    expect(person.see("position-row")).to_have_count(1)
    person.see("open-another").click()
    person.see(f"rule-set-{NEXT_TICK}").check()
    person.see("create-account").click()
    expect(person.page.get_by_role("dialog")).to_have_count(0)
    expect(person.see("rule-set")).to_have_text("Next price")
    expect(person.see("cash")).to_have_text("10,000.00")
    expect(person.see("position-row")).to_have_count(0)

    person.order("buy", "700")
    expect(person.see("order-result")).to_have_attribute("data-status", "filled")
    expect(person.see("fill-row")).to_have_count(1)
    person.page.reload()
    expect(person.see("rule-set")).to_have_text("Next price")
    person.see("account-switch").select_option(index=0)
    expect(person.see("rule-set")).to_have_text("At once")
    expect(person.see("cash")).to_have_text(re.compile(r"^9,500\.\d\d$"))
