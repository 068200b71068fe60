"""The OpenAPI document: what Litestar knows of the routes, plus what the edge does for all of them."""

from typing import Any, Final, get_args

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from pump_party import __version__
from pump_party.apps.api.auth import Access
from pump_party.apps.api.errors import Problem
from pump_party.apps.api.handlers import HANDLERS
from pump_party.apps.api.schemas.operations import Ready
from pump_party.apps.order_wire import KEY_PATTERN

Document = dict[str, Any]

REF: Final = "#/components/schemas/"
PROBLEM_REF: Final = {"$ref": f"{REF}Problem"}

CONFIG = OpenAPIConfig(
    title="Pump Party",
    version=__version__,
    description=(
        "A trading arena on a realistic paper exchange. Amounts are decimal strings, times are integer milliseconds. "
        "Every refusal is a problem document with a stable `code`."
    ),
    components=Components(
        security_schemes={
            "bearer": SecurityScheme(type="http", scheme="bearer", description="a session token or an API key"),
            "cookie": SecurityScheme(
                type="apiKey",
                name="pp_session",
                security_scheme_in="cookie",
                description="browsers; unsafe methods also need Origin and X-CSRF-Token. `__Host-pp_session` on https",
            ),
        }
    ),
    use_handler_docstrings=True,
    operation_id_creator=lambda handler, _method, _path: handler.handler_name,
)


def openapi_document() -> Document:
    """The document, as served and as kept in docs/reference. Takes a second."""
    app = Litestar(HANDLERS, openapi_config=CONFIG, logging_config=None)
    document: Document = app.openapi_schema.to_schema()
    kinds: set[Any] = {Problem, Ready}
    for route in app.routes:
        item = document["paths"].get(route.path_format)
        if item is None or not isinstance(route, HTTPRoute):
            continue
        for method, (handler, _) in route.route_handler_map.items():
            if method.lower() in item:
                _complete(item[method.lower()], handler)
                kinds |= _structs_of(handler)
    _, schemas = msgspec.json.schema_components(sorted(kinds, key=lambda k: k.__name__), ref_template=REF + "{name}")
    document["components"]["schemas"] |= schemas
    return document


def _structs_of(handler: HTTPRouteHandler) -> set[Any]:
    signature = handler.parsed_fn_signature
    fields = [signature.return_type, *(field for name, field in signature.parameters.items() if name == "data")]
    kinds = {kind for field in fields for kind in (get_args(field.annotation) or (field.annotation,))}
    return {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}


def _complete(operation: Document, handler: HTTPRouteHandler) -> None:
    opt = handler.opt
    operation["summary"] = handler.handler_name.replace("_", " ").capitalize()
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"].endswith("_id"):
            parameter["schema"]["format"] = "uuid"
    responses = operation["responses"]
    responses.pop("400", None)
    responses["default"] = {
        "description": "Refused: the status says how, the code why",
        "content": {"application/problem+json": {"schema": PROBLEM_REF}},
    }
    if opt.get("idempotent"):
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "repeat the request with the same key and it happens once; a key is remembered for "
                "7 days (PUMP_PARTY_IDEMPOTENCY_KEPT_DAYS), one of an order or of opening or resetting an account "
                "for ever",
                "schema": {"type": "string", "pattern": KEY_PATTERN},
            }
        )
    match opt.get("access", Access.SESSION):
        case Access.PUBLIC:
            operation["security"] = []
        case Access.SESSION:
            operation["security"] = [{"bearer": []}, {"cookie": []}]
            operation["description"] = f"{operation.get('description') or ''} Sessions only, no API keys.".strip()
        case Access.ANY:
            operation["security"] = [{"bearer": []}, {"cookie": []}]
        case Access.ACT:
            operation["security"] = [{"bearer": []}, {"cookie": []}]
            operation["description"] = (
                f"{operation.get('description') or ''} API keys need `act` for this clone.".strip()
            )
        case scope:
            operation["security"] = [{"bearer": []}, {"cookie": []}]
            operation["description"] = f"{operation.get('description') or ''} API keys need `{scope}`.".strip()
