"""Is it alive, is it ready, where do prices come from; and what Prometheus reads."""

from collections.abc import Callable

from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import Call, call_of
from pump_party.apps.api.codec import ApiResponse, Document
from pump_party.apps.api.parameters import access
from pump_party.apps.api.routes.public import feed_of
from pump_party.apps.api.schemas.marketdata import Sources
from pump_party.apps.api.schemas.operations import Live, PriceCheck, Ready
from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.contract import MarketView
from pump_party.kernel.errors import NotFound, Unavailable
from pump_party.platform.metrics import CONTENT_TYPE

EVERYONE = "*"


@get("/v1/health/live", opt=access(Access.PUBLIC), tags=["health"])
async def live() -> Live:
    """The process answers."""
    return Live(status="ok")


@get(
    "/v1/health/ready",
    opt=access(Access.PUBLIC),
    tags=["health"],
    responses={
        200: ResponseSpec(Ready, description="Every check is ok"),
        503: ResponseSpec(Ready, description="Some check is not"),
    },
)
async def ready(scope: Scope) -> ApiResponse:
    """Database, cache and migrations answer; 503 with the reasons when one does not."""
    call = call_of(scope)
    checks = {name: await _outcome(call, check) for name, check in _checks(call.services).items()}
    is_ready = set(checks.values()) == {"ok"}
    prices = await _prices(call) if is_ready else []
    answer = Ready(status="ok" if is_ready else "unavailable", checks=checks, prices=prices)
    return ApiResponse(answer, status_code=200 if is_ready else 503)


@get("/v1/health/sources", opt=access(Access.PUBLIC), tags=["health"])
async def sources(scope: Scope) -> Sources:
    """Every price source with its age, rate and last error."""
    call = call_of(scope)
    health = await call.run(call.services.market_data.sources)
    feed = await feed_of(call)
    return Sources(feed=feed.kind, sources=list(health))


@get("/metrics", opt=access(Access.PUBLIC), include_in_schema=False)
async def prometheus(scope: Scope) -> Document:
    """Metrics in Prometheus' text format, for the address in PUMP_PARTY_METRICS_HOST only."""
    call = call_of(scope)
    if call.services.settings.metrics_host not in (EVERYONE, call.address):
        raise NotFound("there is no such route", code="route_unknown")
    return Document(body=call.services.metrics.render(), content_type=CONTENT_TYPE.encode())


def _checks(services: Services) -> dict[str, Callable[[], None]]:
    def cache() -> None:
        # Of markets, because nothing has to be asked for the price of none.
        services.quotes.latest([asset.market for asset in services.registry.assets()])

    def migrations() -> None:
        if not services.is_migrated():
            raise Unavailable("the schema is not the one this version needs: run `pump-party db upgrade`")

    return {"database": services.database.check, "cache": cache, "migrations": migrations}


async def _outcome(call: Call, check: Callable[[], None]) -> str:
    try:
        await call.run(check)
    except Unavailable as error:
        return error.detail
    return "ok"


async def _prices(call: Call) -> list[PriceCheck]:
    views = await call.run(call.services.market_data.markets)
    return [_price(view) for view in views]


def _price(view: MarketView) -> PriceCheck:
    return PriceCheck(view.asset.market, view.state, view.halt_reason, view.age_ms)
