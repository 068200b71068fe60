"""Asks models from threads: many questions at once on a loop of its own, each tried again at most once in its time."""

import asyncio
import gc
import queue
import threading
from collections.abc import Iterator, Sequence
from functools import partial

from pump_party.domains.aitrading.model_client import (
    ModelAnswer,
    ModelClient,
    ModelFailed,
    ModelFailure,
    ModelMessage,
)
from pump_party.domains.aitrading.model_desk import ATTEMPTS_MAX, Answered, Ask
from pump_party.platform.clock import Clock
from pump_party.platform.logging import get_logger

RETRY_WAIT_MS = 500
WORTH_ANOTHER_TRY = (ModelFailure.PROVIDER_DOWN, ModelFailure.RATE_LIMITED)
"""What costs no tokens, so that one reservation covers both attempts."""

GATHER_S = 0.1
"""Answers that come within this of the first share the transactions of what follows."""

Outcome = tuple[Ask, "asyncio.Task[Answered]"]

log = get_logger("models")


class LoopModelDesk:
    """Implements `domains.aitrading.model_desk.ModelDesk`. Its loop starts with the first question."""

    def __init__(self, client: ModelClient, clock: Clock, *, calls_at_once: int) -> None:
        self._client = client
        self._clock = clock
        self._calls_at_once = calls_at_once
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places: asyncio.Semaphore | None = None
        self._underway: set[asyncio.Task[Answered]] = set()

    def offered(self) -> Sequence[str]:
        return self._client.offered()

    def prepare(self) -> None:
        """Load what asking the offered models needs, before a deadline runs."""
        for model in self._client.offered():
            self._client.prepare(model)
            self._client.cost_micros(model, tokens_in=0, tokens_out=0)
        # What was loaded is large and stays: the collector, which stops everything, need not walk through it.
        gc.collect()
        gc.freeze()

    def cost_micros(self, model: str, *, tokens_in: int, tokens_out: int) -> int | None:
        return self._client.cost_micros(model, tokens_in=tokens_in, tokens_out=tokens_out)

    def ask(self, asks: Sequence[Ask]) -> Iterator[Sequence[Answered]]:
        if not asks:
            return
        for model in sorted({ask.model for ask in asks}):
            self._client.prepare(model)
        loop = self._running_loop()
        come = _Come(loop, len(asks))
        asyncio.run_coroutine_threadsafe(self._start(asks, come), loop)
        left = len(asks)
        while left:
            batch = come.taken()
            left -= len(batch)
            yield [_outcome(ask, task) for ask, task in batch]

    async def _start(self, asks: Sequence[Ask], come: "_Come") -> None:
        """Begin them one per turn of the loop: together they would all wait for the last to be written."""
        for ask in asks:
            task = asyncio.ensure_future(self._ask(ask))
            self._underway.add(task)
            task.add_done_callback(self._underway.discard)
            task.add_done_callback(partial(come.put, ask))
            await asyncio.sleep(0)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._places = asyncio.Semaphore(self._calls_at_once)
                threading.Thread(target=self._loop.run_forever, name="models", daemon=True).start()
            return self._loop

    async def _ask(self, ask: Ask) -> Answered:
        assert self._places is not None
        async with self._places:
            for attempt in range(1, ATTEMPTS_MAX + 1):
                try:
                    return Answered(ask, attempt, await self._ask_once(ask), None)
                except ModelFailed as failed:
                    wait_ms = RETRY_WAIT_MS if failed.retry_after_ms is None else failed.retry_after_ms
                    is_last = attempt == ATTEMPTS_MAX or failed.failure not in WORTH_ANOTHER_TRY
                    if is_last or self._clock.now_ms() + wait_ms >= ask.deadline_ms:
                        return Answered(ask, attempt, None, failed)
                await asyncio.sleep(wait_ms / 1000)
        raise AssertionError("the last attempt returns")

    async def _ask_once(self, ask: Ask) -> ModelAnswer:
        timeout_ms = ask.deadline_ms - self._clock.now_ms()
        if timeout_ms <= 0:
            raise ModelFailed(ModelFailure.TIMEOUT, "the deadline passed before a place was free")
        question = ask.question
        messages = (ModelMessage("system", question.system), ModelMessage("user", question.user))
        return await self._client.complete(
            messages, question.schema, model=ask.model, timeout_ms=timeout_ms, tokens_max=ask.tokens_max
        )


class _Come:
    """Answers on their way from the loop to the thread that asked, which wakes for many of them at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int) -> None:
        self._loop = loop
        self._left = count
        self._gathered: list[Outcome] = []
        self._batches: queue.SimpleQueue[list[Outcome]] = queue.SimpleQueue()

    def put(self, ask: Ask, task: "asyncio.Task[Answered]") -> None:
        """On the loop."""
        self._gathered.append((ask, task))
        self._left -= 1
        if not self._left:
            self._hand_over()
        elif len(self._gathered) == 1:
            self._loop.call_later(GATHER_S, self._hand_over)

    def _hand_over(self) -> None:
        if self._gathered:
            self._batches.put(self._gathered)
            self._gathered = []

    def taken(self) -> list[Outcome]:
        """On the thread that asked: what has come, at least one."""
        batch = self._batches.get()
        while not self._batches.empty():
            batch += self._batches.get()
        return batch


def _outcome(ask: Ask, task: "asyncio.Task[Answered]") -> Answered:
    """What a client raises without having a name for it costs its own clone the slot, and nobody else."""
    error = task.exception()
    if error is None:
        return task.result()
    # Only its kind: what an error says or carries may hold the prompt.
    log.error("model_call_failed", model=ask.model, error=type(error).__name__)
    failed = ModelFailed(ModelFailure.PROVIDER_DOWN, f"the client failed: {type(error).__name__}")
    return Answered(ask, 1, None, failed)
