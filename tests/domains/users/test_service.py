import pytest
from tests.domains.users.conftest import ABSOLUTE_MS, IDLE_MS, Door
from tests.wallets import EvmWallet, SolanaWallet, Wallet

from pump_party.db.engine import Database
from pump_party.db.outbox import OutboxStore
from pump_party.domains.users.contract import ChallengePurpose, Principal, Scope
from pump_party.domains.users.service import (
    SEEN_EVERY_MS_MAX,
    SESSIONS_PER_USER_MAX,
    USER_AGENT_CHARS_MAX,
    WALLETS_PER_USER_MAX,
)
from pump_party.kernel.errors import Conflict, Forbidden, NotFound, Refusal, Unauthenticated
from pump_party.platform.bus import SESSION_CHANNEL


def link(door: Door, principal: Principal, wallet: Wallet, *, signer: Wallet | None = None) -> str:
    """How an attempt to link ends: "linked" or the code."""
    challenge = door.users.create_challenge(
        chain=wallet.chain, address=wallet.address, purpose=ChallengePurpose.LINK, user_id=principal.user_id
    )
    signature = (signer or wallet).sign(challenge.message)
    try:
        door.users.link_wallet(principal, challenge_id=challenge.challenge_id, signature=signature, signed_message=None)
    except Refusal as refusal:
        return refusal.code
    return "linked"


def is_live(door: Door, token: str) -> bool:
    try:
        door.users.authenticate_session(token)
    except Unauthenticated as refusal:
        return refusal.code != "session_invalid"
    return True


def test_the_first_sign_in_of_a_wallet_creates_its_user_and_later_ones_find_it(door: Door):
    first, second = door.sign_in(SolanaWallet(1)), door.sign_in(SolanaWallet(1))
    stranger = door.sign_in(SolanaWallet(2))

    assert (first.created, second.created, stranger.created) == (True, False, True)
    assert first.user_id == second.user_id != stranger.user_id
    assert first.token != second.token
    assert first.expires_at_ms == door.clock.now_ms() + ABSOLUTE_MS


def test_an_evm_wallet_is_one_user_in_any_letter_case_and_on_any_chain(door: Door):
    users = set()
    for chain_id in (1, 4326):
        for spelling in (str.lower, lambda text: "0x" + text[2:].upper()):
            wallet = EvmWallet(7, chain_id=chain_id)
            wallet.address = spelling(wallet.address)
            users.add(door.sign_in(wallet).user_id)

    assert len(users) == 1


def test_me_shows_the_wallets_and_a_name_that_is_not_one(door: Door):
    wallet = SolanaWallet(3)
    principal = door.enter(wallet)

    me = door.users.me(principal)

    assert [(w.chain, w.address) for w in me.wallets] == [("solana", wallet.address)]
    assert me.display_name == door.users.display_names([me.user_id])[me.user_id]
    assert wallet.address not in me.display_name


def test_a_session_may_do_everything_and_has_a_csrf_token(door: Door):
    signed_in = door.sign_in(SolanaWallet(1))

    principal = door.users.authenticate_session(signed_in.token)

    assert principal.scopes == set(Scope)
    assert (principal.session_id, principal.user_id) == (signed_in.session_id, signed_in.user_id)
    assert principal.csrf_token == signed_in.csrf_token
    assert signed_in.csrf_token not in (signed_in.token, door.sign_in(SolanaWallet(1)).csrf_token)


def test_text_that_is_no_token_is_refused(door: Door):
    token = door.sign_in(SolanaWallet(1)).token
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    for text in ("", changed, token + "=", token[:-1], token.swapcase(), "é" * 43, "\x00" * 43, "x" * 1_000_000):
        assert not is_live(door, text)


def test_a_session_ends_when_it_is_not_used(door: Door):
    used, unused = door.sign_in(SolanaWallet(1)).token, door.sign_in(SolanaWallet(1)).token
    door.clock.advance(IDLE_MS - 1)
    assert is_live(door, used)
    door.clock.advance(1)

    assert is_live(door, used)
    assert not is_live(door, unused)
    door.clock.advance(IDLE_MS)
    assert not is_live(door, used)


def test_a_session_ends_in_any_case(door: Door):
    signed_in = door.sign_in(SolanaWallet(1))
    principal = door.users.authenticate_session(signed_in.token)
    while door.clock.now_ms() + IDLE_MS // 2 < signed_in.expires_at_ms:
        door.clock.advance(IDLE_MS // 2)
        assert is_live(door, signed_in.token)
    door.clock.advance(signed_in.expires_at_ms - door.clock.now_ms() - 1)
    assert is_live(door, signed_in.token)
    assert door.users.is_valid(principal)

    door.clock.advance(1)

    assert not is_live(door, signed_in.token)
    assert not door.users.is_valid(principal)


def test_last_seen_moves_at_most_once_a_minute(door: Door):
    signed_in = door.sign_in(SolanaWallet(1))
    start_ms = door.clock.now_ms()
    seen = []
    for _ in range(5):
        door.clock.advance(SEEN_EVERY_MS_MAX // 2)
        principal = door.users.authenticate_session(signed_in.token)
        seen.append(door.users.list_sessions(principal)[0].last_seen_ms - start_ms)

    assert seen == [0, 60_000, 60_000, 120_000, 120_000]


def test_sessions_are_listed_newest_first_without_anything_secret(door: Door):
    evm, solana = EvmWallet(1), SolanaWallet(1)
    principal = door.enter(evm)
    assert link(door, principal, solana) == "linked"
    door.clock.advance(5)
    newer = door.sign_in(solana, user_agent="Mozilla/5.0\r\nX: \x00" + "x" * 1_000)

    views = door.users.list_sessions(principal)

    assert [(v.session_id, v.wallet_address, v.current) for v in views] == [
        (newer.session_id, solana.address, False),
        (principal.session_id, evm.address, True),
    ]
    assert views[0].user_agent.startswith("Mozilla/5.0??X: ?xxx")
    assert len(views[0].user_agent) == USER_AGENT_CHARS_MAX
    assert newer.token not in repr(views)


def test_a_user_has_a_bounded_number_of_sessions_and_the_oldest_ends(door: Door, database: Database):
    tokens = []
    for _ in range(SESSIONS_PER_USER_MAX + 2):
        door.clock.advance(1)
        tokens.append(door.sign_in(SolanaWallet(1)))

    live = [is_live(door, signed_in.token) for signed_in in tokens]

    assert live == [False, False] + [True] * SESSIONS_PER_USER_MAX
    messages = OutboxStore(database).after(tokens[0].user_id, seq=0, limit=10)
    assert [bytes(m.payload) for m in messages] == [
        f'{{"user_id":"{s.user_id}","session_ids":["{s.session_id}"],"at_ms":{t.expires_at_ms - ABSOLUTE_MS}}}'.encode()
        for s, t in zip(tokens[:2], tokens[-2:], strict=True)
    ]


def test_a_revoked_session_ends_at_once_and_its_event_is_stored_with_it(door: Door, database: Database):
    kept, revoked = door.sign_in(SolanaWallet(1)), door.sign_in(SolanaWallet(1))
    principal = door.users.authenticate_session(kept.token)
    gone = door.users.authenticate_session(revoked.token)

    door.users.revoke_session(principal, revoked.session_id)

    assert (is_live(door, kept.token), is_live(door, revoked.token)) == (True, False)
    assert (door.users.is_valid(principal), door.users.is_valid(gone)) == (True, False)
    (message,) = OutboxStore(database).after(kept.user_id, seq=0, limit=10)
    assert (message.channel, message.kind) == (SESSION_CHANNEL, "sessions_revoked")
    assert revoked.session_id.encode() in bytes(message.payload)
    with pytest.raises(NotFound):
        door.users.revoke_session(principal, revoked.session_id)


def test_a_stranger_cannot_revoke_a_session_or_learn_that_it_is_there(door: Door):
    mine, stranger = door.sign_in(SolanaWallet(1)), door.enter(SolanaWallet(2))
    for session_id in (mine.session_id, "0197f0a0-0000-7000-8000-000000000001", "x", "", "\x00"):
        with pytest.raises(NotFound) as refusal:
            door.users.revoke_session(stranger, session_id)
        assert refusal.value.code == "session_not_found"

    assert is_live(door, mine.token)


def test_revoking_all_sessions_ends_them_and_nobody_elses(door: Door, database: Database):
    mine = [door.sign_in(SolanaWallet(1)) for _ in range(3)]
    stranger = door.sign_in(SolanaWallet(2))

    door.users.revoke_all_sessions(door.users.authenticate_session(mine[0].token))

    assert [is_live(door, s.token) for s in [*mine, stranger]] == [False, False, False, True]
    (message,) = OutboxStore(database).after(mine[0].user_id, seq=0, limit=10)
    assert all(s.session_id.encode() in bytes(message.payload) for s in mine)


def test_expired_sessions_are_deleted(door: Door):
    door.sign_in(SolanaWallet(1))
    door.clock.advance(IDLE_MS - 1)
    fresh = door.sign_in(SolanaWallet(1))
    door.users.prune()
    door.clock.advance(1)

    assert door.users.prune() == 1
    assert door.users.prune() == 0
    assert is_live(door, fresh.token)


def test_who_may_link_which_wallet(door: Door):
    # who     wallet            signed by    | outcome
    owner, stranger = door.enter(SolanaWallet(1)), door.enter(SolanaWallet(2))
    fresh = EvmWallet(3)
    rows = [
        (owner, SolanaWallet(1), None, "linked"),
        (owner, SolanaWallet(2), None, "wallet_taken"),
        (stranger, SolanaWallet(1), None, "wallet_taken"),
        (owner, fresh, EvmWallet(4), "bad_signature"),
        (owner, fresh, SolanaWallet(1), "bad_signature"),
        (owner, fresh, None, "linked"),
        (owner, fresh, None, "linked"),
        (stranger, fresh, None, "wallet_taken"),
    ]
    for who, wallet, signer, outcome in rows:
        assert link(door, who, wallet, signer=signer) == outcome

    assert [w.address for w in door.users.me(owner).wallets] == [SolanaWallet(1).address, fresh.address]
    assert [w.address for w in door.users.me(stranger).wallets] == [SolanaWallet(2).address]
    assert door.sign_in(fresh).user_id == owner.user_id


def test_a_text_that_links_is_good_for_its_user_and_for_linking_only(door: Door):
    owner, stranger, wallet = door.enter(SolanaWallet(1)), door.enter(SolanaWallet(2)), EvmWallet(3)

    def challenge(purpose: ChallengePurpose, user_id: str | None):
        asked = door.users.create_challenge(
            chain=wallet.chain, address=wallet.address, purpose=purpose, user_id=user_id
        )
        return {
            "challenge_id": asked.challenge_id,
            "signature": wallet.sign(asked.message),
            "signed_message": None,
        }

    to_link, to_sign_in = challenge(ChallengePurpose.LINK, owner.user_id), challenge(ChallengePurpose.SIGN_IN, None)
    for refused in (
        lambda: door.users.link_wallet(stranger, **to_link),
        lambda: door.users.create_session(**to_link, user_agent=""),
        lambda: door.users.link_wallet(owner, **to_sign_in),
    ):
        with pytest.raises(Unauthenticated) as refusal:
            refused()
        assert refusal.value.code == "challenge_unknown"

    assert door.users.link_wallet(owner, **to_link).address == wallet.address
    assert door.users.create_session(**to_sign_in, user_agent="").user_id == owner.user_id


def test_a_user_has_a_bounded_number_of_wallets(door: Door):
    principal = door.enter(SolanaWallet(1))
    outcomes = [link(door, principal, SolanaWallet(number)) for number in range(2, WALLETS_PER_USER_MAX + 2)]

    assert outcomes == ["linked"] * (WALLETS_PER_USER_MAX - 1) + ["too_many_wallets"]


def test_an_api_key_manages_no_credentials(door: Door):
    session = door.enter(SolanaWallet(1))
    created = door.users.create_api_key(session, name="bot", scopes=[Scope.READ, Scope.TRADE], idempotency_key="k")
    principal = door.users.authenticate_api_key(created.key)
    wallet = EvmWallet(1)
    asked = door.users.create_challenge(
        chain=wallet.chain, address=wallet.address, purpose=ChallengePurpose.LINK, user_id=principal.user_id
    )
    signature = wallet.sign(asked.message)
    for act in (
        lambda: door.users.list_sessions(principal),
        lambda: door.users.revoke_session(principal, session.session_id),
        lambda: door.users.revoke_all_sessions(principal),
        lambda: door.users.list_api_keys(principal),
        lambda: door.users.revoke_api_key(principal, created.api_key_id),
        lambda: door.users.create_api_key(principal, name="x", scopes=[Scope.TRADE], idempotency_key="l"),
        lambda: door.users.link_wallet(
            principal, challenge_id=asked.challenge_id, signature=signature, signed_message=None
        ),
    ):
        with pytest.raises(Forbidden) as refusal:
            act()
        assert refusal.value.code == "session_required"
    assert door.users.me(principal).user_id == session.user_id
    with pytest.raises(Conflict):
        door.users.create_api_key(session, name="bot", scopes=[Scope.TRADE, Scope.READ], idempotency_key="k")
