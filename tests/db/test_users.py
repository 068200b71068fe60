from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from tests.domains.users.conftest import Door
from tests.wallets import EvmWallet, SolanaWallet

from pump_party.db.engine import Database
from pump_party.db.users import UserStore
from pump_party.domains.users.contract import ChallengePurpose, Principal, Scope
from pump_party.domains.users.credentials import fingerprint
from pump_party.domains.users.model import Challenge, User, Wallet
from pump_party.domains.users.service import API_KEYS_PER_USER_MAX, SESSIONS_PER_USER_MAX, WALLETS_PER_USER_MAX
from pump_party.kernel.errors import Conflict
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

THREADS = 16


@pytest.fixture
def door(database: Database, clock: ManualClock, ids: Ids) -> Door:
    return Door(database, clock, ids)


def challenge(number: int, *, address: str = "a", issued_at_ms: int = 0, expires_at_ms: int = 1_000) -> Challenge:
    return Challenge(
        challenge_id=f"c-{number}",
        purpose=ChallengePurpose.SIGN_IN,
        user_id=None,
        chain="solana",
        address=address,
        message="text",
        issued_at_ms=issued_at_ms,
        expires_at_ms=expires_at_ms,
    )


def dump(database: Database) -> bytes:
    """Every value of every table, as text and as raw bytes."""
    with database.read() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        values = [
            value for table in tables.sorted_tables for row in connection.execute(sa.select(table)) for value in row
        ]
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def count(database: Database, table: str) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_dump_of_the_database_holds_no_token_and_no_key(door: Door, database: Database):
    signed_in = door.sign_in(SolanaWallet(1))
    principal = door.users.authenticate_session(signed_in.token)
    created = door.users.create_api_key(principal, name="bot", scopes=[Scope.TRADE], idempotency_key="k")
    door.users.authenticate_api_key(created.key)
    door.users.revoke_session(principal, door.sign_in(SolanaWallet(1)).session_id)
    secret = created.key.removeprefix(created.prefix + "_")

    dumped = dump(database)

    assert fingerprint(signed_in.token) in dumped
    assert fingerprint(created.key) in dumped
    assert created.prefix.encode() in dumped
    for shown_once in (signed_in.token, signed_in.csrf_token, created.key, secret):
        assert shown_once.encode() not in dumped
        assert shown_once.encode()[:20] not in dumped


def test_a_challenge_is_spent_once_for_its_purpose_and_user_before_it_expires(database: Database):
    store = UserStore(database)
    store.add_challenge(challenge(1), kept_per_wallet=10)

    def spend(purpose: ChallengePurpose, user_id: str | None, now_ms: int) -> bool:
        return store.spend_challenge("c-1", purpose=purpose, user_id=user_id, now_ms=now_ms)

    assert not spend(ChallengePurpose.LINK, None, 0)
    assert not spend(ChallengePurpose.SIGN_IN, "u-1", 0)
    assert not spend(ChallengePurpose.SIGN_IN, None, 1_000)
    assert spend(ChallengePurpose.SIGN_IN, None, 999)
    assert not spend(ChallengePurpose.SIGN_IN, None, 999)
    found = store.find_challenge("c-1")
    assert found is not None
    assert found.used_at_ms == 999


def test_the_newest_challenge_stays_however_many_came_in_its_millisecond(database: Database):
    store = UserStore(database)
    for number in (5, 4, 3, 2, 1):
        store.add_challenge(challenge(number), kept_per_wallet=2)
        assert store.find_challenge(f"c-{number}") is not None
    store.add_challenge(challenge(9, address="b"), kept_per_wallet=2)

    assert count(database, "users_challenges") == 3


def test_pruning_takes_a_bounded_batch_of_what_expired(database: Database):
    store = UserStore(database)
    for number in range(7):
        store.add_challenge(challenge(number, address=str(number), expires_at_ms=number), kept_per_wallet=1)

    def prune(before_ms: int) -> int:
        return store.prune(challenges_before_ms=before_ms, sessions_before_ms=before_ms, limit=3)

    assert [prune(4), prune(4), prune(4), prune(100)] == [3, 2, 0, 2]


def test_first_sign_ins_of_one_wallet_at_the_same_time_make_one_user(door: Door, database: Database):
    wallet = EvmWallet(1)
    asked = [
        door.users.create_challenge(chain=wallet.chain, address=wallet.address, purpose=ChallengePurpose.SIGN_IN)
        for _ in range(8)
    ]
    signatures = [wallet.sign(each.message) for each in asked]
    together = Barrier(len(asked))

    def sign_in(number: int) -> str:
        together.wait()
        return door.users.create_session(
            challenge_id=asked[number].challenge_id,
            signature=signatures[number],
            signed_message=None,
            user_agent="",
        ).user_id

    with ThreadPoolExecutor(len(asked)) as pool:
        user_ids = list(pool.map(sign_in, range(len(asked))))

    assert len(set(user_ids)) == 1
    assert (count(database, "users_users"), count(database, "users_wallets")) == (1, 1)
    assert count(database, "users_sessions") == len(asked)


def test_a_wallet_that_is_linked_already_keeps_its_first_link(database: Database):
    store = UserStore(database)
    with store.transaction() as tx:
        for user_id in ("u-1", "u-2"):
            tx.add_user(User(user_id=user_id, created_at_ms=0))
        links = [
            tx.add_wallet(
                Wallet(
                    wallet_id=f"w-{user_id}",
                    user_id=user_id,
                    identity="solana:a",
                    chain="solana",
                    address="a",
                    linked_at_ms=0,
                )
            )
            for user_id in ("u-1", "u-2")
        ]

    assert [link.user_id for link in links] == ["u-1", "u-1"]


def test_limits_hold_under_requests_at_the_same_time(door: Door, database: Database):
    principal = door.enter(SolanaWallet(1))
    for number in range(API_KEYS_PER_USER_MAX - 1):
        door.users.create_api_key(principal, name="bot", scopes=[Scope.READ], idempotency_key=f"k-{number}")
    for number in range(2, WALLETS_PER_USER_MAX):
        link(door, principal, number)
    for _ in range(SESSIONS_PER_USER_MAX - 2):
        door.sign_in(SolanaWallet(1))
    together = Barrier(THREADS)

    def attempt(number: int) -> str:
        together.wait()
        try:
            if number % 3 == 0:
                door.sign_in(SolanaWallet(1))
            elif number % 3 == 1:
                door.users.create_api_key(principal, name="bot", scopes=[Scope.READ], idempotency_key=f"x-{number}")
            else:
                link(door, principal, 100 + number)
        except Conflict as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = Counter(pool.map(attempt, range(THREADS)))

    assert count(database, "users_sessions") == SESSIONS_PER_USER_MAX
    assert count(database, "users_api_keys") == API_KEYS_PER_USER_MAX
    assert count(database, "users_wallets") == WALLETS_PER_USER_MAX
    assert outcomes == {"done": 6 + 1 + 1, "too_many_api_keys": 4, "too_many_wallets": 4}


def link(door: Door, principal: Principal, number: int) -> None:
    wallet = SolanaWallet(number)
    asked = door.users.create_challenge(
        chain="solana", address=wallet.address, purpose=ChallengePurpose.LINK, user_id=principal.user_id
    )
    door.users.link_wallet(
        principal, challenge_id=asked.challenge_id, signature=wallet.sign(asked.message), signed_message=None
    )


def test_a_repeated_creation_at_the_same_time_makes_one_key(door: Door):
    principal = door.enter(SolanaWallet(1))
    together = Barrier(THREADS)

    def attempt(_: int) -> str:
        together.wait()
        try:
            door.users.create_api_key(principal, name="bot", scopes=[Scope.READ], idempotency_key="same")
        except Conflict as refusal:
            return refusal.code
        return "created"

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = Counter(pool.map(attempt, range(THREADS)))

    assert outcomes == {"created": 1, "api_key_already_created": THREADS - 1}
    assert len(door.users.list_api_keys(principal)) == 1


def test_authenticating_a_session_is_one_statement(door: Door, database: Database):
    token = door.sign_in(SolanaWallet(1)).token
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    for engine in {database._reader, database._writer}:
        sa.event.listen(engine, "before_cursor_execute", note)
    door.users.authenticate_session(token)
    for engine in {database._reader, database._writer}:
        sa.event.remove(engine, "before_cursor_execute", note)

    asked = [statement for statement in statements if not statement.startswith("BEGIN")]
    assert len(asked) == 1, asked
    assert "token_sha256" in asked[0]


def test_what_every_request_asks_is_found_by_an_index(sqlite_database: Database):
    for table, column in (("users_sessions", "token_sha256"), ("users_api_keys", "key_sha256")):
        with sqlite_database.read() as connection:
            plan = connection.execute(sa.text(f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = x'00'")).all()
        assert "USING INDEX" in str(plan)
