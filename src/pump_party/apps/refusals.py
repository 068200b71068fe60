"""How refusals read on the wire, the same over REST and the socket: a status per kind, a field per broken rule."""

import re
from collections.abc import Mapping

import msgspec

from pump_party.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
)

STATUS: Mapping[type[Refusal], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    RateLimited: 429,
    Unavailable: 503,
}
"""The only place where a kind of refusal gets a status; `apps/api/errors.py` adds those that only HTTP knows."""

_NAMED_FIELD = re.compile(r"Object (?:contains (?P<unknown>unknown)|missing required) field `(?P<field>.+)`")


def invalid_body(error: msgspec.ValidationError) -> Invalid:
    """Name the field and the rule that msgspec found broken."""
    message, _, path = str(error).partition(" - at `")
    parent = path.rstrip("`").removeprefix("$").lstrip(".")
    named = _NAMED_FIELD.match(message)
    if named is None:
        return Invalid(lower_first(message), code="invalid_value", field=parent or None)
    field = f"{parent}.{named['field']}" if parent else named["field"]
    if named["unknown"]:
        return Invalid("this field is not known here", code="unknown_field", field=field)
    return Invalid("this field is required", code="missing_field", field=field)


def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
