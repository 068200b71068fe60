"""What an order would do now: the engine's own decision, taken on a copy of the account and thrown away."""

from collections.abc import Mapping, Sequence
from itertools import count

import msgspec

from pump_party.domains.marketdata.contract import Book, Quote
from pump_party.domains.prop_engine.model import OpenOrder, RecordedOrder
from pump_party.domains.prop_engine.orders import OrderBatch
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.domains.prop_engine.perp_orders import leverage_of
from pump_party.domains.prop_engine.portfolio import Holdings, empty_position
from pump_party.domains.prop_engine.risk import NO_LIMITS
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import AccountState, Batch
from pump_party.domains.prop_engine.views import fill_view, perp_position_view
from pump_party.domains.prop_engine.working import terms_of
from pump_party.domains.prop_interface.contract import (
    CancelReason,
    FillMode,
    FillView,
    OrderStatus,
    PlaceOrder,
    PreviewView,
    RejectCode,
)
from pump_party.kernel.ids import Market

_replace = msgspec.structs.replace

NO_KEY = ""
"""No order was ever sent under it, so the order in question is a new one."""

PLENTY = 10**15
"""Added to what is free, so that an order that lacks only funds still shows its price."""


def preview(
    command: PlaceOrder,
    holdings: Holdings,
    waiting: Sequence[OpenOrder],
    quotes: Mapping[Market, Quote],
    books: Mapping[Market, Book],
    rules: RuleSet,
    *,
    now_ms: int,
) -> PreviewView:
    """Two decisions beside all that waits: on the account as it is, for the outcome; for the amounts on a rich one
    without limits, at the newest price.
    """
    outcome, _ = _decide(command, AccountState.of(holdings, waiting), quotes, books, rules, now_ms=now_ms)
    at_once = _replace(rules, fill_mode=FillMode.LATEST, risk=NO_LIMITS)
    rich = AccountState.of(_rich(command, holdings), waiting)
    priced, batch = _decide(command, rich, quotes, books, at_once, now_ms=now_ms)
    fill = _fill_of(priced, batch)
    perp = next((p for p, _ in batch.perps.values()), None)
    account = batch.accounts.get(holdings.account.account_id)
    quote = quotes.get(command.market)
    terms = terms_of(command)
    return PreviewView(
        market=command.market,
        side=command.side,
        reject_code=_code(outcome),
        mid_e8=None if quote is None else quote.mid_e8,
        age_ms=None if quote is None else quote.age_ms(now_ms),
        price_e8=None if fill is None else fill.price_e8,
        quantity_nanos=None if fill is None else fill.quantity_nanos,
        gross_micros=None if fill is None else fill.gross_micros,
        fee_micros=None if fill is None else fill.fee_micros,
        half_spread_e8=None if fill is None else fill.half_spread_e8,
        impact_e8=None if fill is None else fill.impact_e8,
        cash_after_micros=None if fill is None or account is None else account.cash_micros - PLENTY,
        position_after_nanos=None if fill is None else _position_after(command, batch, perp),
        status=_status(outcome),
        held_amount=outcome.held_amount if isinstance(outcome, OpenOrder) else 0,
        held_asset=outcome.held_asset if isinstance(outcome, OpenOrder) else None,
        leverage=leverage_of(terms) if command.market in rules.perp else None,
        margin_micros=None if perp is None else perp.margin_micros,
        liquidation_e8=None
        if perp is None
        else perp_position_view(perp, None, rules.perp[command.market], now_ms=now_ms).liquidation_e8,
    )


def _decide(
    command: PlaceOrder,
    state: AccountState,
    quotes: Mapping[Market, Quote],
    books: Mapping[Market, Book],
    rules: RuleSet,
    *,
    now_ms: int,
) -> tuple[RecordedOrder | OpenOrder, Batch]:
    new_ids = (f"preview-{number}" for number in count())
    deciding = OrderBatch(state, quotes, {rules.name: rules}, new_ids, now_ms=now_ms, books=books)
    outcome = deciding.outcome(_replace(command, idempotency_key=NO_KEY))
    assert not isinstance(outcome, Exception), "the account was found and the key is new"
    return outcome, deciding.batch


def _rich(command: PlaceOrder, holdings: Holdings) -> Holdings:
    account = holdings.account
    positions = {p.market: p for p in holdings.positions}
    held = positions.get(command.market) or empty_position(account.account_id, command.market)
    if command.quantity_nanos is not None:
        positions[command.market] = _replace(held, quantity_nanos=held.quantity_nanos + PLENTY)
    return Holdings(
        _replace(account, cash_micros=account.cash_micros + PLENTY),
        list(positions.values()),
        holdings.perps,
    )


def _fill_of(priced: RecordedOrder | OpenOrder, batch: Batch) -> FillView | None:
    """Of two fills of a flip the amounts of both together would mean little: the last one is shown."""
    return fill_view(batch.fills[-1]) if isinstance(priced, RecordedOrder) and batch.fills else None


def _position_after(command: PlaceOrder, batch: Batch, perp: PerpPosition | None) -> int:
    if perp is not None:
        return perp.direction * perp.quantity_nanos
    position = next(p for p in batch.positions.values() if p.market == command.market)
    return position.quantity_nanos - (PLENTY if command.quantity_nanos is not None else 0)


def _code(outcome: RecordedOrder | OpenOrder) -> RejectCode | None:
    code = outcome.order.reject_code
    return code if isinstance(code, RejectCode) else None


def _status(outcome: RecordedOrder | OpenOrder) -> OrderStatus:
    if isinstance(outcome, OpenOrder):
        return OrderStatus.ACCEPTED
    if outcome.fill is not None:
        return OrderStatus.FILLED
    cancelled = isinstance(outcome.order.reject_code, CancelReason)
    return OrderStatus.CANCELLED if cancelled else OrderStatus.REJECTED
