"""All that the store in memory keeps of one account."""

import msgspec

from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    OpenOrder,
    Position,
    RecordedOrder,
    Standing,
)
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.kernel.ids import Market, OrderId
from pump_party.platform.outbox import OutboxMessage


class Shelf(msgspec.Struct):
    """`ended` are orders with the version of their outcome, in that order."""

    account: Account
    positions: dict[Market, Position] = {}
    perps: dict[Market, PerpPosition] = {}
    open_orders: dict[OrderId, OpenOrder] = {}
    ended: list[tuple[int, RecordedOrder]] = []
    by_key: dict[str, RecordedOrder] = {}
    by_id: dict[OrderId, RecordedOrder] = {}
    fills: list[Fill] = []
    journal: list[JournalRecord] = []
    messages: list[OutboxMessage] = []
    marks: list[Standing] = []

    def holdings(self) -> Holdings:
        return Holdings(self.account, list(self.positions.values()), list(self.perps.values()))

    def keep_order(self, version: int, recorded: RecordedOrder) -> None:
        order = recorded.order
        self.ended.append((version, recorded))
        self.by_key[order.idempotency_key] = self.by_id[order.order_id] = recorded
