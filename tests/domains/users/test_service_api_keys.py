import re

import pytest
from tests.domains.users.conftest import Door
from tests.wallets import SolanaWallet

from pump_party.db.engine import Database
from pump_party.db.outbox import OutboxStore
from pump_party.domains.users.contract import ApiKeyCreated, Principal, Scope
from pump_party.domains.users.service import API_KEYS_PER_USER_MAX
from pump_party.kernel.errors import Conflict, IdempotencyMismatch, Invalid, NotFound, Unauthenticated


def create(door: Door, principal: Principal, *, key: str = "k-1", name: str = "bot") -> ApiKeyCreated:
    return door.users.create_api_key(principal, name=name, scopes=[Scope.READ], idempotency_key=key)


def is_live(door: Door, key: str) -> bool:
    try:
        door.users.authenticate_api_key(key)
    except Unauthenticated as refusal:
        return refusal.code != "api_key_invalid"
    return True


def test_an_api_key_is_shown_once_and_speaks_for_its_user_within_its_scopes(door: Door):
    owner = door.enter(SolanaWallet(1))
    created = door.users.create_api_key(owner, name=" my bot ", scopes=[Scope.READ], idempotency_key="k-1")

    principal = door.users.authenticate_api_key(created.key)

    assert re.fullmatch(r"pp_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", created.key)
    assert created.key.startswith(created.prefix)
    assert (principal.user_id, principal.api_key_id) == (owner.user_id, created.api_key_id)
    assert (principal.session_id, principal.csrf_token) == (None, None)
    assert principal.scopes == {Scope.READ}
    (view,) = door.users.list_api_keys(owner)
    assert (view.api_key_id, view.name, view.scopes, view.prefix) == (
        created.api_key_id,
        "my bot",
        (Scope.READ,),
        created.prefix,
    )
    assert created.key not in repr(view)


def test_repeating_the_creation_makes_no_second_key_and_shows_no_secret(door: Door):
    owner = door.enter(SolanaWallet(1))
    created = create(door, owner)

    with pytest.raises(Conflict) as refusal:
        create(door, owner)
    with pytest.raises(IdempotencyMismatch):
        create(door, owner, name="other")

    assert refusal.value.code == "api_key_already_created"
    assert created.api_key_id in refusal.value.detail
    assert created.key not in refusal.value.detail
    assert len(door.users.list_api_keys(owner)) == 1


def test_two_users_may_use_the_same_idempotency_key(door: Door):
    keys = {create(door, door.enter(SolanaWallet(number))).key for number in (1, 2)}

    assert len(keys) == 2


def test_a_revoked_key_is_dead_and_its_event_is_stored_with_it(door: Door, database: Database):
    owner = door.enter(SolanaWallet(1))
    created, kept = create(door, owner), create(door, owner, key="k-2")
    principal = door.users.authenticate_api_key(created.key)
    assert door.users.is_valid(principal)

    door.users.revoke_api_key(owner, created.api_key_id)

    assert (is_live(door, created.key), is_live(door, kept.key)) == (False, True)
    assert not door.users.is_valid(principal)
    (message,) = OutboxStore(database).after(owner.user_id, seq=0, limit=10)
    assert created.api_key_id.encode() in bytes(message.payload)


def test_a_stranger_cannot_revoke_a_key_or_learn_that_it_is_there(door: Door):
    created, stranger = create(door, door.enter(SolanaWallet(1))), door.enter(SolanaWallet(2))
    for api_key_id in (created.api_key_id, "0197f0a0-0000-7000-8000-000000000001", "x", "", "\x00"):
        with pytest.raises(NotFound) as refusal:
            door.users.revoke_api_key(stranger, api_key_id)
        assert refusal.value.code == "api_key_not_found"

    assert is_live(door, created.key)
    assert door.users.list_api_keys(stranger) == []


def test_a_user_has_a_bounded_number_of_keys(door: Door):
    owner = door.enter(SolanaWallet(1))
    created = [create(door, owner, key=f"k-{number}") for number in range(API_KEYS_PER_USER_MAX)]

    with pytest.raises(Conflict) as refusal:
        create(door, owner, key="one-more")
    assert refusal.value.code == "too_many_api_keys"

    door.users.revoke_api_key(owner, created[0].api_key_id)
    assert is_live(door, create(door, owner, key="one-more").key)


def test_last_use_is_noted_at_most_once_a_minute(door: Door):
    owner = door.enter(SolanaWallet(1))
    created = create(door, owner)
    start_ms = door.clock.now_ms()
    used = [door.users.list_api_keys(owner)[0].last_used_ms]
    for _ in range(4):
        is_live(door, created.key)
        used.append(door.users.list_api_keys(owner)[0].last_used_ms)
        door.clock.advance(30_000)

    assert used == [None, start_ms, start_ms, start_ms + 60_000, start_ms + 60_000]


def test_text_that_is_no_key_is_refused(door: Door):
    key = create(door, door.enter(SolanaWallet(1))).key
    secret = key.split("_", 2)[2]
    for text in ("", "pp_", key[:-1], key + "x", key.upper(), "pp_00000000_" + secret, "é" * len(key), "x" * 1_000_000):
        assert not is_live(door, text)


def test_a_bad_name_or_no_scope_is_refused(door: Door):
    owner = door.enter(SolanaWallet(1))
    for name in ("", "  ", "x" * 65, "two\nlines", "nul\x00", "\ud800"):
        with pytest.raises(Invalid) as refusal:
            create(door, owner, name=name)
        assert (refusal.value.code, refusal.value.field) == ("bad_api_key_name", "name")
    with pytest.raises(Invalid) as refusal:
        door.users.create_api_key(owner, name="bot", scopes=[], idempotency_key="k")
    assert (refusal.value.code, refusal.value.field) == ("no_scope", "scopes")
    assert door.users.list_api_keys(owner) == []
