import shutil
from collections.abc import Iterator

import pytest
from tests.apps.api.stage import Api, Person, running_api
from tests.wallets import SolanaWallet

from pump_party.apps.api.browsers import page_headers
from pump_party.config import Settings


@pytest.fixture
def origin(api: Api) -> str:
    return api.services.settings.origin()


@pytest.fixture
def cookie(api: Api, person: Person) -> dict[str, str]:
    return {"Cookie": f"pp_session={person.token}"}


def open_account(api: Api, headers: dict[str, str], *, key: str):
    return api.client.post("/v1/accounts", json={"kind": "practice"}, headers=headers | {"Idempotency-Key": key})


def test_signing_in_sets_a_cookie_that_scripts_cannot_read(api: Api):
    answer = api.client.post("/v1/auth/sessions", json=api.proof(SolanaWallet(21)))
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name == f"pp_session={answer.json()['token']}"
    assert {"Path=/", "HttpOnly", "SameSite=Lax"} <= set(attributes)
    assert "Secure" not in attributes
    assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_a_cookie_alone_may_read(api: Api, cookie):
    assert api.client.get("/v1/me", headers=cookie).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 403, "origin_missing"),
        ({"Origin": "{origin}"}, 403, "csrf_mismatch"),
        ({"X-CSRF-Token": "{csrf}"}, 403, "origin_missing"),
        ({"Origin": "{origin}", "X-CSRF-Token": "wrong"}, 403, "csrf_mismatch"),
        ({"Origin": "{origin}", "X-CSRF-Token": ""}, 403, "csrf_mismatch"),
        ({"Origin": "https://evil.example", "X-CSRF-Token": "{csrf}"}, 403, "origin_not_allowed"),
        ({"Origin": "null", "X-CSRF-Token": "{csrf}"}, 403, "origin_not_allowed"),
        ({"Origin": "{origin}.evil.example", "X-CSRF-Token": "{csrf}"}, 403, "origin_not_allowed"),
        ({"Origin": "{origin}", "X-CSRF-Token": "{csrf}"}, 201, None),
    ],
)
def test_a_cookie_changes_something_only_with_its_origin_and_csrf_token(
    api: Api, person: Person, cookie, origin, headers, status, code
):
    headers = {name: value.format(origin=origin, csrf=person.csrf_token) for name, value in headers.items()}
    answer = open_account(api, cookie | headers, key="browser")
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert len(person.get("/v1/accounts").json()["items"]) == (1 if status == 201 else 0)


def test_the_csrf_token_of_another_session_is_no_good(api: Api, person: Person, cookie, origin):
    other = api.sign_in(person.wallet)
    answer = open_account(api, cookie | {"Origin": origin, "X-CSRF-Token": other.csrf_token}, key="k")
    assert answer.json()["code"] == "csrf_mismatch"


def test_a_bearer_token_needs_neither(api: Api, person: Person):
    headers = {"Authorization": f"Bearer {person.token}", "Origin": "https://evil.example"}
    assert open_account(api, headers, key="bearer").status_code == 201


def test_a_foreign_page_cannot_sign_somebody_in(api: Api):
    answer = api.client.post(
        "/v1/auth/sessions", json=api.proof(SolanaWallet(22)), headers={"Origin": "https://evil.example"}
    )
    assert answer.json()["code"] == "origin_not_allowed"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_form_of_another_page_is_not_read(api: Api, person: Person, cookie, origin, content_type):
    headers = cookie | {"Origin": origin, "X-CSRF-Token": person.csrf_token, "Idempotency-Key": "k"}
    answer = api.client.post(
        "/v1/accounts", content=b'{"kind":"practice"}', headers=headers | {"Content-Type": content_type}
    )
    assert answer.status_code == 415


def test_other_sites_are_told_nothing(api: Api):
    answer = api.client.options(
        "/v1/accounts", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_signing_out_takes_the_cookie_away(api: Api, person: Person):
    answer = person.delete("/v1/auth/sessions/current")
    assert answer.headers["set-cookie"].startswith("pp_session=; Path=/; Max-Age=0;")


def test_every_answer_carries_the_security_headers(api: Api):
    for path in ("/v1/markets", "/v1/nothing", "/", "/missing.js"):
        headers = api.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "strict-transport-security" not in headers
    assert api.client.get("/v1/markets").headers["cache-control"] == "no-store"


def test_the_page_may_talk_to_its_own_origin_and_the_stream_only():
    settings = Settings(public_origin="https://pump.party", ws_public_url="wss://stream.pump.party/v1/stream")
    policy = dict(page_headers(settings))[b"content-security-policy"].decode()
    assert "connect-src 'self' wss://stream.pump.party;" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.fixture
def https_api(sqlite_template, tmp_path) -> Iterator[Api]:
    shutil.copy(sqlite_template, tmp_path / "pump_party.sqlite3")
    with running_api(Settings(data_dir=str(tmp_path), public_origin="https://pump.party")) as api:
        yield api


def test_over_https_the_cookie_belongs_to_exactly_this_host(https_api: Api):
    answer = https_api.client.post("/v1/auth/sessions", json=https_api.proof(SolanaWallet(23)))
    name, *attributes = answer.headers["set-cookie"].split("; ")
    token = answer.json()["token"]
    assert name == f"__Host-pp_session={token}"
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert "max-age=" in answer.headers["strict-transport-security"]
    get = https_api.client.get
    assert get("/v1/me", headers={"Cookie": f"a=b; __Host-pp_session={token}"}).status_code == 200
    assert get("/v1/me", headers={"Cookie": f"pp_session={token}"}).status_code == 401
