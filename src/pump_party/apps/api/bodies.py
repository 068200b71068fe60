"""Read a request body within limits, before anything parses it. Content-Length is not believed: bytes are counted."""

import asyncio
from typing import cast

from litestar.types import HTTPRequestEvent, Receive

from pump_party.apps.api.errors import BodyTooLarge, BodyTooSlow, Malformed, NotJson
from pump_party.kernel.errors import Invalid
from pump_party.kernel.json_depth import is_nested_beyond

BODY_BYTES_MAX = 64 * 1024
BODY_SECONDS_MAX = 10.0
JSON_DEPTH_MAX = 32
"""A strategy with conditions as deep as they may be has 23."""


async def read_body(receive: Receive, content_type: bytes | None, *, seconds_max: float = BODY_SECONDS_MAX) -> bytes:
    """The whole body, at most BODY_BYTES_MAX within `seconds_max`, JSON of a sane depth.

    Raises BodyTooLarge, BodyTooSlow, NotJson or Invalid (json_too_deep).
    """
    try:
        async with asyncio.timeout(seconds_max):
            body = await _receive_all(receive)
    except TimeoutError as error:
        raise BodyTooSlow(f"the body must arrive within {seconds_max:g} seconds") from error
    if body:
        if content_type is None or content_type.split(b";", 1)[0].strip().lower() != b"application/json":
            raise NotJson("send the body as application/json", field="Content-Type")
        check_depth(body)
    return body


async def _receive_all(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("the connection closed before the body was complete", code="body_incomplete")
        part = cast("HTTPRequestEvent", message)
        chunk = part["body"]
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise BodyTooLarge(f"the body may have at most {BODY_BYTES_MAX} bytes")
        chunks.append(chunk)
        if not part["more_body"]:
            return chunk if len(chunks) == 1 else b"".join(chunks)


def check_depth(body: bytes) -> None:
    """Refuse JSON nested deeper than any body of this API, without parsing it."""
    if is_nested_beyond(body, JSON_DEPTH_MAX):
        raise Invalid(f"the body may be nested at most {JSON_DEPTH_MAX} deep", code="json_too_deep")
