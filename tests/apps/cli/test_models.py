import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.adapters.model_server import Asked, ModelServer, Reply, answering

from pump_party.apps.cli.main import main

KEY = "sk-test-canary-4711"


@contextmanager
def serving(reply: Callable[[Asked], Reply]) -> Iterator[str]:
    """A model server on a loop of its own; the command runs its own."""
    loop = asyncio.new_event_loop()
    opened, ended = threading.Event(), asyncio.Event()
    server = ModelServer(reply)

    async def run() -> None:
        async with server.open():
            opened.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert opened.wait(10)
    try:
        yield f"{server.url}/v1"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def refusing_some(asked: Asked) -> Reply:
    if asked.body["model"] == "limited":
        return Reply(status=429, body=json.dumps({"error": {"message": f"slow down {KEY}", "code": "x"}}).encode())
    return answering('{"ready":true}' if asked.body["model"] == "good" else '{"ready":"sure"}')(asked)


def test_models_check_says_what_answered_what_failed_and_the_next_step(monkeypatch, capsys):
    with serving(refusing_some) as url:
        monkeypatch.setenv("PUMP_PARTY_MODELS", "mine:good,mine:limited,mine:sloppy,openai:gpt-5.2")
        monkeypatch.setenv("PUMP_PARTY_MODEL_URLS", f"mine={url}")
        monkeypatch.setenv("PUMP_PARTY_MODEL_KEYS", f"mine={KEY}")
        code = main(["models", "check", "--json"])
        checks = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
        main(["models", "check"])
        text = capsys.readouterr().out

    assert code == 1
    assert checks["mine:good"]["answered"]
    assert checks["mine:good"]["tokens_in"] == 1200
    assert {name: row["failure"] for name, row in checks.items()} == {
        "mine:good": None,
        "mine:limited": "rate_limited",
        "mine:sloppy": "invalid_output",
        "openai:gpt-5.2": "not_configured",
    }
    assert "PUMP_PARTY_MODEL_KEYS" in checks["openai:gpt-5.2"]["next_step"]
    assert "mine:limited  FAILED rate_limited" in text
    assert "mine answered with status 429: " in text
    assert "slow down" in text
    assert KEY not in text
    assert KEY not in json.dumps(checks)


def test_models_check_is_content_when_every_model_answers(monkeypatch):
    with serving(answering('{"ready":true}')) as url:
        monkeypatch.setenv("PUMP_PARTY_MODELS", "mine:good")
        monkeypatch.setenv("PUMP_PARTY_MODEL_URLS", f"mine={url}")
        assert main(["models", "check"]) == 0


def test_models_check_says_how_to_offer_one(capsys):
    assert main(["models", "check"]) == 1
    assert "PUMP_PARTY_MODELS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value"),
    [("MODELS", "gpt-5.2"), ("MODEL_KEYS", "openai"), ("MODEL_URLS", "ollama=localhost:11434")],
)
def test_a_setting_of_models_that_is_no_pair_stops_the_start(monkeypatch, capsys, name, value):
    monkeypatch.setenv(f"PUMP_PARTY_{name}", value)
    assert main(["models", "check"]) == 2
    assert f"PUMP_PARTY_{name}" in capsys.readouterr().err
