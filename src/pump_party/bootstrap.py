"""The only place objects meet: Settings in, Services out. Whatever is missing stops the start here, with the reason."""

from dataclasses import dataclass
from typing import Protocol

from pump_party.config import Settings
from pump_party.db.engine import Database
from pump_party.domains.marketdata.contract import MarketData, QuotesWriter
from pump_party.domains.prop_interface.contract import OrderView, PlaceOrder, PropTrading
from pump_party.domains.users.contract import Users
from pump_party.platform.bus import Bus
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids
from pump_party.platform.limits import Limits
from pump_party.platform.outbox import Outbox
from pump_party.platform.tickets import Tickets


class OrderDesk(Protocol):
    """Where apps hand in orders: they are decided in batches, one transaction a batch."""

    async def submit(self, command: PlaceOrder) -> OrderView:
        """The recorded outcome. Raises the Refusal of this command, never a neighbour's."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything an app may use."""

    settings: Settings
    clock: Clock
    ids: Ids
    database: Database
    users: Users
    prop: PropTrading
    orders: OrderDesk
    market_data: MarketData
    quotes: QuotesWriter
    bus: Bus
    limits: Limits
    tickets: Tickets
    outbox: Outbox
