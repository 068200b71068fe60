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
    """The feed that runs: what the newest price says of itself, else what the settings ask for.

    With `auto` that is not known before the first price.
    """
    settings = call.services.settings
    quotes = await call.run(call.services.quotes.latest, [asset.market for asset in call.services.registry.assets()])
    newest = max(quotes.values(), key=lambda quote: quote.recv_ms, default=None)
    kind = settings.feed.split(":")[0] if newest is None else newest.feed
    match kind:
        case "auto":
            return Feed("auto", "AUTO", "1")
        case "tape":
            return Feed("tape", f"TAPE x{settings.speed}", str(settings.speed))
        case "synthetic":
            return Feed("synthetic", "SYNTHETIC", "1")
        case _:
            return Feed("live", "LIVE", "1")
