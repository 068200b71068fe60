"""Someone signs in, buys and sells, and every figure on every page is the server's."""

import csv
import re

import pytest
from playwright.sync_api import Locator, Route, expect
from tests.e2e.extensions import EvmExtension, SolanaExtension
from tests.e2e.figures import signed_usd, usd
from tests.e2e.people import Meet
from tests.e2e.venue import Venue

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("wallet", "asked"),
    [
        ("solana", ["connect", "signMessage"]),
        ("solana_sign_in", ["connect", "signIn"]),
        ("evm", ["eth_requestAccounts", "eth_accounts", "personal_sign"]),
    ],
)
def test_with_any_wallet_one_signs_in_and_buys_sol_for_an_amount_in_usd(
    wallet: str, asked: list[str], meet: Meet, request: pytest.FixtureRequest
):
    extension = request.getfixturevalue(wallet)
    person = meet(extension)
    person.begin_trading(extension)
    assert extension.asked == asked

    person.see("amount-input").fill("1500")
    expect(person.see("preview-total")).to_have_text("1,499.99")
    result = person.order("buy", "1500")

    expect(result).to_have_attribute("data-status", "filled")
    expect(result).to_contain_text("Bought 9.9919 SOL")
    actual_estimate_gap = result.locator("tbody tr").filter(has_text="Total").locator("td[data-figure]")
    expect(actual_estimate_gap).to_have_text(["1,499.99", "1,499.99", "0.00"])
    (fill,) = person.expect_fills_shown()
    account = person.expect_shown_as_told()
    assert [position["quantity"] for position in account["positions"]] == [fill["quantity"]] == ["9.9919"]
    assert (account["residual"], account["fees"]) == ("0", fill["fee"])


def test_a_fill_reaches_the_page_by_socket_alone(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.begin_trading(solana)
    expect(person.see("fills-table")).to_contain_text("No fills yet.")
    fetched: list[str] = []

    def refuse_to_fetch(route: Route) -> None:
        if route.request.method == "GET":
            fetched.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    person.page.route(re.compile("/v1/accounts"), refuse_to_fetch)
    person.order("buy", "250")
    expect(person.see("fill-row")).to_have_count(1)
    expect(person.see("announcer")).to_have_text(re.compile(r"Bought 1\.6\d+ SOL at 150\.\d+"))

    order = {"market": "ETH-USDC", "side": "buy", "quantity": "0.5"}
    path = f"/v1/accounts/{person.account()['account_id']}/orders"
    status, _ = person.client().request("POST", path, order, key="from-a-program")
    assert status == 201
    expect(person.see("fill-row")).to_have_count(2)

    fills = person.expect_fills_shown()
    person.expect_shown_as_told()
    told = [frame["fill"]["fill_id"] for frame in person.frames if frame["type"] == "order_fill"]
    assert told == [fill["fill_id"] for fill in reversed(fills)]
    assert fetched == []


def test_a_rise_is_gain_on_every_page_and_selling_makes_it_cash(meet: Meet, venue: Venue, solana: SolanaExtension):
    person = meet(solana)
    person.begin_trading(solana)
    person.order("buy", "20", unit="base")
    expect(person.see("position-row")).to_have_count(1)
    venue.move("SOLUSDC", "152.5")
    expect(person.see("price-SOL-USDC")).to_have_text("152.5000")
    account = person.expect_shown_as_told()
    assert float(account["unrealised_pnl"]) > 49

    person.page.get_by_role("link", name="Portfolio").first.click()
    expect_books(person.see("identity"), account)

    person.page.get_by_role("link", name="Trade").first.click()
    person.see("close-position").click()
    expect(person.see("order-result")).to_contain_text("Sold 20 SOL")
    expect(person.see("position-row")).to_have_count(0)
    account = person.expect_shown_as_told()
    assert account["cash"] == account["equity"]
    assert len(person.expect_fills_shown()) == 2

    person.page.get_by_role("link", name="Portfolio").first.click()
    expect_books(person.see("identity"), account)
    expect(person.see("fills-history").locator("tbody tr")).to_have_count(2)
    person.page.reload()
    expect_books(person.see("identity"), account)
    expect(person.page.get_by_role("main")).to_contain_text("Everything is in cash.")


def test_who_trades_stands_on_the_leaderboard(meet: Meet, evm: EvmExtension):
    person = meet(evm)
    person.open("/leaderboard")
    expect(person.see("not-on-board")).to_have_text("Sign in to find yourself.")
    person.sign_in(evm)
    expect(person.see("not-on-board")).to_have_text("You are here soon after your first fill.")
    person.page.get_by_role("link", name="Trade").first.click()
    person.see("create-account").click()
    person.order("buy", "3000")
    person.expect_fills_shown()

    def standing() -> list[dict[str, object]]:
        board = person.product.get("/v1/leaderboards/practice?limit=200", person.token())
        return [row for row in board["items"] if row["mine"]]

    person.product.wait_until(standing, within_s=30)
    person.page.get_by_role("link", name="Leaderboard").first.click()
    row = person.page.locator("[data-testid=leaderboard-row][data-mine=true]")
    expect(row).to_contain_text(usd(person.account()["equity"]))
    expect(row).to_contain_text("thin sample1")
    expect(person.see("not-on-board")).to_have_count(0)
    expect(row.get_by_test_id("held-return")).to_have_text(re.compile(r"−0\.\d\d%$"))
    expect(person.see("jump-to-me")).to_have_text(f"Jump to me (#{standing()[0]['rank']})")


def test_an_order_beyond_the_cash_is_refused_with_the_reason_before_and_after_sending(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.begin_trading(solana)
    person.see("amount-input").fill("10001")
    expect(person.see("submit-reason")).to_have_text("Not enough cash for this order and its fee.")
    expect(person.see("submit-order")).to_be_disabled()

    # Without an estimate the page cannot know, and the server has the last word.
    person.expect_problem("ERR_FAILED at .*/preview")
    person.page.route("**/orders/preview", lambda route: route.abort())
    result = person.order("buy", "100", unit="base")
    expect(result).to_have_attribute("data-status", "rejected")
    expect(result).to_contain_text("Not enough cash for this order and its fee.")
    expect(result).to_contain_text("INSUFFICIENT_FUNDS")
    person.see("orders-tab").click()
    expect(person.see("order-row")).to_have_attribute("data-status", "rejected")
    assert person.expect_shown_as_told()["cash"] == "10000"


def test_without_the_rules_of_the_account_the_ticket_says_so_and_asks_for_them_again(
    meet: Meet, solana: SolanaExtension
):
    person = meet(solana)
    person.expect_problem("ERR_FAILED at .*/v1/rule-sets")
    person.open()
    person.sign_in(solana)
    expect(person.see("create-account")).to_be_enabled()
    person.page.route("**/v1/rule-sets", lambda route: route.abort())
    person.page.reload()
    expect(person.page.get_by_role("main")).to_contain_text("Could not load the ways orders may fill.")
    expect(person.see("create-account")).to_be_disabled()
    person.page.unroute("**/v1/rule-sets")
    person.page.get_by_role("button", name="Try again").click()
    person.see("create-account").click()
    expect(person.see("cash")).to_have_text("10,000.00")

    person.page.route("**/v1/rule-sets", lambda route: route.abort())
    person.page.reload()
    expect(person.see("submit-reason")).to_have_text("No order can be sent without the rules of your account.")
    person.page.unroute("**/v1/rule-sets")
    person.page.get_by_role("button", name="Try again").click()
    expect(person.see("submit-reason")).to_have_text("Enter an amount.")


def test_a_reset_starts_the_next_cycle_and_all_that_was_goes_into_a_csv(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.begin_trading(solana)
    person.order("buy", "3000")
    (fill,) = person.expect_fills_shown()
    person.page.get_by_role("link", name="Portfolio").first.click()
    person.see("reset-account").click()
    person.see("confirm-reset").click()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("cycle 2")
    expect(person.see("cash")).to_have_text("10,000.00")
    expect(person.page.get_by_role("main")).to_contain_text("Everything is in cash.")

    with person.page.expect_download() as download:
        person.see("export-csv").click()
    with download.value.path().open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert download.value.suggested_filename == "pump-party-fills.csv"
    told = [row[name] for name in ("fill id", "order id", "quantity", "price", "gross", "fee")]
    assert told == [fill[name] for name in ("fill_id", "order_id", "quantity", "price", "gross", "fee")]
    assert row["tick sha256"] == fill["evidence"]["tick_sha256"]


def expect_books(identity: Locator, account: dict[str, str]) -> None:
    """The identity of the books, to the last digit."""
    expect(identity.locator("dd")).to_have_text(
        [
            usd(account["start"], 6),
            signed_usd(account["realised_pnl"], 6),
            signed_usd(account["unrealised_pnl"], 6),
            usd(account["fees"], 6),
            usd(account["equity"], 6),
            "0.000000",
        ]
    )
