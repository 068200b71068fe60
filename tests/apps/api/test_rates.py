import shutil
from collections.abc import Iterator

import pytest
from tests.apps.api.stage import Api, running_api
from tests.wallets import SolanaWallet

from pump_party.apps.api.rates import CHALLENGES_PER_ADDRESS, CHALLENGES_PER_WALLET, site_of
from pump_party.apps.order_wire import ORDERS_PER_USER
from pump_party.config import Settings
from pump_party.platform.limits import Limit


@pytest.fixture
def limited_api(sqlite_template, tmp_path) -> Iterator[Api]:
    shutil.copy(sqlite_template, tmp_path / "pump_party.sqlite3")
    with running_api(Settings(data_dir=str(tmp_path), trusted_proxies="127.0.0.1")) as api:
        yield api


def challenge(api: Api, number: int, client: str = "192.0.2.1"):
    body = {"chain": "solana", "address": SolanaWallet(number + 1).address}
    return api.client.post("/v1/auth/challenges", json=body, headers={"X-Forwarded-For": client})


def test_challenges_are_limited_per_address_and_per_wallet_and_say_when_to_come_back(limited_api: Api):
    asked = [challenge(limited_api, number) for number in range(100, 100 + CHALLENGES_PER_ADDRESS.burst + 1)]
    assert [answer.status_code for answer in asked[:-1]] == [201] * CHALLENGES_PER_ADDRESS.burst
    refused = asked[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) * 1000 >= refused.json()["retry_after_ms"] > 0
    assert challenge(limited_api, 100, client="192.0.2.2").status_code == 201

    clients = [f"198.51.100.{number}" for number in range(CHALLENGES_PER_WALLET.burst + 1)]
    assert [challenge(limited_api, 7, client).status_code for client in clients].count(429) == 1


def test_what_a_forwarded_header_says_counts_only_from_a_trusted_proxy(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "pump_party.sqlite3")
    with running_api(Settings(data_dir=str(tmp_path), trusted_proxies="")) as api:
        asked = [
            challenge(api, number, client=f"192.0.2.{number}") for number in range(CHALLENGES_PER_ADDRESS.burst + 1)
        ]
    assert asked[-1].status_code == 429


def test_reads_and_orders_are_limited_per_credential_and_user(limited_api: Api, monkeypatch):
    person, other = limited_api.sign_in(), limited_api.sign_in()
    tight = Limit(name="tight", burst=3, per_minute=1)
    monkeypatch.setattr("pump_party.apps.api.rates.ORDERS_PER_USER", tight)
    monkeypatch.setattr("pump_party.apps.api.rates.READS_PER_CREDENTIAL", tight)

    assert [person.get("/v1/me").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert other.get("/v1/me").status_code == 200

    again = limited_api.sign_in(person.wallet)
    path = f"/v1/accounts/{person.open_account()}/orders"
    order = {"market": "SOL-USDC", "side": "buy", "quantity": "1"}
    assert [p.post(path, order).status_code for p in (person, again, person, again)] == [201, 201, 201, 429]


def test_health_is_never_limited(limited_api: Api, monkeypatch):
    monkeypatch.setattr("pump_party.apps.api.rates.READS_PER_ADDRESS", Limit(name="tight", burst=1, per_minute=1))
    assert [limited_api.client.get("/v1/markets").status_code for _ in range(2)] == [200, 429]
    assert {limited_api.client.get("/v1/health/live").status_code for _ in range(5)} == {200}


def test_limits_have_names_of_their_own():
    from pump_party.apps.api import rates

    limits = [value for value in vars(rates).values() if isinstance(value, Limit)]
    assert len({limit.name for limit in limits}) == len(limits) > 5
    assert ORDERS_PER_USER in limits


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("unknown", "unknown"),
    ],
)
def test_one_ipv6_customer_is_one_site(address, site):
    assert site_of(address) == site
