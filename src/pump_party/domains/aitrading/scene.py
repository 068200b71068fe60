"""What the clones of a slot look at: one moment of the markets for all of them, and each account as it is."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from pump_party.domains.aitrading.model import Plan, Read, Seen, Slot
from pump_party.domains.aitrading.private import Opened, readable, unreadable
from pump_party.domains.aitrading.recollection import in_force, is_in_force
from pump_party.domains.aitrading.records import Deployment
from pump_party.domains.marketdata.contract import MarketMemory, MarketSnapshot, Quote, Quotes
from pump_party.domains.prop_interface.contract import AccountSituation
from pump_party.kernel.ids import Market

_encode = msgspec.json.Encoder(order="sorted").encode


class Scene:
    """The markets held still. Clones that read the same share what was read.

    Quotes are read after memory stands still: nothing that memory tells may be later than the newest tick they know.
    """

    def __init__(self, memory: MarketMemory, quotes: Quotes, markets: Sequence[Market]) -> None:
        self._memory = memory.pinned()
        self._read: dict[Read, Mapping[Market, MarketSnapshot]] = {}
        self.quotes: Mapping[Market, Quote] = quotes.latest(markets)

    def snapshots(self, plan: Plan) -> Mapping[Market, MarketSnapshot]:
        if len(plan.reads) == 1:
            return self._snapshots(plan.reads[0])
        return {market: found for read in plan.reads for market, found in self._snapshots(read).items()}

    def _snapshots(self, read: Read) -> Mapping[Market, MarketSnapshot]:
        found = self._read.get(read)
        if found is None:
            found = self._read[read] = self._memory.snapshots(
                read.wanted, as_of_ms=None, interval=read.interval, candles=read.candles
            )
        return found

    def sha256(self) -> str:
        """Of what was read of every market: the same for all clones of the slot."""
        prices = {
            market: (found.as_of_ms, found.mid_e8, found.conf_e8, found.publish_ms, found.feed, found.tick_sha256)
            for read in self._read.values()
            for market, found in read.items()
        }
        return sha256(_encode(prices)).hexdigest()


def unwatched(deployment: Deployment, opened: Opened, situation: AccountSituation) -> tuple[Market, ...]:
    """Where it holds or awaits a position under a condition that cannot be opened."""
    shut = unreadable(deployment, opened)
    if not shut:
        return ()
    waiting = frozenset(order.market for order in situation.orders)
    return tuple(market for market in shut if is_in_force(market, situation.account, waiting))


def seen_by(
    deployment: Deployment,
    opened: Opened,
    situation: AccountSituation,
    snapshots: Mapping[Market, MarketSnapshot],
    quotes: Mapping[Market, Quote],
    *,
    slot_ms: int,
    deadline_ms: int,
    now_ms: int,
) -> Seen:
    """Everything this clone's decision is made from. Conditions that could not be opened are left out.

    The quotes say how far charts have come: see `context.check`.
    """
    waiting = frozenset(order.market for order in situation.orders)
    return Seen(
        slot=Slot(slot_ms, now_ms, deadline_ms, max((q.chart_ms() for q in quotes.values()), default=slot_ms)),
        account=situation.account,
        snapshots=snapshots,
        orders=situation.orders,
        past=deployment.past,
        conditions=in_force(readable(deployment, opened), situation.account, waiting),
        actions_today=deployment.actions_today(slot_ms),
        quotes=quotes,
    )
