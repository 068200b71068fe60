import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import msgspec
import pytest

from pump_party.apps.workers import relay_outbox
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.db.outbox import append
from pump_party.kernel.errors import Unavailable
from pump_party.platform.clock import ManualClock
from pump_party.platform.outbox import OutboxMessage
from pump_party.redis.memory import MemoryBus


class Recorder(MemoryBus):
    """A bus that keeps what was published, and is away for the first calls."""

    def __init__(self, *, away_for: int = 0) -> None:
        super().__init__()
        self.published: list[tuple[str, str, int]] = []
        self.calls_to_refuse = away_for

    async def publish(self, channel: str, messages: Sequence[bytes]) -> None:
        if self.calls_to_refuse:
            self.calls_to_refuse -= 1
            raise Unavailable("away")
        for message in messages:
            decoded = msgspec.json.decode(message, type=OutboxMessage)
            assert decoded.channel == channel
            self.published.append((channel, decoded.subject, decoded.seq))


@pytest.fixture(params=["sqlite", "postgres"])
def services(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    settings = Settings(data_dir=str(tmp_path_factory.mktemp("data")), database_url=url)
    with closing(build(settings)) as built:
        yield built


def store(services: Services, subject: str, *seqs: int, channel: str = "account", at_ms: int = 1) -> None:
    messages = [OutboxMessage(channel, subject, seq, "happened", msgspec.Raw(b"{}"), at_ms) for seq in seqs]
    with services.database.write() as connection:
        append(connection, messages)


@asynccontextmanager
async def relaying(*all_services: Services) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(relay_outbox.run(services, stop=stop)) for services in all_services]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


def test_committed_events_go_out_in_order_per_subject_and_once(services: Services) -> None:
    async def scenario() -> None:
        bus = Recorder()
        store(services, "ann", 1, 2)
        async with relaying(replace(services, bus=bus)):
            await until(lambda: len(bus.published) == 2)
            store(services, "bob", 1, channel="session")
            store(services, "ann", 3)
            await until(lambda: len(bus.published) == 4)
            await until(lambda: not services.outbox.unsent(limit=1))
        assert [one for one in bus.published if one[1] == "ann"] == [("account", "ann", seq) for seq in (1, 2, 3)]
        assert bus.published.count(("session", "bob", 1)) == 1

    asyncio.run(scenario())


def test_a_commit_that_is_told_goes_out_without_waiting_for_the_poll(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_outbox, "POLL_S_MIN", 60.0)
    monkeypatch.setattr(relay_outbox, "POLL_S_MAX", 60.0)

    async def scenario() -> None:
        bus = Recorder()
        async with relaying(replace(services, bus=bus)):
            await asyncio.sleep(0.2)
            store(services, "ann", 1)
            services.outbox.notify()
            await until(lambda: bus.published)

    asyncio.run(scenario())


def test_while_the_bus_is_away_nothing_is_marked_and_nothing_is_lost(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_outbox, "RETRY_S_MIN", 0.01)

    async def scenario() -> None:
        bus = Recorder(away_for=3)
        store(services, "ann", 1, 2, 3)
        async with relaying(replace(services, bus=bus)):
            await until(lambda: bus.calls_to_refuse < 3)
            assert len(services.outbox.unsent(limit=9)) == 3
            await until(lambda: not services.outbox.unsent(limit=1))
        assert bus.published == [("account", "ann", seq) for seq in (1, 2, 3)]

    asyncio.run(scenario())


def test_a_backlog_larger_than_a_batch_goes_out_whole(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_outbox, "BATCH_MAX", 10)

    async def scenario() -> None:
        bus = Recorder()
        store(services, "ann", *range(1, 46))
        async with relaying(replace(services, bus=bus)):
            await until(lambda: len(bus.published) >= 45)
        assert [seq for _, _, seq in bus.published] == list(range(1, 46))

    asyncio.run(scenario())


def test_old_sent_rows_are_pruned(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        clock = ManualClock(relay_outbox.RETENTION_MS)
        bus = Recorder()
        store(services, "ann", 1, 2, 3)
        async with relaying(replace(services, bus=bus, clock=clock)):
            await until(lambda: not services.outbox.unsent(limit=1))
            clock.advance(relay_outbox.RETENTION_MS + relay_outbox.PRUNE_EVERY_MS)
            await until(lambda: len(services.outbox.after("ann", seq=0, limit=9)) == 1)

    asyncio.run(scenario())


def test_of_two_relays_one_sends_and_the_other_takes_over(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(relay_outbox, "STANDBY_S", 0.05)
    settings = Settings(data_dir=str(tmp_path_factory.mktemp("data")), database_url=postgres_url)

    async def scenario(one: Services, other: Services) -> None:
        first, second = Recorder(), Recorder()
        async with relaying(replace(other, bus=second)):
            async with relaying(replace(one, bus=first)):
                store(one, "ann", *range(1, 21))
                await until(lambda: len(first.published + second.published) == 20)
                await asyncio.sleep(0.2)
                assert sorted((len(first.published), len(second.published))) == [0, 20]
            store(one, "ann", 21)
            await until(lambda: len(first.published + second.published) == 21)

    with closing(build(settings)) as one, closing(build(settings)) as other:
        asyncio.run(scenario(one, other))
