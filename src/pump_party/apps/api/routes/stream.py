"""Tickets: how a page or program opens a socket without its token in a URL."""

import msgspec
from litestar import post
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import call_of
from pump_party.apps.api.codec import refuse_body
from pump_party.apps.api.parameters import access
from pump_party.apps.api.schemas.users import Ticket


@post("/v1/stream/tickets", opt=access(Access.ANY), tags=["stream"])
async def create_ticket(scope: Scope) -> Ticket:
    """A ticket for one socket, good once and for 30 seconds, tied to this session or API key."""
    call = call_of(scope)
    refuse_body(call.body)
    ticket, expires_at_ms = await call.services.tickets.issue(msgspec.json.encode(call.signed_in()))
    return Ticket(ticket, expires_at_ms)
