"""Puts the HTTP API together: edge, routes, documentation, web app."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import NoReturn

import msgspec
from litestar import Litestar, get
from litestar.types import ASGIApp, Scope

from pump_party.apps.api.auth import Access, Authenticator, check_access
from pump_party.apps.api.browsers import cookie_name
from pump_party.apps.api.calls import call_of
from pump_party.apps.api.codec import ApiRequest, ApiResponse, Document
from pump_party.apps.api.edge import Edge
from pump_party.apps.api.fast_lane import FastLane
from pump_party.apps.api.handlers import HANDLERS
from pump_party.apps.api.openapi import openapi_document
from pump_party.apps.api.order_waits import OrderWaits
from pump_party.apps.api.parameters import access
from pump_party.apps.api.threads import Threads
from pump_party.apps.api.webapp import WebApp
from pump_party.bootstrap.services import Services


def create_app(services: Services, stopping: Callable[[Callable[[], None]], None]) -> ASGIApp:
    """The ASGI app of the API and the web app. One per process. `stopping` takes what to call before the end."""
    threads = Threads()
    waits = OrderWaits(services, threads)
    stopping(waits.close)
    authenticator = Authenticator(services.users, threads, cookie_name(services.settings))
    return Edge(FastLane(create_routes(threads)), WebApp(), services, threads, waits, authenticator)


def create_routes(threads: Threads) -> Litestar:
    """The routes alone: everything that documents them, nothing that protects them."""

    @asynccontextmanager
    async def close_threads(_: Litestar) -> AsyncIterator[None]:
        yield
        threads.close()

    return Litestar(
        [*HANDLERS, openapi],
        before_request=check_access,
        request_class=ApiRequest,
        response_class=ApiResponse,
        exception_handlers={Exception: _reraise},
        lifespan=[close_threads],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )


@get("/v1/openapi.json", opt=access(Access.PUBLIC), include_in_schema=False)
async def openapi(scope: Scope) -> Document:
    """This document."""
    body = await call_of(scope).run(_written_document)
    return Document(body=body, content_type=b"application/vnd.oai.openapi+json")


@lru_cache(maxsize=1)
def _written_document() -> bytes:
    return msgspec.json.encode(openapi_document())


def _reraise(_request: object, error: Exception) -> NoReturn:
    """The edge renders every error."""
    raise error
