"""Remembers what clients were told, and holds the records against it and against the rules. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.audit import AccountRecords, audit
from pump_party.domains.prop_engine.ledger import CASH_ASSET, read_postings
from pump_party.domains.prop_engine.margin import below_maintenance, unrealised_pnl_micros
from pump_party.domains.prop_engine.model import (
    NO_PRESSURE,
    Fill,
    JournalRecord,
    OpenOrder,
    Order,
    Position,
    RecordKind,
)
from pump_party.domains.prop_engine.perp_model import FLAT, PerpPosition
from pump_party.domains.prop_engine.portfolio import value_micros
from pump_party.domains.prop_engine.replay import replay
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.views import fill_view
from pump_party.domains.prop_engine.working import TRIGGERED, is_called_back, is_overdue, terms_of
from pump_party.domains.prop_interface.contract import (
    AccountView,
    FillMode,
    OrderKind,
    OrderStage,
    OrderStatus,
    OrderView,
    PriceMode,
    Side,
    TimeInForce,
)
from pump_party.kernel.ids import AccountId, Market, OrderId
from pump_party.kernel.money import PPM

FILLS_OF_A_FLIP = 2

Evidence = tuple[Market, str, int, int]


class Witness:
    """Every method returns what it found wrong, as sentences."""

    def __init__(self, rule_sets: Mapping[str, RuleSet]) -> None:
        self.records: dict[AccountId, AccountRecords] = {}
        self._rule_sets = rule_sets
        self._admitted: set[Evidence] = set()
        self._told: dict[AccountId, dict[OrderId, OrderView]] = defaultdict(dict)
        self._ids: dict[tuple[AccountId, str], OrderId] = {}
        self._judged: set[str] = set()

    def saw(self, quotes: Iterable[Quote]) -> None:
        """These prices were admitted; no fill may have another."""
        self._admitted.update((q.market, q.tick_sha256, q.mid_e8, q.publish_ms) for q in quotes)

    def told(self, view: OrderView, key: str | None = None) -> list[str]:
        """A client was given this answer, to the request with this key if it placed the order."""
        found = []
        known = self._told[view.account_id].get(view.order_id)
        if known is not None and known.status is not OrderStatus.ACCEPTED and known != view:
            found.append(f"order {view.order_id} was told as {known.status}, and now is {view.status}")
        if key is not None and self._ids.setdefault((view.account_id, key), view.order_id) != view.order_id:
            found.append(f"key {key} made two orders: {self._ids[view.account_id, key]} and {view.order_id}")
        self._told[view.account_id][view.order_id] = view
        return found

    def examine(self, records: AccountRecords) -> list[str]:
        """Everything that must hold of an account that changed."""
        account_id = records.account.account_id
        before = self.records.get(account_id)
        found = [f"{p.code} at version {p.version}: {p.detail}" for p in audit(records)]
        if before is not None and records.account.seq < before.account.seq:
            found.append("the sequence of messages went back")
        found += self._kept(records)
        found += _pressures(records, self._rule_sets[records.account.rule_set])
        found += _outcomes(records)
        fills = [fill for fill in records.fills if fill.fill_id not in self._judged]
        orders = {order.order_id: order for order in records.orders}
        for fill in fills:
            found += self._lawful(fill, orders.get(fill.order_id), self._rule_sets[records.account.rule_set])
            self._judged.add(fill.fill_id)
        found += _two_ticks_agreed(records, {fill.fill_id for fill in fills}, orders)
        self.records[account_id] = records
        return [f"account {account_id}: {problem}" for problem in found]

    def value(self, view: AccountView, quotes: Mapping[Market, Quote]) -> list[str]:
        """Equity from the ledger is equity from the positions, and the books of all sides add up."""
        records = self.records[view.account_id]
        balances = _balances(records.journal)
        start = records.account.start_micros
        others = sum(v for (name, asset), v in balances.items() if name.startswith("venue:") and asset == CASH_ASSET)
        users = sum(v for (name, asset), v in balances.items() if name.startswith("user:") and asset == CASH_ASSET)
        capital = balances["venue:capital", CASH_ASSET]
        found = []
        if users + others - capital != start or capital != -start:
            found.append(f"insurance + users + venue are {users + others - capital}, not {start}")
        if view.equity_micros is None:
            return found
        worth = users
        for position in records.positions:
            asset = position.market.split("-", 1)[0]
            held = sum(v for (name, of), v in balances.items() if name.startswith("user:") and of == asset)
            worth += value_micros(held, quotes[position.market].mid_e8) if held else 0
        for perp in records.perps:
            worth += unrealised_pnl_micros(perp, quotes[perp.market].mid_e8) if perp.direction != FLAT else 0
        if view.equity_micros != worth:
            found.append(f"equity is {view.equity_micros}, from the ledger {worth}")
        if view.residual_micros:
            found.append(f"the residual is {view.residual_micros}")
        return found

    def after_tick(self, quote: Quote) -> Iterator[str]:
        """What a tick that was delivered must have done."""
        for records in self.records.values():
            rules = self._rule_sets[records.account.rule_set]
            params = rules.perp.get(quote.market)
            pricing = rules.spot.get(quote.market) if params is None else params.pricing
            if pricing is None:
                continue
            uncertain = quote.conf_e8 * PPM > pricing.max_conf_ppm * quote.mid_e8
            for waiting in records.open_orders:
                if waiting.order.market != quote.market:
                    continue
                if is_called_back(waiting, quote.publish_ms, pricing):
                    yield f"order {waiting.order.order_id} was called back and saw {quote.publish_ms}"
                # The engine's own wait for a price to trust. Where books price, an order also waits for a book that
                # could not have been seen; its deadline holds.
                waits = rules.price_mode is PriceMode.BOOK or (uncertain and terms_of(waiting.order).is_closing)
                if not waits and _had_its_tick(waiting, quote):
                    yield f"order {waiting.order.order_id} was due at {waiting.due_ms} and saw {quote.publish_ms}"
            if params is None or uncertain:
                continue
            for perp in records.perps:
                if perp.market != quote.market or perp.direction == FLAT or perp.breach_ms:
                    continue
                # A price that jumped far through a resting limit opens a position that the next tick finds too thin.
                if quote.recv_ms in (perp.buy_pressure.at_ms, perp.sell_pressure.at_ms):
                    continue
                if below_maintenance(perp, quote.mid_e8, params):
                    yield f"{perp.market} of {perp.account_id} is below maintenance at {quote.mid_e8}, unseen"

    def after_expiry(self, now_ms: int) -> Iterator[str]:
        for records in self.records.values():
            for waiting in records.open_orders:
                if is_overdue(waiting, now_ms):
                    yield f"order {waiting.order.order_id} had to be answered by {waiting.deadline_ms}"

    def _kept(self, records: AccountRecords) -> Iterator[str]:
        """No acknowledged outcome is lost or changed."""
        ended = {order.order_id: order for order in records.orders}
        waiting = {o.order.order_id for o in records.open_orders}
        for order_id, told in self._told[records.account.account_id].items():
            order = ended.get(order_id)
            if order is None and order_id not in waiting:
                yield f"order {order_id} was acknowledged and is gone"
            elif order is None and told.status is not OrderStatus.ACCEPTED:
                yield f"order {order_id} was told as {told.status} and is open"
            elif order is not None and told.status is not OrderStatus.ACCEPTED:
                code = told.reject_code or told.cancel_reason
                fill_id = None if told.fill is None else told.fill.fill_id
                if (order.reject_code, order.fill_id) != (code, fill_id):
                    yield f"order {order_id} was told as {code or fill_id}, is {order.reject_code or order.fill_id}"

    def _lawful(self, fill: Fill, order: Order | None, rules: RuleSet) -> Iterator[str]:
        """A fill has an admitted price, none that could be seen when the order was accepted, and no gift in it."""
        if order is None:
            yield f"fill {fill.fill_id} has no order"
            return
        terms, perp = terms_of(order), rules.perp.get(fill.market)
        params = rules.spot[fill.market] if perp is None else perp.pricing
        if (fill.market, fill.tick_sha256, fill.mid_e8, fill.publish_ms) not in self._admitted:
            yield f"fill {fill.fill_id} is on a price that was never admitted"
        if fill.filled_ms - fill.publish_ms > params.max_tick_age_ms:
            yield f"fill {fill.fill_id} is on a price {fill.filled_ms - fill.publish_ms} ms old"
        if fill.conf_e8 * PPM > params.max_conf_ppm * fill.mid_e8:
            yield f"fill {fill.fill_id} is on an uncertain price"
        away_e8 = fill.price_e8 - fill.mid_e8 if fill.side is Side.BUY else fill.mid_e8 - fill.price_e8
        walked = fill_view(fill).book is not None
        if away_e8 < 0 and not walked:
            yield f"fill {fill.fill_id} is better than the mid by {-away_e8}"
        if terms.limit_price_e8 is not None:
            beyond = fill.price_e8 - terms.limit_price_e8
            if (beyond if fill.side is Side.BUY else -beyond) > 0:
                yield f"fill {fill.fill_id} is beyond its limit"
        elif not (terms.is_liquidation or terms.is_closing) and away_e8 * PPM > params.max_slippage_ppm * fill.mid_e8:
            yield f"fill {fill.fill_id} slipped beyond its guard"
        if terms.is_closing and fill.publish_ms <= order.created_ms:
            yield f"fill {fill.fill_id} closes on a price from before the account ended"
        if rules.fill_mode is FillMode.NEXT_TICK and not (terms.is_liquidation or terms.is_closing):
            # An exit is armed in the order's name at its parent's fill: it waits from there.
            if fill.publish_ms <= order.created_ms + params.latency_ms:
                yield f"fill {fill.fill_id} is on a price that could have been seen"
            at_once = terms.kind is OrderKind.MARKET or terms.time_in_force is TimeInForce.IOC
            if at_once and fill.recv_ms > order.created_ms + params.max_wait_ms:
                yield f"fill {fill.fill_id} came after its deadline"


def _pressures(records: AccountRecords, rules: RuleSet) -> Iterator[str]:
    """What recent orders used up follows from their fills alone: so an account can be closed as of any moment."""
    account = records.account
    pricing = dict(rules.spot) | {market: params.pricing for market, params in rules.perp.items()}
    held = replay(account.account_id, [f for f in records.fills if f.cycle == account.cycle], (), pricing)
    replayed: dict[Market, Position | PerpPosition] = {**held.positions, **held.perps}
    kept_positions: list[Position | PerpPosition] = [*records.positions, *records.perps]
    for position in kept_positions:
        other = replayed.get(position.market)
        kept = position.buy_pressure, position.sell_pressure
        made = (NO_PRESSURE, NO_PRESSURE) if other is None else (other.buy_pressure, other.sell_pressure)
        if kept != made:
            yield f"the pressure on {position.market} is {kept}, its fills make {made}"


def _had_its_tick(waiting: OpenOrder, quote: Quote) -> bool:
    if waiting.stage is not OrderStage.WAITING or waiting.due_ms >= quote.publish_ms:
        return False
    return terms_of(waiting.order).kind not in TRIGGERED


def _outcomes(records: AccountRecords) -> Iterator[str]:
    """An order that filled has its fill, or the two of a flip; one that was refused none. One key, one order."""
    count: dict[OrderId, int] = defaultdict(int)
    for fill in records.fills:
        count[fill.order_id] += 1
    for order in records.orders:
        most = FILLS_OF_A_FLIP if order.market.endswith("-PERP") else 1
        allowed = range(1, most + 1) if order.fill_id is not None else range(1)
        if count[order.order_id] not in allowed:
            yield f"order {order.order_id} has {count[order.order_id]} fills"
    keys = [order.idempotency_key for order in [*records.orders, *(o.order for o in records.open_orders)]]
    if len(keys) != len(set(keys)):
        yield "two orders have one key"


def _two_ticks_agreed(records: AccountRecords, fill_ids: set[str], orders: Mapping[OrderId, Order]) -> Iterator[str]:
    """A liquidation follows a margin call of another tick; the second part of one may come without a new call."""
    called: dict[str, str] = {}
    watched = (RecordKind.MARGIN_CALL, RecordKind.MARGIN_RESTORED, RecordKind.LIQUIDATION_SUSPENDED)
    fills: dict[str, Fill] = {fill.fill_id: fill for fill in records.fills}
    for record in records.journal:
        if record.kind in watched:
            assert record.detail is not None
            tick = msgspec.json.decode(record.detail)
            called[tick["market"]] = tick["tick_sha256"] if record.kind is RecordKind.MARGIN_CALL else ""
        fill = fills.get(record.record_id)
        if fill is None or not terms_of(orders[fill.order_id]).is_liquidation:
            continue
        if fill.fill_id in fill_ids and called.get(fill.market, "") in ("", fill.tick_sha256):
            yield f"liquidation {fill.fill_id} at version {fill.version} had no margin call of an earlier tick"


def _balances(journal: Iterable[JournalRecord]) -> dict[tuple[str, str], int]:
    balances: dict[tuple[str, str], int] = defaultdict(int)
    for record in journal:
        for posting in read_postings(record.postings):
            balances[posting.ledger_account, posting.asset] += posting.amount
    return balances
