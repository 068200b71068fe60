import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.apps.api.stage import Api, Person
from tests.wallets import EvmWallet, SolanaWallet, base64_text

from pump_party.platform.tickets import TICKET_LIFE_MS


@pytest.mark.parametrize("wallet", [SolanaWallet(11), EvmWallet(11)], ids=["solana", "evm"])
def test_a_wallet_signs_in_and_comes_back_as_the_same_user(api: Api, wallet):
    first, second = api.sign_in(wallet), api.sign_in(wallet)
    assert first.user_id == second.user_id
    assert first.session_id != second.session_id
    me = first.get("/v1/me").json()
    assert me["user_id"] == first.user_id
    assert me["csrf_token"] == first.csrf_token
    assert [(w["chain"], w["address"]) for w in me["wallets"]] == [(wallet.chain, wallet.address)]


def test_a_sign_in_wallet_sends_the_message_it_signed(api: Api):
    wallet = SolanaWallet(12)
    challenge = api.client.post("/v1/auth/challenges", json={"chain": "solana", "address": wallet.address}).json()
    body = {
        "challenge_id": challenge["challenge_id"],
        "signature": wallet.sign_base64(challenge["message"]),
        "signed_message": base64_text(challenge["message"]),
    }
    assert api.client.post("/v1/auth/sessions", json=body).status_code == 201


def test_a_challenge_opens_one_session_even_under_fifty_tries(api: Api):
    proof = api.proof(SolanaWallet(13))
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: api.client.post("/v1/auth/sessions", json=proof).status_code, range(50)))
    assert sorted(statuses) == [201] + [401] * 49


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"signature": SolanaWallet(14).sign("something else")}, 401, "bad_signature"),
        ({"signature": SolanaWallet(15).sign("?")}, 401, "bad_signature"),
        ({"challenge_id": "00000000-0000-7000-8000-000000000000"}, 401, "challenge_unknown"),
    ],
)
def test_a_bad_proof_opens_no_session(api: Api, change, status, code):
    answer = api.client.post("/v1/auth/sessions", json=api.proof(SolanaWallet(14)) | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("chain", "address", "field"),
    [
        ("bitcoin", SolanaWallet(1).address, "chain"),
        ("eip155:999", EvmWallet(1).address, "chain"),
        ("eip155:1", SolanaWallet(1).address, "address"),
        ("solana", EvmWallet(1).address, "address"),
        ("solana", "0OIl", "address"),
    ],
)
def test_only_wallets_of_listed_chains_get_a_challenge(api: Api, chain, address, field):
    answer = api.client.post("/v1/auth/challenges", json={"chain": chain, "address": address})
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


def test_a_page_may_ask_who_is_signed_in_and_only_the_session_itself_is_told(api: Api, person: Person):
    def told(credential: dict[str, str]) -> object:
        answer = api.client.get("/v1/auth/sessions/current", headers=credential)
        assert answer.status_code == 200
        return answer.json()["me"]

    by_cookie = {"Cookie": f"pp_session={person.token}"}
    assert told(by_cookie) == person.get("/v1/me").json()
    for nobody in (
        {},
        {"Cookie": "pp_session=worthless"},
        {"Authorization": "Bearer worthless"},
        {"Authorization": f"Bearer {person.api_key(['read', 'trade'])}"},
    ):
        assert told(nobody) is None
    person.delete("/v1/auth/sessions/current")
    assert told(by_cookie) is None


def test_sessions_are_listed_and_signing_out_ends_this_one_at_once(api: Api, person: Person):
    other = api.sign_in(person.wallet)
    items = person.get("/v1/auth/sessions").json()["items"]
    assert {item["session_id"]: item["current"] for item in items} == {
        person.session_id: True,
        other.session_id: False,
    }
    assert {item["wallet_address"] for item in items} == {person.wallet.address}

    answer = person.delete("/v1/auth/sessions/current")
    assert (answer.status_code, answer.content) == (204, b"")
    assert person.get("/v1/me").status_code == 401
    assert other.get("/v1/me").status_code == 200


def test_signing_out_everywhere_ends_every_session(api: Api, person: Person):
    other = api.sign_in(person.wallet)
    assert other.delete("/v1/auth/sessions").status_code == 204
    assert [p.get("/v1/me").status_code for p in (person, other)] == [401, 401]


def test_a_session_ended_by_another_process_is_refused_within_two_seconds(api: Api, person: Person):
    assert person.get("/v1/me").status_code == 200
    principal = api.services.users.authenticate_session(person.token)
    api.services.users.revoke_all_sessions(principal)
    ended_at = time.monotonic()
    while person.get("/v1/me").status_code == 200:
        assert time.monotonic() - ended_at < 2
        time.sleep(0.05)


def test_a_second_wallet_is_linked_by_its_own_signature_and_signs_in_as_the_same_user(api: Api, person: Person):
    wallet = EvmWallet(16)
    ask = {"chain": wallet.chain, "address": wallet.address, "purpose": "link"}
    assert api.client.post("/v1/auth/challenges", json=ask).status_code == 401
    challenge = person.post("/v1/auth/challenges", ask).json()
    proof = {"challenge_id": challenge["challenge_id"], "signature": wallet.sign(challenge["message"])}
    linked = person.post("/v1/wallets", proof)
    assert (linked.status_code, linked.json()["address"]) == (201, wallet.address)
    assert api.sign_in(wallet).user_id == person.user_id


def test_an_api_key_does_what_its_scopes_say_until_it_is_revoked(api: Api, person: Person):
    made = person.post("/v1/api-keys", {"name": "bot", "scopes": ["read"]}).json()
    bearer = {"Authorization": f"Bearer {made['key']}"}
    assert made["key"].startswith("pp_")
    listed = person.get("/v1/api-keys").json()["items"]
    assert [item["api_key_id"] for item in listed] == [made["api_key_id"]]
    assert made["key"] not in person.get("/v1/api-keys").text

    assert api.client.get("/v1/accounts", headers=bearer).status_code == 200
    refused = api.client.post("/v1/accounts", json={"kind": "practice"}, headers=bearer | {"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    link = {"chain": "solana", "address": person.wallet.address, "purpose": "link"}
    assert api.client.post("/v1/auth/challenges", json=link, headers=bearer).json()["code"] == "session_required"

    assert person.delete(f"/v1/api-keys/{made['api_key_id']}").status_code == 204
    assert api.client.get("/v1/accounts", headers=bearer).status_code == 401


def test_a_ticket_carries_the_session_to_the_stream_once(api: Api, person: Person):
    import asyncio

    answer = person.post("/v1/stream/tickets").json()
    assert 0 < answer["expires_at_ms"] - api.services.clock.now_ms() <= TICKET_LIFE_MS
    payload = asyncio.run(api.services.tickets.redeem(answer["ticket"]))
    assert payload is not None
    assert person.session_id.encode() in payload
    assert asyncio.run(api.services.tickets.redeem(answer["ticket"])) is None


def test_secrets_never_reach_the_database_or_the_log(api: Api, person: Person, capfd):
    key = person.api_key(["read"])
    person.get("/v1/me")
    stored = b"".join(
        path.read_bytes() for path in _files(api) if path.name.startswith("pump_party.sqlite3") and path.is_file()
    )
    assert person.user_id.encode() in stored
    logged = "".join(capfd.readouterr())
    for secret in (person.token, person.csrf_token, key):
        assert secret.encode() not in stored
        assert secret not in logged


def _files(api: Api):
    from pathlib import Path

    return Path(api.services.settings.data_dir).iterdir()
