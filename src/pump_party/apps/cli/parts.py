"""The parts of the product: API, gateway, workers; and how one of them runs in a process of its own."""

import asyncio
from collections.abc import Callable

from pump_party.apps.cli.process import Part, bind, run_process
from pump_party.bootstrap import Services, build, build_ingestion
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
    part = api(settings) if name == "api" else gateway(settings) if name == "ws" else worker(name)
    services = build(settings)
    try:
        return run_process(services, [part], lambda: log.info("ready", part=name))
    finally:
        services.close()


def api(settings: Settings) -> Part:
    """The HTTP API. Takes its port now."""
    from pump_party.apps.api.server import serve

    bound = bind(settings.host, settings.port, option="--port")

    async def run_api(services: Services, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        await serve(services, [bound], stop, on_started=ready)

    return Part(name="api", run=run_api)


def gateway(settings: Settings) -> Part:
    """The WebSocket gateway. Tries its port now, takes it when it runs."""
    from pump_party.apps.ws.gateway import serve

    bind(settings.host, settings.ws_port, option="--ws-port").close()

    async def run_gateway(services: Services, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        started.add_done_callback(lambda _: ready())
        await serve(services, host=settings.host, port=settings.ws_port, stop=stop, started=started)

    return Part(name="ws", run=run_gateway)


def worker(name: str) -> Part:
    """A worker by its name."""

    async def run_worker(services: Services, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        ready()
        match name:
            case "ingest_prices":
                from pump_party.apps.workers import ingest_prices

                await ingest_prices.run(services, build_ingestion(services), stop=stop)
            case "relay_outbox":
                from pump_party.apps.workers import relay_outbox

                await relay_outbox.run(services, stop=stop)
            case "mark_accounts":
                from pump_party.apps.workers import mark_accounts

                await mark_accounts.run(services, stop=stop)
            case _:
                from pump_party.apps.workers import prune

                await prune.run(services, stop=stop)

    return Part(name=name, run=run_worker)
