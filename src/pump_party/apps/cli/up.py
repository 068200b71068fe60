"""`pump-party up`: API, gateway and all workers in one process, with nothing to install."""

import fcntl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pump_party import __version__
from pump_party.apps.cli.parts import api, bind_api, gateway, try_gateway_port, worker
from pump_party.apps.cli.process import run_process
from pump_party.apps.workers import WORKER_NAMES
from pump_party.bootstrap.services import build
from pump_party.config import Settings
from pump_party.kernel.errors import Unavailable
from pump_party.platform.logging import configure_logging

LOCK_FILE = "pump-party.lock"


def run(settings: Settings, *, started: float) -> int:
    """Run until a signal. `started` is when the process began, on the monotonic clock."""
    with _only_one(Path(settings.data_dir).expanduser()):
        bound = bind_api(settings)
        try_gateway_port(settings)
        configure_logging(settings.log_level, settings.log_format)
        _say(_banner(settings))
        services = build(settings)
        try:
            workers = [worker(name, services, lambda feed: _say(_found(feed, settings))) for name in WORKER_NAMES]
            parts = [*workers, api(bound), gateway(settings)]
            return run_process(services, parts, lambda: _say(f"  ready in {time.monotonic() - started:.1f} s"))
        finally:
            services.close()


def _banner(settings: Settings) -> str:
    data_dir = Path(settings.data_dir).expanduser().resolve()
    store = "Postgres" if settings.database_url else f"SQLite in {data_dir}"
    cache = "Redis" if settings.redis_url else "this process"
    speed = f" x{settings.speed}" if settings.feed.startswith("tape:") else ""
    return (
        f"Pump Party {__version__}\n"
        f"  page    {settings.origin()}\n"
        f"  stream  {settings.stream_url()}\n"
        f"  feed    {settings.feed}{speed}\n"
        f"  data    {store}; cache in {cache}"
    )


def _found(feed: str, settings: Settings) -> str:
    """The line that says what the first price turned out to be."""
    match feed:
        case "tape":
            return f"  prices  TAPE x{settings.speed}: recorded ones, replayed"
        case "synthetic" if settings.feed == "auto":
            return "  prices  SYNTHETIC: made up, because no live price came at start"
        case "synthetic":
            return "  prices  SYNTHETIC: made up"
        case _:
            return "  prices  LIVE"


def _say(text: str) -> None:
    print(text, flush=True, file=sys.stdout)


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Two processes must not write one SQLite file. The lock goes with the process, however it ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Unavailable(
                f"another pump-party runs on {data_dir}. Stop it, or choose another folder with --data-dir",
                code="data_dir_in_use",
            ) from error
        yield
