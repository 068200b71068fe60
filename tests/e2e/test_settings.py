"""Wallets, API keys and sessions of the person who is signed in."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.extensions import EvmExtension, SolanaExtension
from tests.e2e.people import Meet
from tests.product import Client

pytestmark = pytest.mark.browser


def test_a_second_wallet_is_linked_by_its_own_signature_and_signs_the_same_person_in(
    meet: Meet, solana: SolanaExtension, evm: EvmExtension
):
    person = meet(solana, evm)
    person.open("/settings")
    person.sign_in(solana)
    expect(person.see("wallet-linked")).to_have_count(1)
    person.see("link-wallet").click()
    person.choose(evm)
    expect(person.see("wallet-linked")).to_have_count(2)
    expect(person.see("wallet-linked").nth(1)).to_contain_text(re.compile(evm.wallet.address, re.IGNORECASE))
    assert evm.asked == ["eth_requestAccounts", "eth_accounts", "personal_sign"]

    elsewhere = meet(evm)
    elsewhere.open("/settings")
    elsewhere.sign_in(evm)
    expect(elsewhere.see("wallet-linked")).to_have_count(2)


def test_an_api_key_is_shown_once_and_works_until_it_is_revoked(meet: Meet, solana: SolanaExtension):
    person = meet(solana)
    person.open("/settings")
    person.sign_in(solana)
    person.see("api-key-name").fill("trading-bot")
    person.see("api-key-create").click()
    key = person.see("api-key-value").inner_text()
    expect(person.see("api-key-row")).to_contain_text("trading-bot")
    program = Client(person.product.port, key)
    assert program.request("GET", "/v1/me")[0] == 200
    assert program.request("POST", "/v1/accounts", {"kind": "practice"}, key="read-only")[0] == 403

    person.page.reload()
    expect(person.see("api-key-row")).to_have_count(1)
    expect(person.see("api-key-value")).to_have_count(0)
    assert key not in person.page.content()

    person.see("api-key-row").get_by_role("button", name="Revoke").click()
    expect(person.see("api-key-row")).to_have_count(0)
    assert program.request("GET", "/v1/me")[0] == 401


def test_a_session_revoked_elsewhere_ends_here_and_closes_its_socket(meet: Meet, solana: SolanaExtension):
    here, elsewhere = meet(solana), meet(solana)
    here.begin_trading(solana)
    # Something may be asked for in the moment before the page hears of it.
    here.expect_problem(r"status of 401 \(Unauthorized\)")
    elsewhere.open("/settings")
    elsewhere.sign_in(solana)
    expect(elsewhere.see("session-row")).to_have_count(2)
    other = elsewhere.page.locator("[data-testid=session-row][data-current=false]")
    other.get_by_role("button", name="Revoke").click()
    expect(elsewhere.see("session-row")).to_have_count(1)

    expect(here.see("sign-in-button")).to_be_visible()
    expect(here.see("cash")).to_have_count(0)
    here.expect_socket_closed()
    expect(elsewhere.see("session-menu")).to_be_visible()
