"""Builds users with the chains and the origin that the settings name."""

from pump_party.adapters.evm_rpc import EvmRpc
from pump_party.config import Settings
from pump_party.db.engine import Database
from pump_party.db.users import UserStore
from pump_party.domains.users.service import UserService
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def build_users(settings: Settings, database: Database, clock: Clock, ids: Ids) -> UserService:
    rpc_urls = {int(chain): url for chain, url in _pairs(settings.evm_rpc_urls)}
    origin = settings.origin()
    return UserService(
        UserStore(database),
        clock,
        ids,
        EvmRpc(rpc_urls),
        domain=origin.split("://", 1)[1],
        uri=origin,
        evm_chain_ids={int(chain) for chain in settings.evm_chain_ids.split(",")},
        session_idle_ms=settings.session_idle_minutes * MINUTE_MS,
        session_absolute_ms=settings.session_absolute_hours * HOUR_MS,
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for item in filter(None, text.split(",")):
        key, _, value = item.partition("=")
        pairs.append((key, value))
    return pairs
