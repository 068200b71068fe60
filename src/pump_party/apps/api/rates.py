"""Which request spends which limit. The buckets themselves are shared by all processes (`services.limits`)."""

import ipaddress

from pump_party.apps.api.calls import Call
from pump_party.apps.order_wire import ORDERS_PER_USER
from pump_party.platform.limits import Limit

CHALLENGES_PER_ADDRESS = Limit(name="challenges", burst=20, per_minute=30)
CHALLENGES_PER_WALLET = Limit(name="challenges_wallet", burst=10, per_minute=10)
SIGN_INS_PER_ADDRESS = Limit(name="sign_ins", burst=20, per_minute=30)
CREDENTIALS_PER_ADDRESS = Limit(name="credentials", burst=200, per_minute=1_200)
"""Credentials looked up in the database: bounds guessing and floods with worthless tokens."""

WRITES_PER_CREDENTIAL = Limit(name="writes", burst=60, per_minute=240)
READS_PER_CREDENTIAL = Limit(name="reads", burst=300, per_minute=1_800)
READS_PER_ADDRESS = Limit(name="reads_address", burst=300, per_minute=1_800)

IPV6_SITE_BITS = 64

ALWAYS_ANSWERED = ("/v1/health/", "/metrics")
"""Paths that no limit on requests keeps out: who watches the process must see that it is busy, not that it is gone."""


def limits_of(call: Call, method: str, path: str) -> list[tuple[Limit, str]]:
    """The limits that a request to this path spends before it is carried out."""
    if path.startswith(ALWAYS_ANSWERED):
        return []
    if method == "POST":
        if path == "/v1/auth/challenges":
            return [(CHALLENGES_PER_ADDRESS, site_of(call.address))]
        if path == "/v1/auth/sessions":
            return [(SIGN_INS_PER_ADDRESS, site_of(call.address))]
    if call.principal is not None and _is_order(method, path):
        return [(ORDERS_PER_USER, call.principal.user_id)]
    if call.principal is None:
        return [(READS_PER_ADDRESS, site_of(call.address))]
    limit = READS_PER_CREDENTIAL if method in ("GET", "HEAD") else WRITES_PER_CREDENTIAL
    return [(limit, call.principal.credential_id())]


def _is_order(method: str, path: str) -> bool:
    """Placing and cancelling; a preview is a write like any other."""
    return path.endswith("/orders") if method == "POST" else method == "DELETE" and "/orders" in path


def site_of(address: str) -> str:
    """The network a client speaks from: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False).network_address)
