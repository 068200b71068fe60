"""Every page for who is not signed in, by keyboard, and on a narrow screen."""

import re

import pytest
from playwright.sync_api import Locator, Route, expect
from tests.e2e.extensions import SolanaExtension
from tests.e2e.people import Meet, Person
from tests.e2e.venue import Venue

pytestmark = pytest.mark.browser

PHONE = (360, 740)
POLLS_WATCHED_MS = 6_500
STOPS_MIN, STOPS_MAX = 25, 80
"""Three polls of a visitor's page."""
PAGES = {
    "/": "Trade real prices with virtual money",
    "/trade": "SOL/USDC",
    "/portfolio": re.compile("Sign in to see your portfolio|Portfolio practice account"),
    "/leaderboard": "Practice leaderboard",
    "/settings": "Settings",
    "/clones": "Build your own",
    "/studio": re.compile("Build a clone that trades by itself|No clone yet"),
}
TITLES = {
    "/": "Pump Party",
    "/trade?market=ETH-USDC": "ETH-USDC · Trade · Pump Party",
    "/portfolio": "Portfolio · Pump Party",
    "/leaderboard": "Leaderboard · Pump Party",
    "/settings": "Settings · Pump Party",
}
TARGET_PX = 24
TOO_SMALL = """(least) => [...document.querySelectorAll('a, button, input, select, summary')].flatMap((one) => {
  // What covers the card it stands on is as large as the card.
  if (getComputedStyle(one, '::after').position === 'absolute') return []
  const target = one.matches('[type=checkbox], [type=radio]') ? one.labels[0] : one
  const { width, height } = target.getBoundingClientRect()
  const small = Math.min(width, height) > 1 && Math.min(width, height) < least
  return small ? [`${one.outerHTML.slice(0, 90)} ${width}x${height}`] : []
})"""


def test_a_visitor_sees_moving_prices_and_the_name_of_the_feed_without_signing_in(meet: Meet, venue: Venue):
    person = meet()
    person.open("/")
    expect(person.see("price-SOL-USDC")).to_have_text("150.00")
    expect(person.see("price-BTC-USDC")).to_have_text("100,000.00")
    venue.move("SOLUSDC", "151.25")
    expect(person.see("price-SOL-USDC")).to_have_text("151.25")
    person.see("price-SOL-USDC").click()
    expect(person.page).to_have_url(re.compile(r"/trade\?market=SOL-USDC"))
    expect(person.see("price-SOL-USDC")).to_have_text("151.2500")
    expect(person.see("chart").locator("canvas").first).to_be_visible()
    expect(person.page.get_by_role("button", name="Sign in to trade")).to_be_visible()
    assert person.sockets == []


def test_every_page_opens_for_a_visitor_and_names_the_feed_with_the_age_of_its_price(meet: Meet):
    person = meet()
    for path in PAGES:
        expect_page(person, path)
        expect(person.see("feed-badge")).to_have_text(re.compile(r"^LIVE[0-2]\.\d s$"))
        expect(person.see("feed-badge")).to_have_attribute("data-state", "live")
        expect(person.see("sign-in-button")).to_be_visible()


def test_every_page_has_a_title_of_its_own_and_an_unknown_market_is_named_as_such(meet: Meet):
    person = meet()
    for path, title in TITLES.items():
        person.open(path)
        expect(person.page).to_have_title(title)
    person.open("/trade?market=foo-usdc")
    expect(person.see("market-unknown")).to_have_text("There is no market FOO-USDC here. This is SOL/USDC.")


def test_what_the_keyboard_reaches_is_in_reach_of_a_finger_too(meet: Meet):
    person = meet(size=PHONE)
    person.open("/trade")
    person.see("all-markets").click()
    person.page.get_by_role("option", name="DOGE-PERP").click()
    expect(person.page).to_have_url(re.compile("market=DOGE-PERP"))
    expect(person.see("market-unknown")).to_have_count(0)
    expect(person.see("market-tab-DOGE-PERP")).to_be_in_viewport()
    footer = person.page.get_by_role("contentinfo")
    footer.get_by_role("button", name="Keyboard").click()
    expect(person.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    person.page.keyboard.press("Escape")
    footer.get_by_role("link", name="Settings").click()
    expect(person.page.get_by_role("heading", name="Settings")).to_be_visible()


def test_nothing_that_is_pressed_is_smaller_than_a_finger_may_hit(meet: Meet, solana: SolanaExtension):
    person = meet(solana, size=PHONE)
    for path in PAGES:
        expect_page(person, path)
        assert person.page.evaluate(TOO_SMALL, TARGET_PX) == [], path
    person.begin_trading(solana, path="/trade?market=SOL-PERP")
    person.see("amount-input").fill("1")
    person.see("submit-order").click()
    expect(person.see("perp-row")).to_have_count(1)
    for path in ("/trade", "/trade?market=SOL-PERP", "/portfolio", "/leaderboard", "/settings"):
        person.open(path)
        expect(person.see("session-menu")).to_be_visible()
        expect(person.page.get_by_role("status")).to_have_count(0)
        assert person.page.evaluate(TOO_SMALL, TARGET_PX) == [], path


def test_a_visitor_can_read_what_the_fills_do_not_model(meet: Meet):
    person = meet()
    person.open("/trade")
    limits = person.see("not-modelled").get_by_role("listitem")
    expect(limits.first).to_be_hidden()
    person.page.get_by_text("What these fills do not model").click()
    for said in ("queue", "do not move your price", "Depth", "jitter", "MEV", "oracle price"):
        expect(limits.filter(has_text=said)).to_be_visible()


def test_a_visitor_is_told_of_no_delay_while_there_is_none_and_of_silence_when_there_is(meet: Meet, venue: Venue):
    person = meet()
    person.open()
    expect(person.see("connection-state")).to_have_attribute("data-state", "live")
    watched = "[data-testid=connection-state], [data-testid=feed-badge]"
    person.page.evaluate(
        "(watched) => { window.told = new Set(); window.watching = setInterval(() =>"
        " document.querySelectorAll(watched).forEach((one) => window.told.add(one.dataset.state)), 50) }",
        watched,
    )
    person.page.wait_for_timeout(POLLS_WATCHED_MS)
    assert person.page.evaluate("[...window.told]") == ["live"]

    venue.silent = True
    expect(person.see("stale-banner")).to_be_visible()
    expect(person.see("connection-state")).to_have_attribute("data-state", "stale")
    venue.silent = False
    expect(person.see("connection-state")).to_have_attribute("data-state", "live")
    expect(person.see("stale-banner")).to_have_count(0)


def test_a_page_that_opened_before_the_feed_was_found_names_it_once_prices_come(meet: Meet):
    person = meet()
    answers = iter([{"kind": "auto", "label": "AUTO", "speed": "1"}])

    def tell(route: Route) -> None:
        response = route.fetch()
        config = response.json()
        route.fulfill(response=response, json=config | {"feed": next(answers, config["feed"])})

    person.page.route("**/v1/config", tell)
    with person.page.expect_response(
        lambda answer: answer.url.endswith("/v1/config") and answer.json()["feed"]["kind"] == "live"
    ):
        person.open()
    expect(person.see("feed-badge")).to_have_attribute("data-feed", "live")
    expect(person.see("feed-badge")).to_contain_text("LIVE")


def test_the_keyboard_chooses_the_side_finds_markets_and_helps_but_never_while_typing(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    press = person.page.keyboard.press
    press("s")
    expect(person.see("side-sell")).to_have_attribute("aria-checked", "true")
    press("b")
    expect(person.see("side-buy")).to_have_attribute("aria-checked", "true")

    person.see("amount-input").press_sequentially("1s2")
    expect(person.see("side-buy")).to_have_attribute("aria-checked", "true")
    expect(person.see("amount-input")).to_have_value("1s2")
    person.see("amount-input").fill("")
    person.see("amount-input").blur()

    press("/")
    expect(person.see("market-search")).to_be_focused()
    person.page.keyboard.type("eth")
    press("Enter")
    expect(person.page).to_have_url(re.compile(r"market=ETH-USDC"))
    press("?")
    expect(person.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    press("Escape")
    expect(person.page.get_by_role("dialog")).to_have_count(0)
    press("g")
    press("p")
    expect(person.page).to_have_url(re.compile(r"/portfolio$"))


FOCUS = """() => {
  const at = document.activeElement
  const outlined = [at, at.parentElement].some((one) => one && getComputedStyle(one).outlineStyle !== 'none')
  const name = at.getAttribute('aria-label') || at.labels?.[0]?.innerText || at.innerText || ''
  return at === document.body ? null : { name: name.trim(), outlined, what: at.outerHTML.slice(0, 120) }
}"""


def test_every_stop_of_the_keyboard_on_the_trade_page_has_a_name_and_shows_the_focus(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana, path="/trade?market=SOL-PERP")
    person.see("amount-input").fill("1")
    person.see("submit-order").click()
    expect(person.see("perp-row")).to_have_count(1)
    person.page.reload()
    expect(person.see("perp-row")).to_have_count(1)
    expect(person.see("chart").locator("canvas").first).to_be_visible()
    assert STOPS_MIN < len(expect_good_stops(person)) < STOPS_MAX

    person.see("side-buy").focus()
    person.page.keyboard.press("ArrowRight")
    expect(person.see("side-sell")).to_be_focused()
    person.page.keyboard.press("Space")
    expect(person.see("side-sell")).to_have_attribute("aria-checked", "true")


def test_one_signs_in_opens_an_account_and_buys_by_keyboard_alone(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.open()
    press = person.page.keyboard.press

    def go_to(stop: Locator) -> None:
        for _ in range(STOPS_MAX):
            press("Tab")
            if stop.evaluate("(one) => one === document.activeElement"):
                return
        raise AssertionError(f"Tab does not lead to {stop}")

    expect(person.see("sign-in-button")).to_be_visible()
    go_to(person.see("sign-in-button"))
    press("Enter")
    expect(person.page.get_by_role("dialog")).to_be_visible()
    go_to(person.see(f"wallet-row-{solana.name}"))
    press("Enter")
    expect(person.see("create-account")).to_be_visible()
    expect(person.page.get_by_role("main")).to_be_focused()
    go_to(person.see("create-account"))
    press("Enter")
    expect(person.see("cash")).to_have_text("10,000.00")
    expect(person.page.get_by_role("main")).to_be_focused()
    go_to(person.see("amount-input"))
    person.page.keyboard.type("100")
    expect(person.see("preview-total")).to_have_text(re.compile(r"^99\.\d\d$|^100\.00$"))
    press("Enter")
    expect(person.see("order-result")).to_have_attribute("data-status", "filled")
    person.expect_fills_shown()


def test_every_stop_of_the_keyboard_on_the_other_pages_has_a_name_and_shows_the_focus(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    person.order("buy", "100")
    person.open("/portfolio")
    expect(person.page.get_by_role("main")).to_contain_text("Largest drawdown")
    expect(person.see("equity-chart").locator("canvas").first).to_be_visible()
    expect_good_stops(person)
    for path in ("/", "/leaderboard", "/settings"):
        person.open(path)
        expect(person.see("session-menu")).to_be_visible()
        expect_good_stops(person)


def expect_good_stops(person: Person) -> list[dict[str, str]]:
    """Go round the page with Tab: every stop has a name and shows that it has the focus."""
    stops = []
    while len(stops) < STOPS_MAX:
        person.page.keyboard.press("Tab")
        stop = person.page.evaluate(FOCUS)
        if stop is None:
            break
        stops.append(stop)
    assert [stop["what"] for stop in stops if not (stop["name"] and stop["outlined"])] == []
    return stops


def test_on_a_phone_of_360_pixels_nothing_scrolls_sideways_and_the_ticket_trades(meet: Meet, solana: SolanaExtension):
    person = meet(solana, size=PHONE)
    for path in PAGES:
        expect_no_sideways_scroll(person, path)
    person.begin_trading(solana)
    person.see("share-50").click()
    expect(person.see("preview-total")).to_have_text(re.compile(r"^4,999\.9\d$|^5,000\.00$"))
    person.see("submit-order").click()
    expect(person.see("order-result")).to_have_attribute("data-status", "filled")
    person.expect_fills_shown()
    person.expect_shown_as_told()
    for path in PAGES:
        expect_no_sideways_scroll(person, path)


def expect_page(person: Person, path: str) -> None:
    """Open a page and wait until nothing of it is being loaded any more."""
    person.open(path)
    expect(person.page.get_by_role("main")).to_contain_text(PAGES[path])
    expect(person.page.get_by_role("status")).to_have_count(0)


def expect_no_sideways_scroll(person: Person, path: str) -> None:
    expect_page(person, path)
    width = person.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width == PHONE[0], path
