"""Sends committed events to the bus, in order per subject, and marks them sent. At least once.

Woken at once by commits of this process, by polling for those of others. One relay is active per database; others
stand by. While the bus or the database is away nothing is marked, and the rows go out when it is back.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from pump_party.bootstrap import Services
from pump_party.kernel.errors import Unavailable
from pump_party.platform.outbox import OutboxMessage

BATCH_MAX = 2_048
POLL_S = 0.02
CYCLE_S_MIN = 0.03
"""Under load one round takes all that came meanwhile: every round costs the database a commit."""
STANDBY_S = 1.0
RETRY_S_MIN = 0.1
RETRY_S_MAX = 2.0
RETENTION_MS = 7 * 24 * 3_600_000
PRUNE_EVERY_MS = 600_000

_encode = msgspec.json.encode
_log = structlog.get_logger("relay_outbox")


async def run(services: Services, *, stop: asyncio.Event) -> None:
    """Relay until `stop` is set. What was committed before that and not sent is sent by the next start."""
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    forget = services.outbox.on_notify(lambda: loop.call_soon_threadsafe(woken.set))
    stopping = asyncio.create_task(stop.wait())
    stopping.add_done_callback(lambda _: woken.set())
    pruned_at_ms = services.clock.now_ms()
    retry_s = RETRY_S_MIN
    try:
        while not stop.is_set():
            woken.clear()
            try:
                pause_s = await _round(services)
                if services.clock.now_ms() - pruned_at_ms >= PRUNE_EVERY_MS:
                    pruned_at_ms = services.clock.now_ms()
                    await _prune(services)
                retry_s = RETRY_S_MIN
            except Unavailable as refusal:
                services.metrics.worker_failed("relay_outbox")
                _log.warning("relay_failed", reason=refusal.detail, retry_s=retry_s)
                await _sleep(stop, retry_s)
                retry_s = min(retry_s * 2, RETRY_S_MAX)
                continue
            await _sleep(woken if pause_s == POLL_S else stop, pause_s)
    finally:
        forget()
        stopping.cancel()
        await asyncio.to_thread(services.outbox.stop_leading)


async def _round(services: Services) -> float:
    """Send one batch. Returns how long to pause: POLL_S may be cut short by news."""
    outbox = services.outbox
    if not await asyncio.to_thread(outbox.lead):
        return STANDBY_S
    rows = await asyncio.to_thread(outbox.unsent, limit=BATCH_MAX)
    if not rows:
        return POLL_S
    for channel, messages in _by_channel([message for _, message in rows]).items():
        await services.bus.publish(channel, messages)
    sent_at_ms = services.clock.now_ms()
    await asyncio.to_thread(outbox.mark_sent, [number for number, _ in rows], at_ms=sent_at_ms)
    services.metrics.outbox_sent(len(rows))
    return 0.0 if len(rows) == BATCH_MAX else CYCLE_S_MIN


def _by_channel(messages: Sequence[OutboxMessage]) -> dict[str, list[bytes]]:
    channels: dict[str, list[bytes]] = {}
    for message in messages:
        channels.setdefault(message.channel, []).append(_encode(message))
    return channels


async def _prune(services: Services) -> None:
    before_ms = services.clock.now_ms() - RETENTION_MS
    pruned = await asyncio.to_thread(services.outbox.prune, sent_before_ms=before_ms)
    if pruned:
        _log.info("outbox_pruned", rows=pruned)


async def _sleep(until: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        pass
