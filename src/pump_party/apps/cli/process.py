"""Runs parts of the product in one event loop until a signal, and stops them in time."""

import asyncio
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import uvloop

from pump_party.bootstrap.services import Services
from pump_party.kernel.errors import Unavailable
from pump_party.platform.logging import get_logger

SHUTDOWN_S: Final = 9.0
FILES_MAX: Final = 65_536
"""Open files that a process asks for: room for every connection and socket that its limits let in."""

COLLECT_EVERY: Final = 50_000
"""Objects that may be added before the collector looks for cycles among them. Almost nothing here makes cycles, and at
Python's 700 looking for them took a tenth of the time of an order."""

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1

log = get_logger("process")


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something that runs until the event is set. `ready` is called when it can be used."""

    name: str
    run: Callable[[Services, asyncio.Event, Callable[[], None]], Awaitable[None]]


def run_process(services: Services, parts: Sequence[Part], on_ready: Callable[[], None]) -> int:
    """Run parts until SIGINT or SIGTERM: 0. A part that ends by itself or fails stops the others: 1.

    A second signal ends the process at once.
    """
    _allow_open_files()
    # What lives as long as the process is not looked at by the collector again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(services, parts, on_ready))


def _allow_open_files() -> None:
    """Shells start programs with 1,024, far below the limits on connections and sockets."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if most == resource.RLIM_INFINITY else min(FILES_MAX, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _run(services: Services, parts: Sequence[Part], on_ready: Callable[[], None]) -> int:
    stop = asyncio.Event()
    _stop_on_signals(stop)
    waiting_for = {part.name for part in parts}

    def ready(name: str) -> None:
        if name in waiting_for:
            waiting_for.remove(name)
            if not waiting_for:
                on_ready()

    tasks = [
        asyncio.create_task(_run_part(part, services, stop, partial(ready, part.name)), name=part.name)
        for part in parts
    ]
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    asked = stop.is_set()
    stop.set()
    _, late = await asyncio.wait(tasks, timeout=SHUTDOWN_S)
    for task in late:
        log.error("did not stop in time", part=task.get_name())
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    failed = [task for task in tasks if not task.cancelled() and task.exception() is not None]
    for task in failed:
        _say_failure(task.get_name(), task.exception())
    return EXIT_OK if asked and not failed and not late else EXIT_FAILED


async def _run_part(part: Part, services: Services, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    await part.run(services, stop, ready)
    if not stop.is_set():
        raise RuntimeError(f"{part.name} ended by itself")


def _say_failure(name: str, error: BaseException | None) -> None:
    if isinstance(error, Unavailable):
        log.error("part failed", part=name, reason=error.reason)
    else:
        log.error("part failed", part=name, exc_info=error)


def _stop_on_signals(stop: asyncio.Event) -> None:
    def stop_or_exit(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        print("stopping; once more to stop at once", file=sys.stderr)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop_or_exit, number)


def bind(host: str, port: int, *, option: str) -> socket.socket:
    """A socket bound to an address. Raises Unavailable that names the option to change when it is taken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise Unavailable(f"--host: {host} is not an address of this machine ({error.strerror})") from error
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen()
    except OSError as error:
        bound.close()
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error.strerror}. "
            f"Stop what uses it, or choose another with {option}",
            code="port_in_use",
        ) from error
    return bound
