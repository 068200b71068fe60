"""What is private of a clone is nowhere but with its owner: answers, frames, logs, metrics, pages, the database."""

import asyncio
import json
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
    BIO,
    DRAFT,
    LEVEL,
    MODEL,
    OUTSIDE,
    PROMPT,
    SEED,
    Clones,
    let_clones_decide,
    private_model,
    secrets_in,
)

import pump_party
from pump_party.bootstrap.services import Services

ENDS_SOMETHING = "DELETE"
BUNDLE = Path(pump_party.__file__).parent / "apps" / "api" / "assets"
PUBLIC_STREAM_S = 3.0


class World:
    """A product in which clones have decided, its owner, a stranger, and nobody in particular."""

    def __init__(self, product: Product, api: Api, owner: Person, clones: Clones) -> None:
        self.product = product
        self.api = api
        self.owner = owner
        self.stranger = api.sign_in()
        self.clones = clones

    def paths(self, template: str) -> Iterator[str]:
        """A route's paths about what the owner has."""
        named = {
            "clone_id": (self.clones.asking, self.clones.ruling),
            "run_id": self.clones.runs,
            "account_id": self.clones.accounts,
            "kind": ("context", "prompt", "answer"),
            "market": (SOL,),
        }
        names = [name for name in (*named, "number", "other") if f"{{{name}}}" in template]
        values = [named.get(name, ("1",)) for name in names]
        for chosen in combinations(*values):
            path = template.format(**dict(zip(names, chosen, strict=True))) if "{" in template else template
            yield path


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
            yield World(product, api, owner, let_clones_decide(product, owner, folder / "clock"))
        product.stop()


def everything_of(world: World, person: Person | None, methods: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """(request, status, answer with its headers) of every route of the API document, as this person."""
    document = world.api.client.get("/v1/openapi.json").json()
    for template, item in document["paths"].items():
        for method in sorted(set(methods) & {name.upper() for name in item}):
            if any(name in template for name in ("{session_id}", "{api_key_id}", "{order_id}", "{backtest_id}")):
                continue
            for path in world.paths(template):
                query = {"interval": "1m", "feature": "close(1m)"} if method == "GET" else None
                options: dict[str, Any] = {"params": query} if method == "GET" else {"json": {}}
                headers = {"Idempotency-Key": "scan"}
                ask = world.api.client.request if person is None else person.request
                answer = ask(method, path, headers=headers, **options)
                yield f"{method} {path}", answer.status_code, f"{answer.headers}\n{answer.text}"


def test_the_owner_sees_every_secret_so_that_the_scan_would_find_it(world: World):
    owner, clones = world.owner, world.clones
    own = "".join(text for _, _, text in everything_of(world, owner, ("GET",)))
    for secret in (PROMPT, ANSWER, DRAFT, BIO, OUTSIDE, str(SEED), LEVEL):
        assert secret in own, secret
    assert any(owner.get(f"/v1/decisions/{run}/artifacts/answer").status_code == 200 for run in clones.runs)


@pytest.mark.parametrize("who", ["anonymous", "stranger"])
@pytest.mark.parametrize("methods", [("GET",), ("POST", "PUT", "PATCH")])
def test_no_route_tells_anybody_else(world: World, who: str, methods: tuple[str, ...]):
    asked = answered = 0
    for request, status, text in everything_of(world, world.stranger if who == "stranger" else None, methods):
        assert secrets_in(text) == [], request
        assert status < 500, (request, text)
        asked += 1
        answered += status < 300
    assert asked > 20
    assert answered > 10 or methods != ("GET",)


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


def test_strategies_lie_sealed_in_the_database(world: World):
    stored = b"".join(file.read_bytes() for file in (world.product.folder / "data").glob("*.sqlite3*"))
    assert world.clones.asking.encode() in stored
    for secret in (PROMPT, DRAFT, str(SEED), LEVEL):
        assert secret.encode() not in stored, secret


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
