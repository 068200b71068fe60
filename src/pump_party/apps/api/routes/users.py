"""Sign in, sign out, wallets, API keys."""

import msgspec
from litestar import delete, get, post
from litestar.params import JSONBody
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.browsers import session_cookie
from pump_party.apps.api.calls import Call, call_of
from pump_party.apps.api.parameters import PathText, access, checked_id
from pump_party.apps.api.rates import CHALLENGES_PER_WALLET
from pump_party.apps.api.schemas.users import (
    ApiKeyBody,
    ApiKeyItem,
    ApiKeyMade,
    ApiKeys,
    Challenge,
    ChallengeBody,
    CurrentSession,
    Me,
    ProofBody,
    Session,
    SessionItem,
    Sessions,
    Wallet,
    render_me,
    render_session,
)
from pump_party.domains.users.contract import ChallengePurpose
from pump_party.kernel.errors import Forbidden, Unauthenticated
from pump_party.kernel.ids import CloneId

USER_AGENT_CHARS_MAX = 200


@post("/v1/auth/challenges", opt=access(Access.PUBLIC), tags=["auth"])
async def create_challenge(scope: Scope, data: JSONBody[ChallengeBody]) -> Challenge:
    """The text a wallet is asked to sign. Purpose `link` needs a session."""
    call = call_of(scope)
    await call.take([(CHALLENGES_PER_WALLET, f"{data.chain} {data.address.lower()}")])
    linking = data.purpose is ChallengePurpose.LINK
    if linking and call.signed_in().session_id is None:
        raise Forbidden("an API key may not do this; sign in with a wallet", code="session_required")
    view = await call.run(
        call.services.users.create_challenge,
        chain=data.chain,
        address=data.address,
        purpose=data.purpose,
        user_id=call.user_id() if linking else None,
    )
    return Challenge(view.challenge_id, view.message, view.expires_at_ms)


@post("/v1/auth/sessions", opt=access(Access.PUBLIC), tags=["auth"])
async def create_session(scope: Scope, data: JSONBody[ProofBody]) -> Session:
    """Sign in with a signed challenge. The user is created on first sight."""
    call = call_of(scope)
    signed_in = await call.run(
        call.services.users.create_session,
        challenge_id=data.challenge_id,
        signature=data.signature,
        signed_message=data.signed_message,
        user_agent=call.user_agent()[:USER_AGENT_CHARS_MAX],
    )
    seconds = (signed_in.expires_at_ms - call.services.clock.now_ms()) // 1000
    call.response_headers.append(session_cookie(call.services.settings, signed_in.token, seconds=seconds))
    return render_session(signed_in)


@get("/v1/auth/sessions", opt=access(Access.SESSION), tags=["auth"])
async def list_sessions(scope: Scope) -> Sessions:
    call = call_of(scope)
    views = await call.run(call.services.users.list_sessions, call.signed_in())
    return Sessions([msgspec.convert(view, SessionItem, from_attributes=True) for view in views])


@get("/v1/auth/sessions/current", opt=access(Access.PUBLIC), tags=["auth"])
async def current_session(scope: Scope) -> CurrentSession:
    """Who is signed in with the session that was sent, as GET /v1/me; null when nobody is.

    Not being signed in is an answer here and no refusal: a page may ask before anybody signs in.
    """
    call = call_of(scope)
    try:
        principal = call.signed_in()
    except Unauthenticated:
        return CurrentSession(None)
    if principal.session_id is None:
        return CurrentSession(None)
    return CurrentSession(render_me(await call.run(call.services.users.me, principal), principal.csrf_token))


@delete("/v1/auth/sessions/current", opt=access(Access.SESSION), tags=["auth"])
async def sign_out(scope: Scope) -> None:
    call = call_of(scope)
    await _revoke(call, call.signed_in().session_id or "")
    _clear_cookie(call)


@delete("/v1/auth/sessions/{session_id:str}", opt=access(Access.SESSION), tags=["auth"])
async def revoke_session(scope: Scope, session_id: PathText) -> None:
    await _revoke(call_of(scope), checked_id(session_id, "session"))


@delete("/v1/auth/sessions", opt=access(Access.SESSION), tags=["auth"])
async def revoke_all_sessions(scope: Scope) -> None:
    """Sign out everywhere."""
    call = call_of(scope)
    await call.run(call.services.users.revoke_all_sessions, call.signed_in())
    call.forget_principals()
    _clear_cookie(call)


@get("/v1/me", opt=access(Access.READ), tags=["auth"])
async def me(scope: Scope) -> Me:
    """Who is signed in, with linked wallets, and the CSRF token of the session."""
    call = call_of(scope)
    principal = call.signed_in()
    return render_me(await call.run(call.services.users.me, principal), principal.csrf_token)


@post("/v1/wallets", opt=access(Access.SESSION), tags=["auth"])
async def link_wallet(scope: Scope, data: JSONBody[ProofBody]) -> Wallet:
    """Link a second wallet with a signed challenge of purpose `link`."""
    call = call_of(scope)
    view = await call.run(
        call.services.users.link_wallet,
        call.signed_in(),
        challenge_id=data.challenge_id,
        signature=data.signature,
        signed_message=data.signed_message,
    )
    return msgspec.convert(view, Wallet, from_attributes=True)


@get("/v1/api-keys", opt=access(Access.SESSION), tags=["api keys"])
async def list_api_keys(scope: Scope) -> ApiKeys:
    call = call_of(scope)
    views = await call.run(call.services.users.list_api_keys, call.signed_in())
    return ApiKeys([msgspec.convert(view, ApiKeyItem, from_attributes=True) for view in views])


@post("/v1/api-keys", opt=access(Access.SESSION, idempotent=True), tags=["api keys"])
async def create_api_key(scope: Scope, data: JSONBody[ApiKeyBody]) -> ApiKeyMade:
    """Make an API key for programs. It is shown this once. One with the scope `act` decides for one clone."""
    call = call_of(scope)
    clone_id = None if data.clone_id is None else CloneId(data.clone_id)
    if clone_id is not None:
        await call.run(call.services.clones.owner_clone, call.user_id(), clone_id)
    made = await call.run(
        call.services.users.create_api_key,
        call.signed_in(),
        name=data.name,
        scopes=data.scopes,
        idempotency_key=call.idempotency_key(),
        clone_id=clone_id,
    )
    return msgspec.convert(made, ApiKeyMade, from_attributes=True)


@delete("/v1/api-keys/{api_key_id:str}", opt=access(Access.SESSION), tags=["api keys"])
async def revoke_api_key(scope: Scope, api_key_id: PathText) -> None:
    call = call_of(scope)
    await call.run(call.services.users.revoke_api_key, call.signed_in(), checked_id(api_key_id, "api_key"))
    call.forget_principals()


async def _revoke(call: Call, session_id: str) -> None:
    await call.run(call.services.users.revoke_session, call.signed_in(), session_id)
    call.forget_principals()


def _clear_cookie(call: Call) -> None:
    call.response_headers.append(session_cookie(call.services.settings, "", seconds=0))
