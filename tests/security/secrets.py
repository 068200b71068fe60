"""Clones that decide for real, and an owner who acts, with words in everything private that occur nowhere else."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.adapters.model_server import ModelServer, Reply, answering
from tests.apps.api.stage import SOL, Person
from tests.domains.aitrading.answers import answer, opening
from tests.domains.clones.strategies import (
    asset,
    compare,
    feature,
    graph,
    number,
    prompt,
    rule,
    sound,
    stream,
    trading_clone,
)
from tests.leaping_product import leap_to_next_slot
from tests.product import COMMAND, Product

MODEL = "local:stub"
MARK = "canary-7f3a91"
PROMPT, ANSWER, DRAFT, BIO, OUTSIDE = (f"{MARK}-{place}" for place in ("prompt", "answer", "draft", "bio", "outside"))
ORDER, BACKTEST, API_KEY = (f"{MARK}-{place}" for place in ("order", "backtest", "key"))
ECHO = f"{MARK}-echo"
SEED, LEVEL = 748_211_903, "91827.364554"
CONDITION, STOP = "0.73194265", "7319.426519"
STORED = (str(SEED), LEVEL, "91827364554", "73194265", "7319426519")
"""The numbers, and how they would lie in a table."""

SECRETS = (MARK, str(SEED), LEVEL, CONDITION, STOP)
DECIDED_WITHIN_S = 120
START_S = 30
BACKTEST_MS = 3_600_000


@dataclass(frozen=True)
class Clones:
    asking: str
    ruling: str
    runs: tuple[str, ...]
    failed_run: str
    accounts: tuple[str, ...]


@dataclass(frozen=True)
class Belongings:
    """What an owner has beside clones."""

    account: str
    order: str
    backtest: str
    api_key: str


@contextmanager
def private_model() -> Iterator[ModelServer]:
    """A model, served from a thread, that always opens a position until a price, and gives a private reason.

    Its provider repeats what it cannot read.
    """
    until = {"feature": "price", "op": "below", "value": CONDITION, "than": None}
    opens = answering(answer(opening(SOL, share="0.1", reason=ANSWER, invalidation=until)))
    refuses = Reply(status=400, body=json.dumps({"error": {"message": f"cannot read: {ECHO}: buy"}}).encode())
    server = ModelServer(lambda asked: refuses if ECHO in json.dumps(asked.body) else opens(asked))
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with server.open():
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(START_S)
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(START_S)


def let_clones_decide(product: Product, owner: Person, clock: Path) -> Clones:
    """One clone by a model's word, one by rules, one that gets no answer, and one decision of a program outside."""
    asking, ruling = _asking_clone(product, owner), _ruling_clone(owner)
    repeated = graph(stream(), asset(SOL), prompt(f"{ECHO}: buy low."), trading_clone(model=MODEL))
    echoing = owner.published_clone(repeated, "Echo Bird")
    accounts = []
    for clone_id in (asking, ruling, echoing):
        made = owner.post(f"/v1/clones/{clone_id}/deployment", {})
        assert made.status_code == 201, made.text
        accounts.append(made.json()["account_id"])
    wanted = {"market": SOL, "action": "open", "side": "long", "share": "0.1", "stop_price": STOP, "reason": OUTSIDE}
    body = {"run_key": "outside", "proposals": [wanted]}
    acted = owner.post(f"/v1/clones/{ruling}/actions", body)
    assert acted.status_code == 201, acted.text
    assert acted.json()["decision"]["code"] == "exit_on_wrong_side", acted.text
    leap_to_next_slot(clock)
    product.wait_until(lambda: _by_model(owner, asking), within_s=DECIDED_WITHIN_S)
    product.wait_until(lambda: len(_finished(owner, ruling)) > 1, within_s=DECIDED_WITHIN_S)
    product.wait_until(lambda: _finished(owner, echoing), within_s=DECIDED_WITHIN_S)
    runs = tuple(run["run_id"] for clone_id in (asking, ruling) for run in _finished(owner, clone_id))
    return Clones(asking, ruling, runs, _finished(owner, echoing)[0]["run_id"], tuple(accounts))


def let_owner_act(product: Product, owner: Person, clones: Clones) -> Belongings:
    """An order that waits, a backtest that has run, and an API key."""
    account = owner.open_account()
    order = {"market": SOL, "side": "buy", "quantity": "1", "type": "limit", "limit_price": "1"}
    placed = owner.post(f"/v1/accounts/{account}/orders", order | {"client_order_id": ORDER})
    assert placed.status_code == 202, placed.text
    tapes = {tape["name"]: tape for tape in owner.get("/v1/tapes").json()["items"]}
    from_ms = next(m["from_ms"] for m in tapes["synthetic"]["markets"] if m["market"] == SOL)
    body = {"clone_id": clones.ruling, "tape": "synthetic", "from_ms": from_ms, "to_ms": from_ms + BACKTEST_MS}
    queued = owner.post("/v1/backtests", body | {"name": BACKTEST})
    assert queued.status_code == 202, queued.text
    backtest = queued.json()["backtest_id"]
    path = f"/v1/backtests/{backtest}"
    product.wait_until(lambda: owner.get(path).json()["state"] == "done", within_s=DECIDED_WITHIN_S)
    key = owner.post("/v1/api-keys", {"name": API_KEY, "scopes": ["read"]})
    assert key.status_code == 201, key.text
    return Belongings(account, placed.json()["order_id"], backtest, key.json()["api_key_id"])


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def _asking_clone(product: Product, owner: Person) -> str:
    """Its bio is hidden by an operator, and its draft has gone on from what was published."""
    strategy = graph(stream(), asset(SOL), prompt(f"{PROMPT}: buy low."), trading_clone(model=MODEL))
    clone_id = owner.published_clone(strategy, "Night Bird")
    assert owner.patch(f"/v1/clones/{clone_id}", {"bio": BIO}).status_code == 200
    hide = [COMMAND, "clone", "hide", clone_id, "--operator", "alice", "--reason", "rude"]
    subprocess.run([*hide, "--data-dir", product.folder / "data"], check=True, capture_output=True, timeout=60)
    revision = owner.get(f"/v1/clones/{clone_id}/draft").json()["revision"]
    draft = graph(stream(), asset(SOL), prompt(DRAFT), trading_clone(model=MODEL))
    body = {"strategy": draft, "layout": {}, "base_version": 1, "revision": revision}
    saved = owner.put(f"/v1/clones/{clone_id}/draft", body)
    assert saved.status_code == 200, saved.text
    return clone_id


def _ruling_clone(owner: Person) -> str:
    close = compare(feature("close", "1m", None), "above", number(LEVEL))
    clauses = (
        {"when": close, "then": {"kind": "close"}},
        {"when": {"kind": "chance", "ppm": 999_999, "seed": SEED}, "then": {"kind": "target", "share_ppm": 100_000}},
    )
    return owner.published_clone(sound(decider=rule(*clauses)), "Rule Bird")


def _finished(owner: Person, clone_id: str) -> list[dict[str, str]]:
    items = owner.get(f"/v1/clones/{clone_id}/decisions").json()["items"]
    return [item for item in items if item["finished_ms"] is not None]


def _by_model(owner: Person, clone_id: str) -> bool:
    return any(item["answer_sha256"] for item in _finished(owner, clone_id))
