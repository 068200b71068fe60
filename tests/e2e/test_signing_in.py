"""Who signs in, who does not, and how a session goes on and ends."""

import pytest
from playwright.sync_api import expect
from tests.e2e.extensions import EvmExtension, SolanaExtension
from tests.e2e.people import Meet
from tests.product import Client
from tests.wallets import EvmWallet, SolanaWallet

pytestmark = pytest.mark.browser


def test_saying_no_in_the_wallet_changes_nothing_and_can_be_thought_over(meet: Meet, evm: EvmExtension):
    person = meet(evm)
    evm.declines = True
    person.open()
    person.see("sign-in-button").click()
    person.choose(evm)
    expect(person.see("login-state")).to_have_attribute("data-state", "rejected")
    expect(person.see("login-state")).to_contain_text("You declined in the wallet.")
    assert person.context.cookies() == []

    evm.declines = False
    person.see("login-state").get_by_role("button", name="Try again").click()
    expect(person.see("session-menu")).to_be_visible()


def test_an_account_switched_in_the_wallet_is_noticed_before_anything_is_signed(meet: Meet, evm: EvmExtension):
    person = meet(evm)
    evm.selected = EvmWallet(4_001)
    person.open()
    person.see("sign-in-button").click()
    person.choose(evm)
    expect(person.see("login-state")).to_have_attribute("data-state", "wrong_account")
    for address in (evm.wallet.address, evm.selected.address):
        expect(person.see("login-state")).to_contain_text(f"{address[:6]}…{address[-4:]}")
    assert evm.asked == ["eth_requestAccounts", "eth_accounts"]


def test_a_signature_by_another_account_signs_nobody_in(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.expect_problem(r"status of 40\d .* at \S+/v1/auth/sessions$")
    solana.signs_with = SolanaWallet(4_002)
    person.open()
    person.see("sign-in-button").click()
    person.choose(solana)
    expect(person.see("login-state")).to_have_attribute("data-state", "wrong_account")
    assert solana.asked == ["connect", "signMessage"]
    assert person.context.cookies() == []
    person.page.keyboard.press("Escape")
    expect(person.see("sign-in-button")).to_be_visible()


def test_a_session_outlives_a_reload_and_ends_with_signing_out(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.begin_trading(solana)
    token = person.token()
    assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in person.context.cookies()] == [(True, "Lax")]

    person.page.reload()
    expect(person.see("session-menu")).to_be_visible()
    expect(person.see("cash")).to_have_text("10,000.00")
    expect(person.see("connection-state")).to_have_attribute("data-state", "live")
    assert solana.asked == ["connect", "signMessage"]

    person.see("session-menu").click()
    person.see("sign-out").click()
    expect(person.see("sign-in-button")).to_be_visible()
    expect(person.see("cash")).to_have_count(0)
    person.expect_socket_closed()
    assert person.context.cookies() == []
    status, problem = Client(person.product.port, token).request("GET", "/v1/me")
    assert (status, problem["code"]) == (401, "session_invalid")
    person.page.reload()
    expect(person.see("sign-in-button")).to_be_visible()

    # The cookie of a session that ended signs nobody in, and is no error either.
    person.context.add_cookies([{"name": "pp_session", "value": token, "url": person.page.url}])
    person.page.reload()
    expect(person.see("sign-in-button")).to_be_visible()


def test_every_wallet_of_the_browser_is_offered_once_and_without_one_the_page_says_so(
    meet: Meet, solana: SolanaExtension, solana_sign_in: SolanaExtension, evm: EvmExtension
):
    person = meet(solana, solana_sign_in, evm)
    person.open("/")
    person.see("sign-in-button").click()
    expect(person.page.get_by_test_id(r"wallet-row-Foxglove")).to_contain_text("EVM")
    expect(person.page.locator("[data-testid^=wallet-row-]")).to_have_text(
        ["FoxgloveEVM", "MoonlightSolana", "SunflareSolana"]
    )
    assert solana.asked == solana_sign_in.asked == evm.asked == []

    without = meet()
    without.open("/")
    without.see("sign-in-button").click()
    expect(without.see("wallet-none")).to_contain_text("No wallet was found in this browser.")
