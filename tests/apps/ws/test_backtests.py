"""The channel of a backtest: its owner sees how far it is and how it ends, and nobody else that there is one."""

import asyncio
from typing import Any

import pytest
import uvloop
from tests.apps.ws.stage import Client, Stage, User, run, staged
from tests.domains.backtests.tapes import crossing

from pump_party.apps.ws import backtest_feed, following
from pump_party.bootstrap.services import Services
from pump_party.db.backtests import BacktestStore
from pump_party.domains.backtests.contract import BacktestState, BacktestView, StartBacktest
from pump_party.domains.backtests.store import Ended
from pump_party.domains.clones.contract import canonical
from pump_party.domains.users.contract import Scope
from pump_party.platform.jobs import Job

NOBODYS = "0" * 36


@pytest.fixture
def services(services_on_both: Services) -> Services:
    return services_on_both


class Played:
    """A backtest of a user, and the worker that moves it."""

    def __init__(self, services: Services, user: User, key: str = "one") -> None:
        owner = user.principal.user_id
        command = StartBacktest(user_id=owner, idempotency_key=key, tape="synthetic", strategy=canonical(crossing()))
        self.view: BacktestView = services.backtests.start(command)
        self.id = self.view.backtest_id
        self._clock = services.clock
        self._store = BacktestStore(services.database, services.ids)
        self._job: Job | None = None

    def begin(self) -> None:
        self._job = self._store.claim(now_ms=self._clock.now_ms())
        self._store.begin(self.id, now_ms=self._clock.now_ms())

    def come_to(self, minutes: int) -> None:
        assert self._job is not None
        assert self._store.progress(self._job, minutes_done=minutes, now_ms=self._clock.now_ms())

    def fail(self) -> None:
        assert self._job is not None
        ended = Ended(state=BacktestState.FAILED, finished_ms=self._clock.now_ms(), code="player_ended", detail="gone")
        self._store.finish(self._job, ended)


async def follow(client: Client, backtest_id: str, **more: Any) -> dict[str, Any]:
    return await client.ask(type="subscribe", channel="backtest", backtest_id=backtest_id, **more)


def progress(frame: dict[str, Any]) -> dict[str, Any]:
    return dict(frame["backtest"]) if frame["type"] == "backtest_progress" else {"state": None, "minutes_done": None}


def test_its_owner_sees_it_begin_come_on_and_end(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        played = Played(stage.services, user)
        client = await stage.signed_in(user)
        answer = await follow(client, played.id)
        assert answer["type"] == "subscribed"
        assert (answer["backtest_id"], answer["backtest"]["state"]) == (played.id, "waiting")
        played.begin()
        await client.until(lambda frame: progress(frame)["state"] == "running")
        played.come_to(1_000)
        await client.until(lambda frame: progress(frame)["minutes_done"] == 1_000)
        played.fail()
        last = await client.until(lambda frame: progress(frame)["state"] == "failed")
        assert (last["backtest_id"], last["backtest"]["code"]) == (played.id, "player_ended")
        again = await follow(client, played.id)
        assert again["backtest"] == last["backtest"]

    run(services, scenario)


def test_the_progress_of_a_frame_is_the_answer_of_the_api(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        played = Played(stage.services, user)
        client = await stage.signed_in(user)
        await follow(client, played.id)
        played.begin()
        frame = await client.until(lambda frame: progress(frame)["state"] == "running")
        now = stage.services.backtests.one(user.principal.user_id, played.id)
        shown = frame["backtest"]
        assert (shown["started_ms"], shown["minutes"], shown["name"]) == (now.started_ms, now.minutes, now.name)
        assert not {"user_id", "artifact_sha256"} & shown.keys()

    run(services, scenario)


def test_to_a_stranger_it_looks_like_nothing(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner, stranger = stage.user(1), stage.user(2)
        played = Played(stage.services, owner)
        client = await stage.signed_in(stranger)
        refused, nothing = await follow(client, played.id), await follow(client, NOBODYS)
        assert refused["code"] == nothing["code"] == "backtest_not_found"
        assert {**refused, "id": ""} == {**nothing, "id": ""}
        missing = await client.ask(type="subscribe", channel="backtest")
        assert (missing["code"], missing["field"]) == ("missing_field", "backtest_id")
        watching = await stage.signed_in(owner)
        await follow(watching, played.id)
        played.begin()
        await watching.until(lambda frame: progress(frame)["state"] == "running")
        assert not client.of("backtest_progress")

    run(services, scenario)


def test_a_key_that_may_not_read_follows_no_backtest(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        made = stage.services.users.create_api_key(
            user.principal, name="trader", scopes=[Scope.TRADE], idempotency_key="key"
        )
        key = stage.services.users.authenticate_api_key(made.key)
        client = await stage.signed_in(user_of(user, key))
        assert (await follow(client, Played(stage.services, user).id))["code"] == "scope_missing"

    run(services, scenario)


def user_of(user: User, principal: Any) -> User:
    user.principal = principal
    return user


def test_a_socket_follows_so_many_and_no_more(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BACKTESTS_PER_SOCKET", 2)

    async def scenario(stage: Stage) -> None:
        user = stage.user()
        first, second, third = (Played(stage.services, user, key).id for key in ("a", "b", "c"))
        client = await stage.signed_in(user)
        for followed in (first, second, first):
            assert (await follow(client, followed))["type"] == "subscribed"
        assert (await follow(client, third))["code"] == "too_many_followed"
        left = await client.ask(type="unsubscribe", channel="backtest", backtest_id=first)
        assert (left["type"], left["backtest_id"]) == ("unsubscribed", first)
        assert (await follow(client, third))["type"] == "subscribed"

    run(services, scenario)


def test_fast_progress_is_conflated_to_a_few_frames_a_second_and_ends_with_the_newest(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        played = Played(stage.services, user)
        client = await stage.signed_in(user)
        await follow(client, played.id)
        played.begin()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for minutes in range(1, 101):
            await asyncio.to_thread(played.come_to, minutes)
        await client.until(lambda frame: progress(frame)["minutes_done"] == 100)
        shown = [progress(frame)["minutes_done"] for frame in client.of("backtest_progress")]
        assert shown == sorted(set(shown))
        assert len(shown) <= (loop.time() - began_s) * backtest_feed.FRAMES_PER_S + 2

    run(services, scenario)


def test_what_the_bus_loses_is_made_good_from_the_outbox(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services, relaying=False) as stage:
            user = stage.user()
            played = Played(stage.services, user)
            client = await stage.signed_in(user)
            await follow(client, played.id)
            played.begin()
            played.fail()
            await client.until(lambda frame: progress(frame)["state"] == "failed")

    uvloop.run(scenario())


def test_a_client_that_leaves_is_followed_no_more(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        played = Played(stage.services, user)
        client, other = await stage.signed_in(user), await stage.signed_in(user)
        for one in (client, other):
            await follow(one, played.id)
        await client.ask(type="unsubscribe", channel="backtest", backtest_id=played.id)
        played.begin()
        await other.until(lambda frame: progress(frame)["state"] == "running")
        assert not client.of("backtest_progress")
        other.transport.disconnect()
        await other.until_closed()
        played.come_to(5)
        assert (await client.ask(type="ping"))["type"] == "pong"

    run(services, scenario)
