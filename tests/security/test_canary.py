"""What is private of a clone is nowhere but with its owner: answers, frames, logs, metrics, pages, the database."""

import asyncio
import json
import re
from collections.abc import Iterator
from itertools import product as combinations
from pathlib import Path
from typing import Any, cast

import pytest
from picows import ws_connect
from tests.apps.api.stage import SOL, Api, Person
from tests.apps.ws.stage import Client
from tests.leaping_product import command_by, make_clock_file
from tests.product import Product
from tests.security.secrets import (
    ANSWER,
    API_KEY,
    BACKTEST,
    BIO,
    CONDITION,
    DRAFT,
    ECHO,
    LEVEL,
    MODEL,
    ORDER,
    OUTSIDE,
    PROMPT,
    SEED,
    STOP,
    STORED,
    Belongings,
    Clones,
    let_clones_decide,
    let_owner_act,
    private_model,
    secrets_in,
)

import pump_party
from pump_party.bootstrap.services import Services

ENDS_SOMETHING = "DELETE"
SCANS = (("GET",), ("POST", "PUT", "PATCH"), (ENDS_SOMETHING,))
OPTIONS: dict[str, dict[str, Any]] = {
    "GET": {"params": {"interval": "1m", "feature": "close(1m)"}},
    ENDS_SOMETHING: {},
}
PLACE = re.compile(r"\{(\w+)\}")
BUNDLE = Path(pump_party.__file__).parent / "apps" / "api" / "assets"
PUBLIC_STREAM_S = 3.0


class World:
    """A product in which clones have decided, its owner, a stranger, and nobody in particular."""

    def __init__(self, product: Product, api: Api, owner: Person, clones: Clones, others: Belongings) -> None:
        self.product = product
        self.api = api
        self.owner = owner
        self.stranger = api.sign_in()
        self.clones = clones
        self.others = others

    def paths(self, template: str) -> Iterator[str]:
        """A route's paths about what the owner has. A place that nothing is known for is a KeyError."""
        named = {
            "clone_id": (self.clones.asking, self.clones.ruling),
            "run_id": (*self.clones.runs, self.clones.failed_run),
            "account_id": (*self.clones.accounts, self.others.account),
            "order_id": (self.others.order,),
            "backtest_id": (self.others.backtest,),
            "api_key_id": (self.others.api_key,),
            "session_id": (self.owner.session_id,),
            "kind": ("context", "prompt", "answer"),
            "market": (SOL,),
            "number": ("1",),
            "other": ("1",),
        }
        names = PLACE.findall(template)
        for chosen in combinations(*(named[name] for name in names)):
            yield template.format(**dict(zip(names, chosen, strict=True)))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("product")
    with private_model() as model:
        urls = f"local={model.url}/v1"
        product = Product(folder, models=MODEL, model_urls=urls, model_keys="local=sk-local", log_level="debug")
        make_clock_file(folder / "clock")
        product.start(command_by(folder / "clock"))
        api = Api(cast("Services", None), product.port, asyncio.new_event_loop())
        with api.client:
            owner = api.sign_in()
            clones = let_clones_decide(product, owner, folder / "clock")
            yield World(product, api, owner, clones, let_owner_act(product, owner, clones))
        product.stop()


def routes(world: World) -> list[tuple[str, str]]:
    """(method, template) of all that the API document has."""
    paths = world.api.client.get("/v1/openapi.json").json()["paths"]
    return [(method.upper(), template) for template, item in paths.items() for method in item]


def everything_of(world: World, person: Person | None, methods: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """(request, status, answer with its headers) of every route of the API document, as this person."""
    for method, template in routes(world):
        if method not in methods:
            continue
        for path in world.paths(template):
            # Ending sessions, a stranger ends the own: each time it is another one.
            asking = world.api.sign_in() if person is not None and method == ENDS_SOMETHING else person
            options = OPTIONS.get(method, {"json": {}})
            ask = world.api.client.request if asking is None else asking.request
            answer = ask(method, path, headers={"Idempotency-Key": "scan"}, **options)
            yield f"{method} {path}", answer.status_code, f"{answer.headers}\n{answer.text}"


def test_the_owner_sees_every_secret_so_that_the_scan_would_find_it(world: World):
    owner, clones, others = world.owner, world.clones, world.others
    answers = list(everything_of(world, owner, ("GET",)))
    own = "".join(text for _, _, text in answers)
    words = (PROMPT, ANSWER, DRAFT, BIO, OUTSIDE, ORDER, BACKTEST, API_KEY, ECHO)
    for secret in (*words, str(SEED), LEVEL, CONDITION, STOP):
        assert secret in own, secret
    read = {request for request, status, _ in answers if status == 200}
    assert {f"GET /v1/accounts/{others.account}/orders/{others.order}", f"GET /v1/backtests/{others.backtest}"} <= read
    assert any(f"GET /v1/decisions/{run}/artifacts/answer" in read for run in clones.runs)


@pytest.mark.parametrize("who", ["anonymous", "stranger"])
@pytest.mark.parametrize("methods", SCANS)
def test_no_route_tells_anybody_else(world: World, who: str, methods: tuple[str, ...]):
    asked = answered = 0
    for request, status, text in everything_of(world, world.stranger if who == "stranger" else None, methods):
        assert secrets_in(text) == [], request
        assert status < 500, (request, text)
        asked += 1
        answered += status < 300
    assert asked >= sum(method in methods for method, _ in routes(world)) > 5
    assert answered > 10 or methods != ("GET",)
    _has_all(world)


def test_no_route_is_skipped(world: World):
    scanned = {method for methods in SCANS for method in methods}
    skipped = [
        f"{method} {template}"
        for method, template in routes(world)
        if method not in scanned or not list(world.paths(template))
    ]
    assert skipped == []


def test_no_channel_of_the_socket_tells_anybody_else(world: World):
    frames = asyncio.run(_listen(world))
    kinds = {frame["type"] for frame in frames}
    assert {"clone_decision", "clone_deployment", "clone_published", "price_update", "error"} <= kinds
    assert secrets_in(json.dumps(frames, ensure_ascii=False)) == []


def test_neither_logs_nor_metrics_tell(world: World):
    log = world.product.log.read_text()
    assert "request" in log
    assert secrets_in(log) == []
    metrics = world.api.client.get("/metrics").text
    assert "pump_party_" in metrics
    assert secrets_in(metrics) == []


def test_no_page_and_no_script_tells(world: World):
    pages = "".join(world.api.client.get(path).text for path in ("/", "/studio", f"/clones/{world.clones.asking}"))
    assert "<html" in pages
    assert secrets_in(pages) == []
    assert all(secrets_in(file.read_bytes().decode("latin-1")) == [] for file in BUNDLE.rglob("*") if file.is_file())


def test_strategies_and_decisions_lie_sealed_in_the_database_and_among_the_objects(world: World):
    data = world.product.folder / "data"
    tables = b"".join(file.read_bytes() for file in data.glob("*.sqlite3*"))
    objects = b"".join(file.read_bytes() for file in (data / "objects").rglob("*") if file.is_file())
    assert world.clones.asking.encode() in tables
    assert objects
    for secret in (PROMPT, DRAFT, ANSWER, OUTSIDE, ECHO, *STORED):
        assert secret.encode() not in tables, secret
        assert secret.encode() not in objects, secret


def test_the_words_of_a_provider_that_failed_are_for_the_owner_alone(world: World):
    path = f"/v1/decisions/{world.clones.failed_run}"
    run = world.owner.get(path).json()
    assert (run["code"], run["detail"]) == ("provider_down", "provider_down: local answered with status 400")
    assert f"cannot read: {ECHO}" in world.owner.get(f"{path}/artifacts/answer").text
    assert world.stranger.get(f"{path}/artifacts/answer").status_code == 404


def _has_all(world: World) -> None:
    """Nobody else has ended anything of the owner's."""
    owner, others = world.owner, world.others
    assert owner.session_id in owner.get("/v1/auth/sessions").text
    assert others.api_key in owner.get("/v1/api-keys").text
    assert owner.get(f"/v1/backtests/{others.backtest}").json()["state"] == "done"
    assert owner.get(f"/v1/accounts/{others.account}/orders/{others.order}").json()["stage"] == "resting"


async def _listen(world: World) -> list[dict[str, Any]]:
    """What a stranger is told who follows everything that can be named."""
    ticket = world.stranger.post("/v1/stream/tickets").json()["ticket"]
    _, client = await ws_connect(Client, f"ws://127.0.0.1:{world.product.ws_port}/v1/stream", enable_auto_pong=False)
    assert isinstance(client, Client)
    await client.ask(type="authenticate", ticket=ticket)
    for clone_id in (world.clones.asking, world.clones.ruling):
        await client.ask(type="subscribe", channel="clone", clone_id=clone_id, after_seq=0)
    for account_id in world.clones.accounts:
        await client.ask(type="subscribe", channel="account", account_id=account_id, after_seq=0)
    await client.ask(type="subscribe", channel="price", market=SOL)
    for run in world.clones.runs:
        await client.until(lambda frame, run=run: frame.get("decision", {}).get("run_id") == run)
    await asyncio.sleep(PUBLIC_STREAM_S)
    client.transport.disconnect()
    return client.frames
