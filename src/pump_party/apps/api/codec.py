"""How bodies are read and answers are written: msgspec both ways, strictly, with nothing in between.

Litestar would decode into plain objects and convert them leniently ("5" for 5), and would build a response object
with headers and cookies for every answer. Order entry is too busy for that, and money too precise.
"""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as ASGIScope

from pump_party.apps.api.calls import call_of
from pump_party.apps.api.errors import Malformed
from pump_party.apps.refusals import invalid_body

_encode = msgspec.json.Encoder().encode
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


class ApiRequest(Request[Any, Any, Any]):
    """Gives Litestar the body that the edge has read, decoded as the type of the handler's `data`."""

    async def body(self) -> bytes:
        return call_of(self.scope).body or b" "

    async def json(self) -> Any:
        kind = self.route_handler.parsed_fn_signature.parameters["data"].annotation
        return decode(kind, call_of(self.scope).body)


class NoFields(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request that takes none: empty or `{}`."""


def refuse_body(body: bytes) -> None:
    """Raise for a body that a request without fields carries."""
    if body:
        decode(NoFields, body)


def decode(kind: Any, body: bytes) -> Any:
    """Read JSON as exactly this type. Raises Malformed, or Invalid with the field."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid_body(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not JSON: {error}") from error


class ApiResponse(Response[Any]):
    """An answer as one JSON document. Headers come from the edge."""

    def __init__(self, content: Any, *, status_code: int = 200, **_options: Any) -> None:
        self._document = content
        self._status = status_code

    def to_asgi_response(self, *_arguments: Any, **_options: Any) -> ASGIApp:  # type: ignore[override]
        return self.send

    async def send(self, scope: ASGIScope, _receive: Receive, send: Send) -> None:
        content, status = self._document, call_of(scope).answer_status or self._status
        if content is None:
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        body = content.body if isinstance(content, Document) else _encode(content)
        kind = content.content_type if isinstance(content, Document) else b"application/json"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


class Document(msgspec.Struct, frozen=True):
    """An answer that is already written."""

    body: bytes
    content_type: bytes
