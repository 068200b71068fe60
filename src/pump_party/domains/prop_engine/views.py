"""Render the engine's records as the contract's views. Pure: prices and time are given."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.book import BookFill
from pump_party.domains.prop_engine.ledger import read_postings
from pump_party.domains.prop_engine.margin import liquidation_price_e8, unrealised_pnl_micros
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    OpenOrder,
    Order,
    Position,
    RecordedOrder,
    SpotParams,
)
from pump_party.domains.prop_engine.perp_model import FLAT, PerpParams, PerpPosition
from pump_party.domains.prop_engine.portfolio import Holdings, value_micros
from pump_party.domains.prop_engine.risk import RiskRules
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_interface.contract import (
    AccountView,
    BookFillView,
    CancelReason,
    EvidenceView,
    FillView,
    LedgerEntryView,
    MarketRulesView,
    OrderStage,
    OrderStatus,
    OrderView,
    PerpFillView,
    PerpPositionView,
    PerpRulesView,
    PositionView,
    RejectCode,
    RiskLimitsView,
    RuleSetView,
)
from pump_party.kernel.ids import Market

Held = TypeVar("Held", Position, PerpPosition)


def fill_view(fill: Fill) -> FillView:
    return FillView(
        fill.fill_id,
        fill.order_id,
        fill.market,
        fill.side,
        fill.price_e8,
        fill.quantity_nanos,
        fill.gross_micros,
        fill.fee_micros,
        fill.half_spread_e8,
        fill.impact_e8,
        fill.realised_pnl_micros,
        fill.filled_ms,
        fill.version,
        EvidenceView(
            fill.source,
            fill.publish_ms,
            fill.recv_ms,
            fill.filled_ms - fill.publish_ms,
            fill.mid_e8,
            fill.conf_e8,
            fill.tick_sha256,
            fill.tape_ms,
        ),
        *_details(fill),
    )


class FillDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What only some fills have, as it is stored with them."""

    perp: PerpFillView | None = None
    book: BookFillView | None = None


_decode_detail = msgspec.json.Decoder(FillDetail).decode


def fill_detail(*, perp: PerpFillView | None = None, book: BookFill | None = None) -> str:
    """JSON of a perpetual's margin and of a walked book."""
    walked = None if book is None else BookFillView(book.source, book.seq, book.publish_ms, book.sha256, book.legs)
    return msgspec.json.encode(FillDetail(perp, walked)).decode()


def _details(fill: Fill) -> tuple[PerpFillView | None, BookFillView | None]:
    if fill.detail is None:
        return None, None
    detail = _decode_detail(fill.detail)
    return detail.perp, detail.book


def shortfall_micros(detail: str | None) -> int:
    """What insurance paid of a perpetual's loss, by the stored detail of its fill."""
    perp = None if detail is None else _decode_detail(detail).perp
    return 0 if perp is None else perp.shortfall_micros


def order_view(outcome: RecordedOrder | OpenOrder) -> OrderView:
    if isinstance(outcome, OpenOrder):
        return open_order_view(outcome)
    order, fill = outcome.order, outcome.fill
    if fill is None:
        return ended_order_view(order)
    return _order_view(order, OrderStatus.FILLED, fill=fill_view(fill))


def ended_order_view(order: Order) -> OrderView:
    """An order that ended without a fill."""
    code = order.reject_code
    cancelled = isinstance(code, CancelReason)
    return _order_view(
        order,
        OrderStatus.CANCELLED if cancelled else OrderStatus.REJECTED,
        reject_code=None if isinstance(code, CancelReason) else code,
        cancel_reason=code if isinstance(code, CancelReason) else None,
    )


def open_order_view(open_order: OpenOrder) -> OrderView:
    return _order_view(
        open_order.order,
        OrderStatus.ACCEPTED,
        held_amount=open_order.held_amount,
        held_asset=open_order.held_asset,
        stage=open_order.stage,
    )


def _order_view(
    order: Order,
    status: OrderStatus,
    *,
    fill: FillView | None = None,
    reject_code: RejectCode | None = None,
    cancel_reason: CancelReason | None = None,
    held_amount: int = 0,
    held_asset: str | None = None,
    stage: OrderStage | None = None,
) -> OrderView:
    return OrderView(
        order.order_id,
        order.account_id,
        order.client_order_id,
        order.market,
        order.side,
        order.quantity_nanos,
        order.quote_micros,
        order.max_slippage_ppm,
        status,
        reject_code,
        order.created_ms,
        fill,
        cancel_reason,
        order.terms,
        held_amount,
        held_asset,
        stage,
    )


def account_view(
    holdings: Holdings, quotes: Mapping[Market, Quote], perp_params: Mapping[Market, PerpParams], *, now_ms: int
) -> AccountView:
    """Value the account at the newest quotes. Flat positions without history in this cycle are left out."""
    account = holdings.account
    rendered = tuple([_position_view(p, quotes.get(p.market), now_ms=now_ms) for p in _in_order(holdings.positions)])
    perps = tuple(
        [
            perp_position_view(p, quotes.get(p.market), perp_params.get(p.market), now_ms=now_ms)
            for p in _in_order(holdings.perps)
            if p.direction != FLAT
        ]
    )
    equity, unrealised = _valued(account, rendered, perps)
    residual = None
    if equity is not None and unrealised is not None:
        earned_micros = account.realised_pnl_micros + unrealised + account.funding_micros - account.fees_micros
        residual = equity - account.start_micros - earned_micros
    # Made for every clone in every slot: by place, which takes half the time of names.
    return AccountView(
        account.account_id,
        account.kind,
        account.rule_set,
        account.params_sha256,
        account.contest_eligible,
        account.cycle,
        account.opened_ms,
        account.version,
        account.seq,
        account.start_micros,
        account.cash_micros,
        equity,
        account.realised_pnl_micros,
        unrealised,
        account.fees_micros,
        residual,
        rendered,
        status=account.status,
        held_micros=account.held_micros,
        margin_micros=account.margin_micros,
        funding_micros=account.funding_micros,
        open_orders=account.open_orders,
        perps=perps,
    )


def _in_order(held: Sequence[Held]) -> Sequence[Held]:
    return held if len(held) < 2 else sorted(held, key=lambda position: position.market)


def _valued(
    account: Account, positions: Sequence[PositionView], perps: Sequence[PerpPositionView]
) -> tuple[int | None, int | None]:
    """(equity, unrealised PnL); None while anything held has no price."""
    equity_micros = account.cash_micros + account.held_micros + account.margin_micros
    unrealised_micros = 0
    for spot in positions:
        if spot.quantity_nanos:
            if spot.value_micros is None or spot.unrealised_pnl_micros is None:
                return None, None
            equity_micros += spot.value_micros
            unrealised_micros += spot.unrealised_pnl_micros
    for perp in perps:
        if perp.unrealised_pnl_micros is None:
            return None, None
        equity_micros += perp.unrealised_pnl_micros
        unrealised_micros += perp.unrealised_pnl_micros
    return equity_micros, unrealised_micros


def _position_view(position: Position, quote: Quote | None, *, now_ms: int) -> PositionView:
    value = None if quote is None else value_micros(position.quantity_nanos, quote.mid_e8)
    return PositionView(
        position.market,
        position.quantity_nanos,
        position.cost_micros,
        position.realised_pnl_micros,
        position.fees_micros,
        None if quote is None else quote.mid_e8,
        None if quote is None else quote.age_ms(now_ms),
        value,
        None if value is None else value - position.cost_micros,
        position.held_nanos,
    )


def perp_position_view(
    position: PerpPosition, quote: Quote | None, params: PerpParams | None, *, now_ms: int
) -> PerpPositionView:
    """Without a quote there is no mark, without parameters no liquidation price."""
    liquidation_e8 = None
    if params is not None and position.direction != FLAT:
        liquidation_e8 = liquidation_price_e8(position, params) or None
    return PerpPositionView(
        market=position.market,
        direction=position.direction,
        quantity_nanos=position.quantity_nanos,
        entry_cost_micros=position.entry_cost_micros,
        margin_micros=position.margin_micros,
        leverage=position.leverage,
        realised_pnl_micros=position.realised_pnl_micros,
        fees_micros=position.fees_micros,
        funding_micros=position.funding_micros,
        liquidation_e8=liquidation_e8,
        mark_e8=None if quote is None else quote.mid_e8,
        mark_age_ms=None if quote is None else quote.age_ms(now_ms),
        unrealised_pnl_micros=None if quote is None else unrealised_pnl_micros(position, quote.mid_e8),
    )


def ledger_entries(record: JournalRecord) -> list[LedgerEntryView]:
    """The record's postings, last leg first, as a newest-first page wants them."""
    return [
        LedgerEntryView(
            version=record.version,
            leg=leg,
            kind=record.kind.value,
            ledger_account=posting.ledger_account,
            asset=posting.asset,
            amount=posting.amount,
            balance_after=posting.balance_after,
            order_id=record.order_id,
            at_ms=record.at_ms,
            record_sha256=record.sha256.hex(),
        )
        for leg, posting in reversed(list(enumerate(read_postings(record.postings))))
    ]


def rule_set_view(rules: RuleSet) -> RuleSetView:
    """Its markets in alphabetical order."""
    return RuleSetView(
        name=rules.name,
        kind=rules.kind,
        fill_mode=rules.fill_mode,
        contest_eligible=rules.contest_eligible,
        default=rules.default,
        start_micros=rules.start_micros,
        params_sha256=rules.params_sha256,
        markets=tuple(_market_rules(rules.spot[market]) for market in sorted(rules.spot)),
        price_mode=rules.price_mode,
        perps=tuple(_perp_rules(rules.perp[market]) for market in sorted(rules.perp)),
        risk=None if rules.risk == RiskRules() else _risk_limits(rules.risk),
    )


def _risk_limits(risk: RiskRules) -> RiskLimitsView:
    allowed = risk.allowed_markets
    return RiskLimitsView(
        max_leverage=risk.max_leverage,
        max_position_micros=risk.max_position_micros,
        orders_per_minute=risk.orders_per_minute,
        daily_loss_ppm=risk.daily_loss_ppm,
        total_loss_ppm=risk.total_loss_ppm,
        drawdown=risk.drawdown,
        allowed_markets=None if allowed is None else tuple(sorted(allowed)),
    )


def _market_rules(params: SpotParams) -> MarketRulesView:
    return msgspec.convert(params, MarketRulesView, from_attributes=True)


def _perp_rules(params: PerpParams) -> PerpRulesView:
    return PerpRulesView(
        pricing=_market_rules(params.pricing),
        maker_fee_ppm=params.maker_fee_ppm,
        tiers=tuple((tier.lower_micros, tier.max_leverage) for tier in params.tiers),
        interest_8h_ppb=params.interest_8h_ppb,
        premium_clamp_ppb=params.premium_clamp_ppb,
        funding_cap_1h_ppb=params.funding_cap_1h_ppb,
        liquidation_fee_ppm=params.liquidation_fee_ppm,
    )
