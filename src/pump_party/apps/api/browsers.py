"""What protects people in browsers: the session cookie, Origin and CSRF checks, security headers. CORS stays off."""

import hmac

from pump_party.apps.api.calls import Call
from pump_party.config import Settings
from pump_party.kernel.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HSTS_SECONDS = 31_536_000

Headers = list[tuple[bytes, bytes]]


def cookie_name(settings: Settings) -> str:
    """`__Host-` ties the cookie to exactly this origin; browsers take it over https only."""
    return "__Host-pp_session" if settings.is_https() else "pp_session"


def session_cookie(settings: Settings, token: str, *, seconds: int) -> tuple[bytes, bytes]:
    """The Set-Cookie header that signs a browser in; no token and 0 seconds sign it out."""
    secure = "; Secure" if settings.is_https() else ""
    text = f"{cookie_name(settings)}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    return b"set-cookie", text.encode()


def check_origin(call: Call, method: str, origins: frozenset[str]) -> None:
    """Refuse what another site makes a browser send. Requests with a Bearer token need neither header.

    Raises Forbidden.
    """
    if method in SAFE_METHODS or b"authorization" in call.headers:
        return
    origin = call.headers.get(b"origin")
    if origin is not None and origin.decode("latin-1") not in origins:
        raise Forbidden(
            "this origin may not act for the user; operators name theirs in PUMP_PARTY_PUBLIC_ORIGIN",
            code="origin_not_allowed",
            field="Origin",
        )
    if not call.by_cookie or call.principal is None:
        return
    if origin is None:
        raise Forbidden("a cookie needs an Origin beside it", code="origin_missing", field="Origin")
    expected = call.principal.csrf_token or ""
    sent = call.headers.get(b"x-csrf-token", b"")
    if not expected or not hmac.compare_digest(sent, expected.encode()):
        raise Forbidden(
            "send the session's csrf_token (GET /v1/me) as X-CSRF-Token", code="csrf_mismatch", field="X-CSRF-Token"
        )


def api_headers(settings: Settings) -> Headers:
    """On every answer of the API."""
    return [
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        *_common_headers(settings),
    ]


def page_headers(settings: Settings) -> Headers:
    """On every file of the web app. Scripts only from files of its own.

    Styles may be inline: the chart and the dialogs insert style elements. Images may be data: wallets announce their
    icons so. Sign-in wallets may open windows of their own.
    """
    stream = settings.stream_url().removesuffix("/v1/stream")
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        f"font-src 'self'; connect-src 'self' {stream}; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return [(b"content-security-policy", policy.encode()), *_common_headers(settings)]


def _common_headers(settings: Settings) -> Headers:
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin-allow-popups"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ]
    if settings.is_https():
        headers.append((b"strict-transport-security", f"max-age={HSTS_SECONDS}".encode()))
    return headers
