"""The parts of the product: API, gateway, workers; and how one of them runs in a process of its own.

A part takes its port before the services are built, so that a port in use is said at once.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine

from pump_party.apps.cli.process import Part, bind, run_process
from pump_party.bootstrap.ingestion import build_ingestion
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings, SettingsError
from pump_party.platform.logging import configure_logging, get_logger

log = get_logger("process")


def run(name: str, settings: Settings) -> int:
    """Run one part alone. It shares nothing with the others but Postgres and Redis, so it needs both."""
    if not settings.database_url or not settings.redis_url:
        raise SettingsError(
            "parts in processes of their own meet in Postgres and Redis: set PUMP_PARTY_DATABASE_URL and "
            "PUMP_PARTY_REDIS_URL, or run everything in one process with `pump-party up`"
        )
    configure_logging(settings.log_level, settings.log_format)
    bound = bind_api(settings) if name == "api" else None
    if name == "ws":
        try_gateway_port(settings)
    services = build(settings)
    try:
        return run_process(services, [_part(name, bound, services)], lambda: log.info("ready", part=name))
    finally:
        services.close()


def _part(name: str, bound: socket.socket | None, services: Services) -> Part:
    if bound is not None:
        return api(bound)
    if name == "ws":
        return gateway(services.settings)
    return worker(name, services, lambda feed: log.info("feed_found", feed=feed))


def bind_api(settings: Settings) -> socket.socket:
    """Take the API's port."""
    return bind(settings.host, settings.port, option="--port")


def try_gateway_port(settings: Settings) -> None:
    """Raise Unavailable when the gateway's port is taken. The gateway takes it itself."""
    bind(settings.host, settings.ws_port, option="--ws-port").close()


def api(bound: socket.socket) -> Part:
    """The HTTP API and the web app."""
    from pump_party.apps.api.server import serve

    async def run_api(services: Services, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        await serve(services, [bound], stop, on_started=ready)

    return Part(name="api", run=run_api)


def gateway(settings: Settings) -> Part:
    """The WebSocket gateway."""
    from pump_party.apps.ws.gateway import serve

    async def run_gateway(services: Services, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        started.add_done_callback(lambda _: ready())
        await serve(services, host=settings.host, port=settings.ws_port, stop=stop, started=started)

    return Part(name="ws", run=run_gateway)


def worker(name: str, services: Services, on_feed: Callable[[str], None]) -> Part:
    """A worker by its name. `on_feed` is told the kind of prices the one that ingests has found.

    Raises Invalid when the feed it is to ingest cannot be played.
    """
    work = _worker_of(name, services, on_feed)

    async def run_worker(services: Services, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        ready()
        await work(services, stop)

    return Part(name=name, run=run_worker)


def _worker_of(
    name: str, services: Services, on_feed: Callable[[str], None]
) -> Callable[[Services, asyncio.Event], Coroutine[object, object, None]]:
    match name:
        case "ingest_prices":
            from pump_party.apps.workers import ingest_prices

            ingestion = build_ingestion(services)
            ingestion.on_feed(on_feed)
            return lambda services, stop: ingest_prices.run(services, ingestion, stop=stop)
        case "match_orders":
            from pump_party.apps.workers import match_orders

            return lambda services, stop: match_orders.run(services, stop=stop)
        case "relay_outbox":
            from pump_party.apps.workers import relay_outbox

            return lambda services, stop: relay_outbox.run(services, stop=stop)
        case "run_decisions":
            from pump_party.apps.workers import run_decisions

            return lambda services, stop: run_decisions.run(services, stop=stop)
        case "run_backtests":
            from pump_party.apps.workers import run_backtests

            return lambda services, stop: run_backtests.run(services, stop=stop)
        case "mark_accounts":
            from pump_party.apps.workers import mark_accounts

            return lambda services, stop: mark_accounts.run(services, stop=stop)
        case _:
            from pump_party.apps.workers import prune

            return lambda services, stop: prune.run(services, stop=stop)
