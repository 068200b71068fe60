"""What the page needs before anybody signs in."""

import platform

from litestar import get
from litestar.types import Scope

from pump_party import __version__
from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import Call, call_of
from pump_party.apps.api.parameters import access
from pump_party.apps.api.schemas.operations import Build, Feed, PublicConfig
from pump_party.domains.prop_interface.contract import AccountKind
from pump_party.kernel.money import format_micros

LIVE = "live"


@get("/v1/config", opt=access(Access.PUBLIC), tags=["config"])
async def config(scope: Scope) -> PublicConfig:
    """Where the stream is, which feed runs, which chains may sign in."""
    call = call_of(scope)
    settings = call.services.settings
    return PublicConfig(
        ws_url=settings.stream_url(),
        feed=await feed_of(call),
        price_fan_out_hz=settings.price_fan_out_hz,
        chains=list(settings.chains()),
        version=__version__,
        start_balance=format_micros(call.services.prop.start_micros(AccountKind.PRACTICE)),
        build=Build(
            version=__version__,
            python=platform.python_version(),
            database="sqlite" if call.services.database.is_sqlite else "postgres",
        ),
    )


async def feed_of(call: Call) -> Feed:
    """The feed that runs: what the newest prices say of themselves, else what the settings ask for."""
    settings = call.services.settings
    quotes = await call.run(call.services.quotes.latest, [asset.market for asset in call.services.registry.assets()])
    kind = next((quote.feed for quote in quotes.values()), settings.feed.split(":")[0])
    match kind:
        case "tape":
            return Feed(kind, f"TAPE x{settings.speed}", str(settings.speed))
        case "synthetic":
            return Feed(kind, "SYNTHETIC", "1")
        case _:
            return Feed(LIVE, "LIVE", "1")
