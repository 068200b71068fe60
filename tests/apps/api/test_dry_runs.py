"""Dry runs that wait for a model: bounded, and in nobody else's way."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.adapters.model_server import ModelServer, answering
from tests.apps.api.stage import SOL, Api, running_api
from tests.domains.aitrading.answers import answer, decision
from tests.domains.clones.strategies import prompt, sound

from pump_party.apps.api.threads import DRY_RUNS_MAX, DRY_RUNS_PER_USER_MAX, THREADS_MAX
from pump_party.config import Settings

MODEL = "stub:model"


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    """On a loop of its own; it answers after a second."""
    server = ModelServer(answering(answer(decision()), after_s=1.0))
    opened, ended = threading.Event(), threading.Event()

    async def serve() -> None:
        async with server.open():
            opened.set()
            await asyncio.to_thread(ended.wait)

    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(asyncio.run, serve())
        assert opened.wait(10)
        yield server
        ended.set()
        serving.result()


@pytest.fixture(scope="module")
def api(model: ModelServer, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    shutil.copy(sqlite_template, folder / "pump_party.sqlite3")
    settings = Settings(data_dir=str(folder), rate_limits=False, models=MODEL, model_urls=f"stub={model.url}/v1")
    with running_api(settings) as api:
        yield api


def test_a_user_has_few_dry_runs_at_a_time_and_is_told_when_to_come_back(api: Api):
    api.set_price(150)
    person, other = api.sign_in(), api.sign_in()
    clone_id = person.published_clone(sound(decider=prompt("Hold."), model=MODEL))
    path = f"/v1/clones/{clone_id}/dry-runs"

    def dry_run(_: int):
        api.set_price(150)
        return person.post(path, {"market": SOL})

    with ThreadPoolExecutor(DRY_RUNS_PER_USER_MAX + 1) as pool:
        answers = list(pool.map(dry_run, range(DRY_RUNS_PER_USER_MAX + 1)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert [(a.status_code, a.json()["code"], a.headers["retry-after"]) for a in refused] == [
        (429, "too_many_dry_runs", "5")
    ]
    assert all(answer.json()["decisions"][0]["action"] == "hold" for answer in answers if answer not in refused)
    assert dry_run(0).status_code == 200
    assert other.get("/v1/me").status_code == 200


def test_everybodys_dry_runs_leave_the_threads_of_requests_alone(api: Api, model: ModelServer):
    people = [api.sign_in() for _ in range(THREADS_MAX + 1)]
    clones = [one.published_clone(sound(decider=prompt("Hold."), model=MODEL)) for one in people]
    api.set_price(150)
    model.in_flight_most = 0
    with ThreadPoolExecutor(len(people)) as pool:
        asked = [
            pool.submit(one.post, f"/v1/clones/{clone_id}/dry-runs", {"market": SOL})
            for one, clone_id in zip(people, clones, strict=True)
        ]
        while model.in_flight < len(people):
            assert not any(future.done() for future in asked)
        assert people[0].get("/v1/me").status_code == 200
        assert model.in_flight == len(people) <= DRY_RUNS_MAX
        assert {future.result().status_code for future in asked} == {200}
