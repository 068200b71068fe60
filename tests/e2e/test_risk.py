"""What a position or an account is warned of, charged and ended for, as the page tells it."""

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect
from tests.e2e.extensions import EvmExtension, SolanaExtension
from tests.e2e.figures import signed_usd, usd
from tests.e2e.people import Meet, Person
from tests.e2e.venue import Venue

from pump_party.bootstrap.operators import open_prop_trading
from pump_party.config import Settings
from pump_party.domains.prop_interface.contract import AccountKind, OpenAccount

pytestmark = pytest.mark.browser

PHONE = (360, 740)
PERP = "/trade?market=SOL-PERP"
CUT_OFF = r"ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket connection to"


def long(person: Person, quantity: str, leverage: int) -> None:
    person.see("leverage-input").fill(str(leverage))
    person.see("amount-input").fill(quantity)
    person.see("submit-order").click()
    expect(person.see("perp-row")).to_have_count(1)


@pytest.mark.parametrize("size", [(1280, 900), PHONE])
def test_every_page_warns_of_a_position_near_its_liquidation_until_the_price_is_back(
    size: tuple[int, int], meet: Meet, venue: Venue, solana: SolanaExtension
):
    person = meet(solana, size=size)
    person.begin_trading(solana, path=PERP)
    long(person, "100", 10)
    (told,) = person.account()["perps"]
    assert 138 < float(told["liquidation_price"]) < 139.5
    expect(person.see("perp-liquidation")).to_have_attribute("data-near", "false")
    expect(person.see("margin-call")).to_have_count(0)

    for price in ("145.0000", "140.5000"):
        venue.move("SOLUSDC", price)
        expect(person.see("price-SOL-PERP")).to_have_text(price)
    call = person.see("margin-call")
    expect(call).to_contain_text("SOL-PERP long 10× is near its liquidation.")
    expect(call).to_contain_text(re.compile(r"The price is 1\.\d\d% away; \d\d\d\.\d\d USD, 1\d% of its margin"))
    expect(person.see("perp-liquidation")).to_have_attribute("data-near", "true")
    expect(person.see("announcer")).to_have_text("SOL-PERP long 10× is near its liquidation.")
    person.page.get_by_role("link", name="Portfolio").locator("visible=true").click()
    expect(person.see("residual")).to_be_visible()
    call.get_by_role("link").click()
    expect(person.page).to_have_url(re.compile("market=SOL-PERP"))
    width = person.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
    assert width == size[0]

    venue.move("SOLUSDC", "144")
    expect(call).to_have_count(0)
    expect(person.see("perp-row")).to_have_count(1)


def test_an_hour_of_funding_is_paid_from_the_margin_and_stands_in_the_history(meet: Meet, evm: EvmExtension):
    person = meet(evm)
    person.expect_problem(CUT_OFF)
    person.begin_trading(evm, path=PERP)
    long(person, "100", 5)
    expect(person.see("perp-funding")).to_have_text(re.compile(r"0\.00$"))
    account_id = person.account()["account_id"]
    person.product.kill()
    expect(person.see("connection-state")).to_have_attribute("data-state", "reconnecting")
    hold_an_hour_longer(person, account_id)
    person.product.start()
    expect(person.see("connection-state")).to_have_attribute("data-state", "live")

    # 100 SOL at 150 for an hour at 0.01% for eight: 0.1875 USD, which longs pay to shorts.
    expect(person.see("perp-funding")).to_contain_text(signed_usd("-0.1875"))
    account = person.account()
    assert account["perps"][0]["funding"] == account["funding"] == "-0.1875"
    assert account["residual"] == "0"
    expect(person.see("funding")).to_contain_text(signed_usd("-0.1875"))
    expect(person.see("equity")).to_have_text(usd(account["equity"]))
    person.page.get_by_role("link", name="Portfolio").first.click()
    expect(person.see("residual")).to_have_text("0.000000")
    person.see("history-ledger").click()
    funding = person.page.get_by_role("row").filter(has_text="funding")
    expect(funding.filter(has_text="0.1875").first).to_be_visible()


def hold_an_hour_longer(person: Person, account_id: str) -> None:
    """Let the account's position have been funded last an hour before, as if it had been held while the hour turned."""
    file = person.product.folder / "data" / "pump_party.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        earlier = "UPDATE prop_perp_positions SET funded_hour = funded_hour - 1 WHERE account_id = ?"
        assert database.execute(earlier, (account_id,)).rowcount == 1


def enter_audition(person: Person) -> str:
    """Open the account of an audition, as a contest does for those who enter: nobody opens one on request."""
    user_id = person.product.get("/v1/me", person.token())["user_id"]
    with open_prop_trading(Settings(data_dir=str(person.product.folder / "data"))) as prop:
        command = OpenAccount(user_id, AccountKind.CONTEST, "audition", "audition-v1")
        return prop.open_account(command).account_id


def test_an_account_that_loses_more_than_its_rules_allow_is_frozen_and_says_by_which_limit(
    meet: Meet, venue: Venue, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    account_id = enter_audition(person)
    person.page.reload()
    person.see("account-switch").select_option(account_id)
    expect(person.see("loss-limits")).to_have_text(
        "Frozen by a loss of more than 4% of the start in a day, or a loss of more than 8% of the start in all."
    )
    person.see("market-tab-BTC-USDC").click()
    expect(person.see("submit-reason")).to_have_text("This account’s rules allow only SOL-USDC.")
    person.see("market-tab-SOL-USDC").click()
    person.order("buy", "9900")
    expect(person.see("order-result")).to_have_attribute("data-status", "filled")
    expect(person.see("position-row")).to_have_count(1)

    venue.move("SOLUSDC", "143.2")
    banner = person.see("account-status")
    expect(banner).to_have_attribute("data-status", "frozen")
    expect(banner).to_contain_text("Account frozen.")
    expect(banner).to_contain_text("a loss of more than 4% of the start in a day")
    expect(banner).to_contain_text("below the 10000 at the start of the day (UTC); at most 400 may be lost.")
    expect(person.see("submit-reason")).to_have_text("Account frozen.")
    person.see("amount-input").fill("100")
    expect(person.see("submit-order")).to_be_disabled()
    expect(person.see("position-row")).to_have_count(0)
    expect(person.see("fill-row")).to_have_count(2)
    person.page.reload()
    expect(banner).to_have_attribute("data-status", "frozen")
    told = person.product.get(f"/v1/accounts/{account_id}", person.token())
    assert (told["status"], told["residual"]) == ("frozen", "0")
    expect(person.see("cash")).to_have_text(usd(told["cash"]))
