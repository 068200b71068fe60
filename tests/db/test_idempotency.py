import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from tests.db.desk import ALICE, Desk

from pump_party.db.engine import Database
from pump_party.db.idempotency import AnswerStore, idempotent, recall, remember
from pump_party.db.outbox import OutboxStore, append_next
from pump_party.db.prop_engine import MONEY_SCOPES
from pump_party.domains.prop_interface.contract import AccountKind, OpenAccount, ResetAccount
from pump_party.kernel.errors import IdempotencyMismatch
from pump_party.platform.clock import ManualClock
from pump_party.platform.idempotency import RequestKey
from pump_party.platform.retention import FOR_EVER, Retention


def announce(connection: sa.Connection) -> bytes:
    """An effect that can be counted, and that two may start at once."""
    seq = append_next(
        connection, channel="c", subject=threading.current_thread().name, kind="k", payload=b"{}", at_ms=1
    )
    return b"answer %d" % seq


def use(database: Database, request_sha256: str = "r", key: str = "k", effect: object = announce) -> bytes:
    return idempotent(
        database,
        RequestKey("ann/orders", key, request_sha256),
        at_ms=1,
        effect=effect,  # type: ignore[arg-type]
    )


def effects(database: Database) -> int:
    return len(OutboxStore(database).unsent(limit=1_000))


def test_a_repeat_gets_the_first_answer_and_changes_nothing(database: Database) -> None:
    assert [use(database), use(database)] == [b"answer 1", b"answer 1"]
    assert effects(database) == 1


def test_another_request_under_the_same_key_is_refused(database: Database) -> None:
    use(database)
    with pytest.raises(IdempotencyMismatch):
        use(database, request_sha256="other")
    assert effects(database) == 1


def test_keys_of_different_scopes_are_different(database: Database) -> None:
    with database.write() as connection:
        remember(connection, RequestKey("a", "k", "r"), b"1", at_ms=1)
        remember(connection, RequestKey("b", "k", "r"), b"2", at_ms=1)
        assert recall(connection, RequestKey("b", "k", "r")) == b"2"
        assert recall(connection, RequestKey("c", "k", "r")) is None


def test_a_failed_effect_leaves_the_key_free(database: Database) -> None:
    def fail(connection: sa.Connection) -> bytes:
        announce(connection)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        use(database, effect=fail)
    assert effects(database) == 0
    use(database)
    assert effects(database) == 1


def test_concurrent_first_uses_have_one_effect_and_one_answer(database: Database) -> None:
    for number in range(10):
        start = threading.Barrier(5)

        def storm(_: int, start: threading.Barrier = start, key: str = f"key {number}") -> bytes:
            start.wait()
            return use(database, key=key)

        with ThreadPoolExecutor(5) as threads:
            assert len(set(threads.map(storm, range(5)))) == 1
        assert effects(database) == number + 1


def test_an_effect_that_breaks_a_rule_of_its_own_is_not_hidden(database: Database) -> None:
    def twice(connection: sa.Connection) -> bytes:
        remember(connection, RequestKey("x", "x", "r"), b"", at_ms=1)
        remember(connection, RequestKey("x", "x", "r"), b"", at_ms=1)
        return b""

    with pytest.raises(sa.exc.IntegrityError):
        use(database, effect=twice)


def test_a_first_answer_is_remembered_for_the_days_that_are_set_and_then_its_key_is_new(
    database: Database, clock: ManualClock
) -> None:
    day_ms = 24 * 3_600_000
    with database.write() as connection:
        for number in range(3):
            remember(connection, RequestKey("ann", f"old-{number}", "r"), b"1", at_ms=clock.now_ms())
        remember(connection, RequestKey("ann", "young", "r"), b"1", at_ms=clock.now_ms() + 1)
    clock.advance(7 * day_ms)
    store = AnswerStore(database)
    assert Retention(store, clock, kept_days=7).prune() == 0
    clock.advance(1)
    assert Retention(store, clock, kept_days=FOR_EVER).prune() == 0
    assert store.prune(before_ms=clock.now_ms() - 7 * day_ms, limit=2) == 2
    assert [Retention(store, clock, kept_days=7).prune() for _ in range(2)] == [1, 0]
    with database.read() as connection:
        assert recall(connection, RequestKey("ann", "old-1", "other")) is None
        assert recall(connection, RequestKey("ann", "young", "r")) == b"1"


def test_the_keys_of_orders_outlive_first_answers(database: Database, clock: ManualClock) -> None:
    desk = Desk(database, clock, "practice-v2")
    placed = desk.place(idempotency_key="mine")
    AnswerStore(database).prune(before_ms=clock.now_ms() + 1, limit=9)
    assert desk.place(idempotency_key="mine") == placed
    with pytest.raises(IdempotencyMismatch):
        desk.place(nanos=1, idempotency_key="mine")


def test_the_keys_of_opening_and_resetting_an_account_never_expire(database: Database, clock: ManualClock) -> None:
    desk = Desk(database, clock, "practice-v2")
    opened = desk.engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "open-once"))
    reset = ResetAccount(ALICE, desk.account_id, "reset-once")
    assert desk.engine.reset_account(reset).cycle == 2
    AnswerStore(database, kept=MONEY_SCOPES).prune(before_ms=clock.now_ms() + 1, limit=9)
    again = desk.engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "open-once"))
    assert (again.account_id, desk.engine.reset_account(reset).cycle) == (opened.account_id, 2)
