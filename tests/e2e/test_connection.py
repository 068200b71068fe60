"""What a page shows, and lets nobody do, while the feed, the server or the network is away."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.extensions import SolanaExtension
from tests.e2e.people import Meet
from tests.e2e.venue import Venue

pytestmark = pytest.mark.browser

CUT_OFF = r"ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|ERR_NETWORK|WebSocket connection to"
SOONER_THAN_A_POLL_MS = 700
ORDER = {"market": "SOL-USDC", "side": "buy", "quantity": "1"}


def test_a_stale_feed_disables_the_ticket_and_says_why_until_it_is_fresh_again(
    meet: Meet, venue: Venue, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    person.see("amount-input").fill("250")
    expect(person.see("submit-order")).to_be_enabled()

    venue.silent = True
    too_old = re.compile(r"The last price is .* old; orders need one under 3 s\.|The price feed is silent\.")
    expect(person.see("stale-banner")).to_contain_text(too_old)
    expect(person.see("submit-order")).to_be_disabled()
    expect(person.see("submit-reason")).to_have_text(too_old)
    expect(person.see("feed-badge")).to_have_attribute("data-state", "stale")
    expect(person.see("connection-state")).to_have_attribute("data-state", "stale")
    path = f"/v1/accounts/{person.account()['account_id']}/orders"
    _, order = person.client().request("POST", path, ORDER, key="on-a-stale-price")
    assert order["reject_code"] in ("PRICE_STALE", "MARKET_HALTED")

    venue.silent = False
    expect(person.see("stale-banner")).to_have_count(0)
    expect(person.see("submit-order")).to_be_enabled()
    expect(person.see("connection-state")).to_have_attribute("data-state", "live")


def test_after_a_kill_the_page_reconnects_by_itself_and_misses_no_fill(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.expect_problem(CUT_OFF)
    person.begin_trading(solana)
    person.order("buy", "1000")
    person.expect_fills_shown()
    path = f"/v1/accounts/{person.account()['account_id']}/orders"
    status, order = person.client().request("POST", path, ORDER, key="just-before-the-kill")
    person.product.kill()
    assert (status, order["status"]) == (201, "filled")

    expect(person.see("connection-state")).to_have_attribute("data-state", "reconnecting")
    expect(person.see("connection-notice")).to_contain_text("Connection lost.")
    expect(person.see("submit-order")).to_be_disabled()
    expect(person.see("submit-reason")).to_have_text("The connection is lost; reconnecting.")

    person.product.start()
    expect(person.see("connection-state")).to_have_attribute("data-state", "live")
    expect(person.see("connection-notice")).to_have_count(0)
    newest, _ = person.expect_fills_shown()
    assert newest["order_id"] == order["order_id"]
    person.expect_shown_as_told()
    expect(person.order("sell", "1", unit="base")).to_have_attribute("data-status", "filled")
    assert len(person.expect_fills_shown()) == 3


def test_what_was_filled_while_the_page_was_offline_is_there_when_it_is_back(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.expect_problem(CUT_OFF)
    person.begin_trading(solana)
    person.context.set_offline(True)
    expect(person.see("connection-state")).to_have_attribute("data-state", "offline")
    expect(person.see("submit-reason")).to_have_text("You are offline.")
    path = f"/v1/accounts/{person.account()['account_id']}/orders"
    status, _ = person.client().request("POST", path, ORDER, key="while-offline")
    assert status == 201

    person.context.set_offline(False)
    expect(person.see("connection-state")).to_have_attribute("data-state", "live")
    assert len(person.expect_fills_shown()) == 1
    person.expect_shown_as_told()


def test_who_could_not_be_asked_about_is_neither_signed_in_nor_out_and_is_asked_again(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.expect_problem(r"status of 503 .*/v1/auth/sessions/current")
    person.begin_trading(solana)
    away = {"status": 503, "title": "Unavailable", "detail": "the database is away", "code": "unavailable"}
    person.page.route("**/v1/auth/sessions/current", lambda route: route.fulfill(status=503, json=away))
    for path in ("/", "/portfolio"):
        person.open(path)
        expect(person.see("session-unknown")).to_be_visible()
        expect(person.page.get_by_role("button", name=re.compile("^Sign in"))).to_have_count(0)
    expect(person.page.get_by_role("main")).to_contain_text("Could not load your session. The database is away.")

    person.page.unroute("**/v1/auth/sessions/current")
    expect(person.see("session-menu")).to_be_visible()
    expect(person.see("identity")).to_be_visible()


def test_a_visitor_is_told_how_often_the_server_was_asked_and_may_have_it_asked_at_once(meet: Meet):
    person = meet()
    person.expect_problem("ERR_FAILED")
    person.page.route("**/candles?*", lambda route: route.abort())
    person.open()
    expect(person.see("chart")).to_contain_text("Could not load the chart.")
    person.page.route("**/v1/markets", lambda route: route.abort())
    expect(person.see("connection-notice")).to_have_text(re.compile(r"^Connection lost\. Attempt [2-9], "))
    expect(person.page.locator("[data-dimmed=true]").first).to_contain_text("SOL/USDC")

    expect(person.see("connection-notice")).to_contain_text("next try in 2 s")
    with person.page.expect_request("**/v1/markets", timeout=SOONER_THAN_A_POLL_MS):
        person.see("retry-now").click()

    person.page.unroute("**/candles?*")
    person.page.unroute("**/v1/markets")
    expect(person.see("connection-notice")).to_have_count(0)
    expect(person.page.locator("[data-dimmed=true]")).to_have_count(0)
    expect(person.see("chart")).not_to_contain_text("Could not load the chart.")


def test_the_portfolio_is_dimmed_while_it_is_only_what_was_last_heard(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.expect_problem(CUT_OFF)
    person.begin_trading(solana)
    person.page.get_by_role("link", name="Portfolio").first.click()
    books = person.page.locator("[data-dimmed]").filter(has=person.see("identity"))
    expect(books).to_have_attribute("data-dimmed", "false")
    person.context.set_offline(True)
    expect(books).to_have_attribute("data-dimmed", "true")
    person.context.set_offline(False)
    expect(books).to_have_attribute("data-dimmed", "false")
