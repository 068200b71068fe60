"""Sends committed events to the bus, in order per subject, and marks them sent. At least once.

Woken at once by commits of this process, by polling for those of others. One relay is active per database; others
stand by. While the bus or the database is away nothing is marked, and the rows go out when it is back.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from pump_party.bootstrap.services import Services
from pump_party.kernel.errors import Unavailable
from pump_party.platform.outbox import OutboxMessage

BATCH_MAX = 2_048
POLL_S_MIN = 0.02
POLL_S_MAX = 0.08
"""Rows of other processes are looked for this often, the longer the less has happened."""
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
    poll_s, retry_s = POLL_S_MIN, RETRY_S_MIN
    try:
        while not stop.is_set():
            woken.clear()
            try:
                sent = await _send_batch(services)
                if services.clock.now_ms() - pruned_at_ms >= PRUNE_EVERY_MS:
                    pruned_at_ms = services.clock.now_ms()
                    await _prune(services)
            except Unavailable as refusal:
                services.metrics.worker_failed("relay_outbox")
                _log.warning("relay_failed", reason=refusal.reason, retry_s=retry_s)
                await _sleep(stop, retry_s)
                retry_s = min(retry_s * 2, RETRY_S_MAX)
                continue
            retry_s = RETRY_S_MIN
            if sent is None:
                await _sleep(stop, STANDBY_S)
            elif sent:
                poll_s = POLL_S_MIN
                await _sleep(stop, 0 if sent == BATCH_MAX else CYCLE_S_MIN)
            else:
                await _sleep(woken, poll_s)
                poll_s = min(poll_s * 1.5, POLL_S_MAX)
    finally:
        forget()
        stopping.cancel()
        await asyncio.to_thread(services.outbox.stop_leading)


async def _send_batch(services: Services) -> int | None:
    """Send what is unsent. Returns how many events went out, None when another relay is the active one."""
    outbox = services.outbox
    rows = await asyncio.to_thread(lambda: outbox.unsent(limit=BATCH_MAX) if outbox.lead() else None)
    if not rows:
        return None if rows is None else 0
    for channel, messages in _by_channel([message for _, message in rows]).items():
        await services.bus.publish(channel, messages)
    sent_at_ms = services.clock.now_ms()
    await asyncio.to_thread(outbox.mark_sent, [number for number, _ in rows], at_ms=sent_at_ms)
    services.metrics.outbox_sent(len(rows))
    return len(rows)


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
