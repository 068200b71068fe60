"""Replay a recording as a live source, faster or not, again and again.

A replayed tick carries three times: `tape_ms`, when it happened; `publish_ms`, the server time at which the tape
reached it; `recv_ms`, the server time at which it was handed over, at most one step later. Slots number the ticks of
a run. Where the tape is cut (its end, a hole of more than HOLE_MAX_MS, another recording) it goes on at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from pump_party.adapters.tape_streams import Complaint, Moment, moments, open_tape, segments
from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.candle_path import EVERY_TICK, SHAPE_TICKS
from pump_party.domains.marketdata.contract import PerpContext, SourceState
from pump_party.domains.marketdata.model import RawPayload, Tick, TickSink
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock

NAME = "tape"
EVERY_TICK_SPEED_MAX = 240
"""Up to this speed all sixty ticks of a candle are shown, above it the four that make the candle."""

STEP_MS = 20
"""Ticks due within a step are handed over together; of a raw capture played faster than 1 only the newest of each."""

STEP_TICKS_MAX = 400
"""A tape denser than this is played slower than asked for, rather than taking the whole core."""

BEHIND_MAX_MS = 2_000
"""Later than this (a suspended machine) the tape goes on from where it is instead of catching up."""

HOLE_MAX_MS = 120_000


class TapeSource:
    """A folder of recordings at a speed. Raises Invalid when the folder has nothing to play."""

    name = NAME
    feed = "tape"

    def __init__(
        self,
        folder: Path,
        registry: Registry,
        *,
        speed: int,
        loop: bool,
        clock: Clock,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        assert speed >= 1
        self.label = f"TAPE x{speed}"
        self._streams = open_tape(folder, registry)
        self._registry = registry
        self._speed = speed
        self._loop = loop
        self._clock = clock
        self._wait = wait
        self._number = 0
        self._shown: dict[Market, OrderBook] = {}
        self._said: dict[Market, PerpContext] = {}

    async def run(self, sink: TickSink) -> None:
        sink.state_changed(self.name, SourceState.LIVE)
        while True:
            before = self._number
            for segment in segments(self._open_streams(sink)):
                await self._play(segment, sink)
            if self._number == before:
                sink.state_changed(self.name, SourceState.STOPPED, "the tape has no usable price")
                break
            if not self._loop:
                sink.state_changed(self.name, SourceState.STOPPED, "the tape has ended")
                break
        await asyncio.get_running_loop().create_future()

    def _open_streams(self, sink: TickSink) -> list[Iterator[Moment]]:
        ticks = EVERY_TICK if self._speed <= EVERY_TICK_SPEED_MAX else SHAPE_TICKS

        def complain(complaint: Complaint) -> None:
            sink.state_changed(self.name, SourceState.LIVE, f"{complaint.where}: {complaint.reason}")

        return [moments(stream, self._registry, ticks, complain) for stream in self._streams]

    async def _play(self, segment: Iterator[Moment], sink: TickSink) -> None:
        moment = next(segment, None)
        last_ms = None
        pace = _Pace(self._speed, tape_ms=0, server_ms=0)
        while moment is not None:
            now_ms = self._clock.now_ms()
            behind_ms = now_ms - pace.due_ms(moment.at_ms)
            if _at_cut(moment, last_ms) or behind_ms > BEHIND_MAX_MS:
                pace = _Pace(self._speed, tape_ms=moment.at_ms, server_ms=now_ms)
            batch: list[Moment] = []
            while moment is not None and pace.due_ms(moment.at_ms) <= now_ms and len(batch) < STEP_TICKS_MAX:
                batch.append(moment)
                last_ms = moment.at_ms
                moment = next(segment, None)
            self._hand_over(batch, pace, now_ms, sink)
            due_ms = now_ms if moment is None or _at_cut(moment, last_ms) else pace.due_ms(moment.at_ms)
            await self._wait(max(STEP_MS, due_ms - self._clock.now_ms()) / 1000)

    def _hand_over(self, batch: Sequence[Moment], pace: "_Pace", now_ms: int, sink: TickSink) -> None:
        for moment in batch if self._speed == 1 else _conflated(batch):
            self._number += 1
            row = moment.row
            raw = RawPayload(source=self.name, recv_ms=now_ms, sha256=row.sha256, body=row.body)
            tick = Tick(
                market=moment.market,
                mid_e8=moment.mid_e8,
                conf_e8=moment.conf_e8,
                publish_ms=pace.due_ms(moment.at_ms),
                slot=self._number,
                recv_ms=now_ms,
                source=self.name,
                raw_sha256=row.sha256,
                tape_ms=moment.tape_ms,
            )
            sink.observed(raw, (tick,))
            if moment.book is not None and moment.book is not self._shown.get(moment.market):
                self._shown[moment.market] = moment.book
                times = {"publish_ms": tick.publish_ms, "recv_ms": tick.recv_ms}
                sink.book_changed(replace(moment.book, source=self.name, **times))
            # Behind its price, which may have begun a new pass of the tape.
            if moment.context is not None and moment.context is not self._said.get(moment.market):
                self._said[moment.market] = said = moment.context
                sink.context_changed(replace(said, source=self.name, recv_ms=now_ms, tape_ms=said.recv_ms))


class _Pace:
    """Maps tape time to server time."""

    def __init__(self, speed: int, *, tape_ms: int, server_ms: int) -> None:
        self._speed = speed
        self._tape_ms = tape_ms
        self._server_ms = server_ms

    def due_ms(self, at_ms: int) -> int:
        return self._server_ms + (at_ms - self._tape_ms) // self._speed


def _at_cut(moment: Moment, last_ms: int | None) -> bool:
    return last_ms is None or moment.at_ms - last_ms > HOLE_MAX_MS


def _conflated(batch: Sequence[Moment]) -> Iterator[Moment]:
    """All candle ticks, and of captured prices the newest of each market."""
    newest: dict[Market, Moment] = {moment.market: moment for moment in batch}
    return (moment for moment in batch if moment.is_candle or newest[moment.market] is moment)
