import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import msgspec
import pytest
import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.outbox import OutboxStore, append, append_next
from pump_party.platform.outbox import OutboxMessage


def message(seq: int, subject: str = "ann", at_ms: int = 1) -> OutboxMessage:
    return OutboxMessage("account", subject, seq, "happened", msgspec.Raw(b'{"n":"\\u00e9"}'), at_ms)


def stored(database: Database, *messages: OutboxMessage) -> OutboxStore:
    with database.write() as connection:
        append(connection, messages)
    return OutboxStore(database)


def seqs(found: object) -> list[int]:
    return [one.seq for one in found]  # type: ignore[attr-defined]


def unsent(outbox: OutboxStore) -> list[tuple[str, int]]:
    return [(one.subject, one.seq) for _, one in outbox.unsent(limit=100)]


def test_a_message_comes_back_as_it_was_stored(database: Database) -> None:
    outbox = stored(database, message(1))
    [(row_number, found)] = outbox.unsent(limit=10)
    assert row_number > 0
    assert msgspec.structs.asdict(found) | {"payload": bytes(found.payload)} == msgspec.structs.asdict(message(1)) | {
        "payload": bytes(message(1).payload)
    }


def test_unsent_rows_come_in_order_until_they_are_marked(database: Database) -> None:
    outbox = stored(database, message(1), message(1, "bob"), message(2), message(3))
    rows = outbox.unsent(limit=3)
    assert [(one.subject, one.seq) for _, one in rows] == [("ann", 1), ("bob", 1), ("ann", 2)]

    outbox.mark_sent([rows[0][0], rows[2][0]], at_ms=5)
    assert unsent(outbox) == [("bob", 1), ("ann", 3)]
    outbox.mark_sent([], at_ms=5)


def test_a_rolled_back_fact_leaves_no_message(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            append(connection, [message(1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert unsent(OutboxStore(database)) == []


def test_a_row_committed_late_is_found_though_later_rows_were_sent(postgres_database: Database) -> None:
    outbox = OutboxStore(postgres_database)
    with postgres_database.write() as slow:
        append(slow, [message(1, "slow")])
        stored(postgres_database, message(1, "fast"))
        outbox.mark_sent([row_number for row_number, _ in outbox.unsent(limit=10)], at_ms=5)
    assert unsent(outbox) == [("slow", 1)]


def test_catching_up_reads_what_is_newer_sent_or_not(database: Database) -> None:
    outbox = stored(database, *(message(seq) for seq in (2, 4, 5)), message(9, "bob"))
    outbox.mark_sent([outbox.unsent(limit=1)[0][0]], at_ms=5)
    assert seqs(outbox.after("ann", seq=0, limit=10)) == [2, 4, 5]
    assert seqs(outbox.after("ann", seq=2, limit=1)) == [4]
    assert seqs(outbox.after("ann", seq=5, limit=10)) == []


def test_the_newest_seq_of_one_and_of_many(database: Database) -> None:
    outbox = stored(database, message(2), message(7), message(3, "bob"))
    assert outbox.latest_seq("ann") == 7
    assert outbox.latest_seq("nobody") == 0
    many = [f"user {number}" for number in range(1_200)]
    assert outbox.latest_seqs(["ann", *many, "bob"]) == {"ann": 7, "bob": 3}


def test_a_seq_is_given_once(database: Database) -> None:
    stored(database, message(1))
    with pytest.raises(sa.exc.IntegrityError):
        stored(database, message(1))


def test_concurrent_writers_of_one_subject_get_gapless_seqs(database: Database) -> None:
    def write(_: int) -> int:
        with database.write() as connection:
            return append_next(connection, channel="session", subject="ann", kind="k", payload=b"{}", at_ms=1)

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(write, range(20))) == list(range(1, 21))


def test_pruning_removes_old_sent_rows_but_never_a_subject_s_newest(database: Database) -> None:
    outbox = stored(database, message(1), message(2), message(1, "bob"), message(2, "bob"), message(3, at_ms=100))
    outbox.mark_sent([row for row, one in outbox.unsent(limit=9) if (one.subject, one.seq) != ("bob", 1)], at_ms=10)

    assert outbox.prune(sent_before_ms=10) == 0
    assert outbox.prune(sent_before_ms=50) == 2
    assert seqs(outbox.after("ann", seq=0, limit=9)) == [3]
    assert seqs(outbox.after("bob", seq=0, limit=9)) == [1, 2]
    assert outbox.latest_seq("ann") == 3


def test_news_wakes_whoever_asked_until_he_stops_asking(sqlite_database: Database) -> None:
    outbox = OutboxStore(sqlite_database)
    woken = threading.Semaphore(0)
    stop = outbox.on_notify(woken.release)
    outbox.notify()
    assert woken.acquire(timeout=0)
    stop()
    outbox.notify()
    assert not woken.acquire(timeout=0)


def test_one_relay_leads_and_another_takes_over(postgres_url: str) -> None:
    with closing(Database(postgres_url)) as one, closing(Database(postgres_url)) as other:
        first, second = OutboxStore(one), OutboxStore(other)
        assert [first.lead(), second.lead(), first.lead()] == [True, False, True]
        first.stop_leading()
        takes_over(second)
        assert not first.lead()
        second.stop_leading()


def takes_over(outbox: OutboxStore) -> None:
    """The server notices a closed connection a moment later; a relay that stands by asks every second."""
    for _ in range(500):
        if outbox.lead():
            return
        time.sleep(0.01)
    raise AssertionError("nobody took over")


def test_a_leader_whose_connection_dies_is_replaced_and_knows_it(postgres_url: str) -> None:
    with closing(Database(postgres_url)) as one, closing(Database(postgres_url)) as other:
        first, second = OutboxStore(one), OutboxStore(other)
        assert first.lead()
        with other.write() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        takes_over(second)
        assert not first.lead()
        second.stop_leading()
        takes_over(first)
        first.stop_leading()
