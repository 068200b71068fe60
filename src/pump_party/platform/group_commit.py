"""Group commit: calls that arrive while a batch is being committed form the next batch. Knows no product.

A thread hop and a durable commit cost more than deciding an order, so both are paid once per batch. Each caller gets
its own outcome: a batch that fails is split until the bad call stands alone.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from pump_party.kernel.errors import Refusal, Unavailable

QUEUE_MAX = 16_384
"""Calls waiting for a batch. Beyond it a call is refused at once: a longer queue only answers later."""

Call = TypeVar("Call")
Outcome = TypeVar("Outcome")


class GroupCommit(Generic[Call, Outcome]):
    """Collects calls from event loops and hands them to `commit` on one thread of its own.

    `commit` returns an outcome or an exception per call, in order, after the commit. `observe` is told the size and
    the seconds of every batch.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Call]], Sequence[Outcome | Exception]],
        *,
        batch_max: int,
        wait_us: int,
        observe: Callable[[int, float], None] = lambda _size, _seconds: None,
    ) -> None:
        self._commit = commit
        self._batch_max = batch_max
        self._wait_s = wait_us / 1_000_000
        self._observe = observe
        self._waiting: queue.SimpleQueue[tuple[Call, asyncio.Future[Outcome]] | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    async def submit(self, call: Call) -> Outcome:
        """Wait for the call's own outcome. Raises Unavailable (queue_full, shutting_down) without having queued it.

        A caller that is cancelled has still called: the effect stands and is found again by its idempotency key.
        """
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        # A call that passed the check must be in the queue before the end mark of `close`.
        with self._closing:
            if self._closed:
                raise Unavailable("the server is shutting down; try again", code="shutting_down")
            if self._waiting.qsize() >= QUEUE_MAX:
                raise Unavailable("too many orders are waiting; try again", code="queue_full")
            self._waiting.put((call, future))
        return await future

    def close(self) -> None:
        """Refuse new calls, finish those that wait, stop the thread."""
        with self._closing:
            self._closed = True
            self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_:
            first = self._waiting.get()
            if first is None:
                break
            batch = [first]
            open_ = self._fill(batch)
            started = time.perf_counter()
            outcomes = self._outcomes([call for call, _ in batch])
            self._observe(len(batch), time.perf_counter() - started)
            _deliver([future for _, future in batch], outcomes)

    def _fill(self, batch: list[tuple[Call, "asyncio.Future[Outcome]"]]) -> bool:
        """Take what is there, and once wait a little for more. False when the queue was closed."""
        waited = self._wait_s == 0
        while len(batch) < self._batch_max:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                if waited:
                    return True
                waited = True
                time.sleep(self._wait_s)
                continue
            if item is None:
                return False
            batch.append(item)
        return True

    def _outcomes(self, calls: Sequence[Call]) -> Sequence[Outcome | Exception]:
        try:
            return self._commit(calls)
        except Refusal as refusal:
            # The whole batch is refused for a reason outside its calls, such as a database that is away.
            return [refusal] * len(calls)
        except Exception as error:  # noqa: BLE001 - a bug in one call must not take its neighbours down
            if len(calls) == 1:
                return [error]
            middle = len(calls) // 2
            return [*self._outcomes(calls[:middle]), *self._outcomes(calls[middle:])]


def _deliver(futures: Sequence["asyncio.Future[Outcome]"], outcomes: Sequence[Outcome | Exception]) -> None:
    """Wake each event loop once per batch."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Outcome], Outcome | Exception]]] = {}
    for future, outcome in zip(futures, outcomes, strict=True):
        by_loop.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: Sequence[tuple["asyncio.Future[Outcome]", Outcome | Exception]]) -> None:
    for future, outcome in pairs:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


class Lanes(Generic[Call, Outcome]):
    """Several group commits side by side, for a database that can commit several batches at once.

    `lane_of` sends calls that touch the same thing to the same lane, so that lanes never wait for each other's locks:
    one lane decides while another waits for the database.
    """

    def __init__(self, lanes: Sequence[GroupCommit[Call, Outcome]], lane_of: Callable[[Call], int]) -> None:
        assert lanes
        self._lanes = lanes
        self._lane_of = lane_of

    async def submit(self, call: Call) -> Outcome:
        return await self._lanes[self._lane_of(call) % len(self._lanes)].submit(call)

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()
