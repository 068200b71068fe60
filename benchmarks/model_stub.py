"""A provider of language models in a process of its own, which answers every question after a while.

Run as a program it prints its URL and serves until it is ended.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.adapters.model_server import ModelServer, answering
from tests.domains.aitrading.answers import answer, opening

LATENCY_S = 2.0


@contextmanager
def model_stub() -> Iterator[str]:
    """Its URL while it runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.model_stub"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def serve() -> None:
    server = ModelServer(answering(answer(opening()), after_s=LATENCY_S))
    async with server.open():
        print(f"{server.url}/v1", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
