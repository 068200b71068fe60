"""One HTTP request as the routes see it: who asks, what was sent, and what the answer carries besides its body."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from litestar.types import Scope

from pump_party.apps.order_wire import parse_idempotency_key
from pump_party.bootstrap.services import Services
from pump_party.domains.users.contract import Principal
from pump_party.kernel.errors import RateLimited, Unauthenticated
from pump_party.kernel.ids import UserId
from pump_party.platform.limits import Limit

if TYPE_CHECKING:
    from pump_party.apps.api.order_waits import OrderWaits

THREADS_MAX: Final = 8
"""Service calls at a time: as many as the database has connections."""

DRY_RUNS_MAX: Final = 32
"""Dry runs and replays at a time: each may wait a minute for a model, so they have threads of their own."""

DRY_RUNS_PER_USER_MAX: Final = 4
DRY_RUNS_RETRY_MS: Final = 5_000

_KEY: Final = "call"

P = ParamSpec("P")
R = TypeVar("R")


class TooManyDryRuns(RateLimited):
    """So many wait for models already, of this user or of everybody."""

    code = "too_many_dry_runs"

    def __init__(self, whose: str) -> None:
        super().__init__(f"{whose} wait for their models; come back later", retry_after_ms=DRY_RUNS_RETRY_MS)


class Threads:
    """Where synchronous services run, so that none holds up the event loop. Use from one event loop."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=THREADS_MAX, thread_name_prefix="services")
        self._dry_runs = ThreadPoolExecutor(max_workers=DRY_RUNS_MAX, thread_name_prefix="dry-runs")
        self._running: Counter[UserId] = Counter()

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(function, *args, **kwargs))

    async def run_dry(self, user_id: UserId, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for what waits for models, where it takes no thread from anybody else. Raises TooManyDryRuns."""
        if self._running[user_id] >= DRY_RUNS_PER_USER_MAX:
            raise TooManyDryRuns(f"{DRY_RUNS_PER_USER_MAX} of your dry runs and replays")
        if self._running.total() >= DRY_RUNS_MAX:
            raise TooManyDryRuns(f"{DRY_RUNS_MAX} dry runs and replays")
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._dry_runs, partial(function, *args, **kwargs))
        self._running[user_id] += 1
        running.add_done_callback(lambda _: self._ended(user_id))
        return await running

    def _ended(self, user_id: UserId) -> None:
        self._running[user_id] -= 1
        if not self._running[user_id]:
            del self._running[user_id]

    def close(self) -> None:
        for executor in (self._executor, self._dry_runs):
            executor.shutdown(wait=False, cancel_futures=True)


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
        waits: "OrderWaits",
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
