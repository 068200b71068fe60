"""The outermost layer: every request passes here first and every answer last.

In order: load, credential, origin, rate, body; then the routes; then one log line and the metrics. Anything that goes
wrong anywhere becomes a problem document here and nowhere else.
"""

import time
from itertools import count
from typing import Final, cast

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from pump_party.apps.api.auth import Authenticator
from pump_party.apps.api.bodies import read_body
from pump_party.apps.api.browsers import SAFE_METHODS, api_headers, check_origin, page_headers
from pump_party.apps.api.calls import Call, attach_call
from pump_party.apps.api.errors import refusal_of, render_problem
from pump_party.apps.api.order_waits import OrderWaits
from pump_party.apps.api.rates import ALWAYS_ANSWERED, limits_of
from pump_party.apps.api.threads import Threads
from pump_party.apps.api.webapp import WebApp
from pump_party.bootstrap.services import Services
from pump_party.kernel.errors import Unavailable
from pump_party.platform.logging import get_logger

REQUESTS_IN_FLIGHT_MAX: Final = 2_000
API_PREFIX: Final = "/v1/"
METRICS_PATH: Final = "/metrics"
QUIET_ROUTES: Final = frozenset({"/v1/health/live", "/v1/health/ready", METRICS_PATH, "page"})
"""Asked all the time by machines: logged at debug unless they fail."""


class Edge:
    """Wraps the routes and the web app into the ASGI app that the server runs."""

    def __init__(
        self,
        routes: ASGIApp,
        web: WebApp,
        services: Services,
        threads: Threads,
        waits: OrderWaits,
        authenticator: Authenticator,
    ) -> None:
        self._routes = routes
        self._web = web
        self._services = services
        self._threads = threads
        self._waits = waits
        self._authenticator = authenticator
        self._metrics = services.metrics
        self._origins = services.settings.origins()
        self._api_headers = api_headers(services.settings)
        self._page_headers = page_headers(services.settings)
        self._log = get_logger("http").bind()
        self._in_flight = 0
        self._run_id = services.ids.new()
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind: str = scope["type"]
        if kind == "lifespan":
            await self._routes(scope, receive, send)
        elif kind == "http":
            await self._answer(cast("HTTPScope", scope), receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "the stream has its own port"})

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started_ns = time.perf_counter_ns()
        call = self._call(scope)
        is_api = scope["path"].startswith(API_PREFIX) or scope["path"] == METRICS_PATH
        fixed_headers = self._api_headers if is_api else self._page_headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    *fixed_headers,
                    (b"x-request-id", call.request_id.encode()),
                    *call.response_headers,
                ]
            await send(message)

        self._in_flight += 1
        try:
            if is_api:
                await self._enter(call, scope, receive)
                await self._routes(scope, receive, send_with_headers)
            else:
                await self._web(scope, send_with_headers)
        except Exception as error:  # noqa: BLE001  the one place where a fault becomes an answer
            await self._send_problem(error, call, send_with_headers)
        finally:
            self._in_flight -= 1
            self._record(call, scope, is_api=is_api, duration_s=(time.perf_counter_ns() - started_ns) / 1e9)

    def _call(self, scope: HTTPScope) -> Call:
        client = scope["client"]
        call = Call(
            services=self._services,
            threads=self._threads,
            waits=self._waits,
            request_id=f"{self._run_id}.{next(self._numbers)}",
            address=client[0] if client else "unknown",
            headers=dict(scope["headers"]),
            forget_principals=self._authenticator.forget_all,
        )
        attach_call(scope, call)
        return call

    async def _enter(self, call: Call, scope: HTTPScope, receive: Receive) -> None:
        """Everything a request must pass before a route sees it. Raises a Refusal."""
        if self._in_flight > REQUESTS_IN_FLIGHT_MAX and not scope["path"].startswith(ALWAYS_ANSWERED):
            raise Unavailable("too many requests at once; try again", code="overloaded")
        method = scope["method"]
        await self._authenticator.identify(call)
        check_origin(call, method, self._origins)
        await call.take(limits_of(call, method, scope["path"]))
        if method not in SAFE_METHODS:
            call.body = await read_body(receive, call.headers.get(b"content-type"))

    async def _send_problem(self, error: Exception, call: Call, send: Send) -> None:
        refusal = refusal_of(error)
        if refusal is None:
            self._log.error("request failed", request_id=call.request_id, exc_info=error)
        else:
            self._metrics.refused(refusal.code)
        if call.status:
            raise error
        status, headers, body = render_problem(refusal, request_id=call.request_id)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _record(self, call: Call, scope: HTTPScope, *, is_api: bool, duration_s: float) -> None:
        route = str(scope.get("path_template") or "unknown") if is_api else "page"
        method = scope["method"] if route != "unknown" else "ANY"
        self._metrics.request_answered(method=method, route=route, status=call.status, duration_s=duration_s)
        self._metrics.requests_in_flight(self._in_flight)
        write = self._log.debug if route in QUIET_ROUTES and call.status < 500 else self._log.info
        write(
            "request",
            request_id=call.request_id,
            method=method,
            route=route,
            status=call.status,
            duration_ms=round(duration_s * 1000, 3),
            user_id=None if call.principal is None else call.principal.user_id,
        )
