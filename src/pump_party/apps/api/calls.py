"""One HTTP request as the routes see it: who asks, what was sent, and what the answer carries besides its body."""

from collections.abc import Callable, Sequence
from typing import Final, ParamSpec, TypeVar

from litestar.types import Scope

from pump_party.apps.api.order_waits import OrderWaits
from pump_party.apps.api.threads import Threads
from pump_party.apps.order_wire import parse_idempotency_key
from pump_party.bootstrap.services import Services
from pump_party.domains.users.contract import Principal
from pump_party.kernel.errors import RateLimited, Unauthenticated
from pump_party.kernel.ids import UserId
from pump_party.platform.limits import Limit

_KEY: Final = "call"

P = ParamSpec("P")
R = TypeVar("R")


class Call:
    """Made by the edge for each request; routes get it with `call_of(scope)`."""

    __slots__ = (
        "address",
        "answer_status",
        "body",
        "by_cookie",
        "forget_principals",
        "headers",
        "principal",
        "refused_because",
        "request_id",
        "response_headers",
        "services",
        "status",
        "threads",
        "waits",
    )

    def __init__(
        self,
        *,
        services: Services,
        threads: Threads,
        waits: OrderWaits,
        request_id: str,
        address: str,
        headers: dict[bytes, bytes],
        forget_principals: Callable[[], None],
    ) -> None:
        self.services = services
        self.threads = threads
        self.waits = waits
        self.request_id = request_id
        self.address = address
        self.headers = headers
        self.forget_principals = forget_principals
        self.body = b""
        self.by_cookie = False
        self.principal: Principal | None = None
        self.refused_because: Exception | None = None
        """Why the credential that was sent is no good; raised where one is needed."""
        self.response_headers: list[tuple[bytes, bytes]] = []
        self.answer_status: int | None = None
        """Set by a route that answers with another status than it is declared with."""
        self.status = 0

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a synchronous service method in the bounded thread pool."""
        return await self.threads.run(function, *args, **kwargs)

    async def run_dry(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a service method that may wait for a model. Raises TooManyDryRuns."""
        return await self.threads.run_dry(self.user_id(), function, *args, **kwargs)

    def signed_in(self) -> Principal:
        """Who asks. Raises Unauthenticated."""
        if self.principal is None:
            raise self.refused_because or Unauthenticated("sign in first, or send a token")
        return self.principal

    def user_id(self) -> UserId:
        return self.signed_in().user_id

    def idempotency_key(self) -> str:
        """The Idempotency-Key header. Raises Invalid when it is missing or malformed."""
        return parse_idempotency_key(self.headers.get(b"idempotency-key", b"").decode("latin-1"))

    def user_agent(self) -> str:
        return self.headers.get(b"user-agent", b"").decode("latin-1")

    async def take(self, limits: Sequence[tuple[Limit, str]]) -> None:
        """Spend a token of each limit. Raises RateLimited with the wait."""
        if not self.services.settings.rate_limits:
            return
        for limit, subject in limits:
            wait_ms = await self.services.limits.take(limit, subject)
            if wait_ms > 0:
                raise RateLimited(f"too many requests ({limit.name}); come back later", retry_after_ms=wait_ms)


def attach_call(scope: Scope, call: Call) -> None:
    scope.setdefault("state", {})[_KEY] = call


def call_of(scope: Scope) -> Call:
    call: Call = scope["state"][_KEY]
    return call
