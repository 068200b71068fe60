"""A provider of language models of the tests' own, asked over HTTP: each model always wants the same."""

import asyncio
import json
import threading
from typing import Self

from tests.adapters.model_server import Asked, ModelServer, Reply, answering

PROVIDER = "paper"
CALM = f"{PROVIDER}:calm"
BOLD = f"{PROVIDER}:bold"
SHARES = {"calm": "0.25", "bold": "0.8"}
"""What each wants to hold of SOL, as a share of equity."""

START_MAX_S = 10


class Models(threading.Thread):
    """`asked` is what came, in order."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._server = ModelServer(_reply)
        self._open = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._enough: asyncio.Event | None = None

    def __enter__(self) -> Self:
        self.start()
        assert self._open.wait(START_MAX_S)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._enough is not None
        self._loop.call_soon_threadsafe(self._enough.set)
        self.join()

    @property
    def asked(self) -> list[Asked]:
        return self._server.asked

    def settings(self) -> dict[str, str]:
        """Of a product that offers these models."""
        return {
            "models": f"{CALM},{BOLD}",
            "model_urls": f"{PROVIDER}={self._server.url}/v1",
            "model_keys": f"{PROVIDER}=sk-of-the-tests",
        }

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._enough = asyncio.Event()
        async with self._server.open():
            self._open.set()
            await self._enough.wait()


def _reply(asked: Asked) -> Reply:
    model = str(asked.body["model"])
    wanted = {
        "market": "SOL-USDC",
        "reason": f"{model} likes the trend",
        "action": "open",
        "side": "long",
        "share": SHARES[model],
        "leverage": 1,
        "stop_price": None,
        "target_price": None,
        "invalidation": None,
        "confidence": "0.7",
    }
    return answering(json.dumps({"decisions": [wanted]}))(asked)
