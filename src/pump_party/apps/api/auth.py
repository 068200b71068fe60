"""Who is asking: a session token or API key as Bearer, or the session cookie of a browser."""

import asyncio
import time
from enum import StrEnum
from typing import Any

from litestar import Request

from pump_party.apps.api.calls import Call, call_of
from pump_party.apps.api.rates import CREDENTIALS_PER_ADDRESS, site_of
from pump_party.apps.api.threads import Threads
from pump_party.domains.users.contract import Principal, Scope, Users
from pump_party.kernel.errors import Forbidden, NotFound, Refusal, Unauthenticated
from pump_party.kernel.ids import UserId

PRINCIPAL_SECONDS_MAX = 1.0
"""How long a looked-up principal is trusted: with this, a revocation works within two seconds everywhere."""

PRINCIPALS_MAX = 10_000
TOKEN_CHARACTERS_MAX = 256
API_KEY_PREFIX = "pp_"


class Access(StrEnum):
    """Who may use a route. A route that says nothing is for sessions only."""

    PUBLIC = "public"
    READ = "read"
    TRADE = "trade"
    ACT = "act"
    """Decide for the clone in the path: API keys are made for one clone."""
    ANY = "any"
    """Sessions and every API key."""
    SESSION = "session"


class Authenticator:
    """Finds the principal of a request. Concurrent requests with one credential share one lookup."""

    def __init__(self, users: Users, threads: Threads, cookie_name: str) -> None:
        self._users = users
        self._threads = threads
        self._cookie = cookie_name.encode() + b"="
        self._known: dict[str, tuple[float, Principal]] = {}
        self._lookups: dict[str, asyncio.Task[Principal]] = {}

    async def identify(self, call: Call) -> None:
        """Set the call's principal, or why there is none. Raises RateLimited only."""
        token = self._credential(call)
        if token is None:
            return
        known = self._known.get(token)
        if known is not None and known[0] > time.monotonic():
            call.principal = known[1]
            return
        await call.take([(CREDENTIALS_PER_ADDRESS, site_of(call.address))])
        try:
            call.principal = await self._look_up(token)
        except Refusal as refusal:
            call.refused_because = refusal

    def forget_all(self) -> None:
        """After a revocation in this process: the very next request is looked up."""
        self._known.clear()

    def _credential(self, call: Call) -> str | None:
        authorization = call.headers.get(b"authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(b" ")
            if scheme.lower() != b"bearer" or not 0 < len(token) <= TOKEN_CHARACTERS_MAX or not token.isascii():
                call.refused_because = Unauthenticated("send the token as `Authorization: Bearer <token>`")
                return None
            return token.decode()
        for pair in call.headers.get(b"cookie", b"").split(b";"):
            crumb = pair.strip()
            if crumb.startswith(self._cookie) and crumb.isascii():
                call.by_cookie = True
                return crumb[len(self._cookie) :].decode()[:TOKEN_CHARACTERS_MAX]
        return None

    async def _look_up(self, token: str) -> Principal:
        lookup = self._lookups.get(token)
        if lookup is None:
            lookup = asyncio.create_task(self._authenticate(token))
            self._lookups[token] = lookup
            lookup.add_done_callback(lambda _: self._lookups.pop(token, None))
        return await asyncio.shield(lookup)

    async def _authenticate(self, token: str) -> Principal:
        users = self._users
        check = users.authenticate_api_key if token.startswith(API_KEY_PREFIX) else users.authenticate_session
        asked_at = time.monotonic()
        principal = await self._threads.run(check, token)
        if len(self._known) >= PRINCIPALS_MAX:
            self._known.clear()
        self._known[token] = (asked_at + PRINCIPAL_SECONDS_MAX, principal)
        return principal


async def check_access(request: Request[Any, Any, Any]) -> None:
    """Runs before every route. Raises Unauthenticated or Forbidden.

    Not a Litestar guard: for those it copies the route handler with each request.
    """
    scope = request.scope
    if scope["method"] == "OPTIONS":
        return
    access = scope["route_handler"].opt.get("access", Access.SESSION)
    require(call_of(scope), access, clone_id=scope["path_params"].get("clone_id"))


def require(call: Call, access: Access, *, clone_id: str | None = None) -> None:
    """Raise Unauthenticated or Forbidden unless this call may have this access.

    NotFound for a key that decides for another clone than `clone_id`, the one in the path.
    """
    if access is Access.PUBLIC:
        return
    principal = call.signed_in()
    if access is Access.ANY:
        return
    if access is Access.SESSION:
        if principal.session_id is None:
            raise Forbidden("an API key may not do this; sign in with a wallet", code="session_required")
    elif Scope(access.value) not in principal.scopes:
        raise Forbidden(f"this API key lacks the scope {access.value}", code="scope_missing")
    elif access is Access.ACT and principal.clone_id not in (None, clone_id):
        raise NotFound("no such clone", code="clone_not_found")


def viewer_of(call: Call, clone_id: str) -> UserId | None:
    """As whom this call sees a clone: None sees what everybody does, also with a key that may not read."""
    principal = call.principal
    if principal is None or not (Scope.READ in principal.scopes or principal.clone_id == clone_id):
        return None
    return principal.user_id
