"""Every refusal as RFC 9457 problem details."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException

from pump_party.apps import refusals
from pump_party.apps.api.schemas.clones import StrategyProblem, VersionItem, render_problems, render_summary
from pump_party.apps.refusals import lower_first
from pump_party.domains.clones.contract import DraftConflict, InvalidStrategy, StrategyDiff, VersionConflict
from pump_party.kernel.errors import Invalid, NotFound, RateLimited, Refusal, Unauthenticated, Unavailable

CONTENT_TYPE = b"application/problem+json"


class Malformed(Refusal):
    """The request is not HTTP or JSON as this API speaks it (400)."""

    code = "json_malformed"


class MethodNotAllowed(Refusal):
    """The route exists, the method on it does not (405). `allowed` is the Allow header."""

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this route answers {allowed}")
        self.allowed = allowed


class BodyTooSlow(Refusal):
    """The body did not arrive in time (408)."""

    code = "body_too_slow"


class BodyTooLarge(Refusal):
    """The body is larger than any request needs (413)."""

    code = "body_too_large"


class NotJson(Refusal):
    """The body is declared as something other than JSON (415)."""

    code = "content_type_unsupported"


STATUS: Mapping[type[Refusal], int] = {
    Malformed: 400,
    MethodNotAllowed: 405,
    BodyTooSlow: 408,
    BodyTooLarge: 413,
    NotJson: 415,
    **refusals.STATUS,
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request was refused: `code` is stable, `field` names the input, `retry_after_ms` when to come back.

    `invalid_strategy` has `problems`, `version_conflict` the newest version as `current` and a `diff`, `draft_conflict`
    the draft's `revision`.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    field: str | None = None
    retry_after_ms: int | None = None
    problems: list[StrategyProblem] | None = None
    current: VersionItem | None = None
    diff: StrategyDiff | None = None
    revision: int | None = None


def refusal_of(error: Exception) -> Refusal | None:
    """The refusal behind an exception; None when the exception is a fault of this program."""
    match error:
        case Refusal():
            return error
        case MethodNotAllowedException():
            return MethodNotAllowed((error.headers or {}).get("allow", ""))
        case NotFoundException():
            return NotFound("there is no such route", code="route_unknown")
        case ValidationException():
            return _invalid_parameter(error)
        case HTTPException() if error.status_code < 500:
            return Malformed(error.detail, code="request_malformed")
        case _:
            return None


def render_problem(refusal: Refusal | None, *, request_id: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of a refusal; None is an unexpected fault, of which nothing is told."""
    if refusal is None:
        status, code = 500, "internal_error"
        detail = "something unexpected went wrong and was recorded; quote the request_id"
    else:
        status = next(status for kind, status in STATUS.items() if isinstance(refusal, kind))
        code, detail = refusal.code, refusal.detail
    wait_ms = refusal.retry_after_ms if isinstance(refusal, RateLimited) else None
    problem = Problem(
        type=f"/problems/{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        field=None if refusal is None else refusal.field,
        retry_after_ms=wait_ms,
        request_id=request_id,
        **_what_to_look_at(refusal),
    )
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", CONTENT_TYPE), (b"content-length", str(len(body)).encode())]
    return status, headers + _headers_of(refusal), body


def _what_to_look_at(refusal: Refusal | None) -> dict[str, Any]:
    """What a refusal carries besides its text."""
    match refusal:
        case InvalidStrategy():
            return {"problems": render_problems(refusal.problems)}
        case VersionConflict():
            return {"current": render_summary(refusal.current), "diff": refusal.diff}
        case DraftConflict():
            return {"revision": refusal.revision}
        case _:
            return {}


def _invalid_parameter(error: ValidationException) -> Invalid:
    first: Any = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    return Invalid(
        lower_first(first.get("message", error.detail) if isinstance(first, dict) else error.detail),
        code="invalid_value",
        field=first.get("key") if isinstance(first, dict) else None,
    )


def _headers_of(refusal: Refusal | None) -> list[tuple[bytes, bytes]]:
    match refusal:
        case Unauthenticated():
            return [(b"www-authenticate", b"Bearer")]
        case MethodNotAllowed():
            return [(b"allow", refusal.allowed.encode())]
        case RateLimited():
            return [(b"retry-after", str(-(-refusal.retry_after_ms // 1000)).encode())]
        case Unavailable():
            return [(b"retry-after", b"1")]
        case BodyTooLarge() | BodyTooSlow():
            return [(b"connection", b"close")]
        case _:
            return []
