"""Write down what happens to perpetual positions: fills, liquidations, funding, margin calls.

The counterpart of `recording.py` for `perp-v1`; the amounts come from `perpetual.py` as a `PerpChange`.
"""

from collections.abc import Sequence
from typing import TypeGuard

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine import announce
from pump_party.domains.prop_engine.ledger import perp_postings, write_record, write_tick
from pump_party.domains.prop_engine.margin import FUNDING_PERIOD_HOURS, funding_rate_ppb_8h, watch_price_e8
from pump_party.domains.prop_engine.model import (
    OWN_KEY_MARK,
    Account,
    Fill,
    OpenOrder,
    Order,
    Posting,
    RecordedOrder,
    RecordKind,
)
from pump_party.domains.prop_engine.perp_model import FLAT, PerpChange, PerpParams, PerpPosition
from pump_party.domains.prop_engine.perpetual import flat_position, funding_is_due, pay_funding, suspended_by
from pump_party.domains.prop_engine.recording import Recorder
from pump_party.domains.prop_engine.views import fill_detail
from pump_party.domains.prop_interface.contract import OrderTerms, PerpFillEvent, PerpFillView, RejectCode
from pump_party.kernel.ids import AccountId, FillId, Market, OrderId

_replace = msgspec.structs.replace

NO_PREMIUM_PPB = 0
"""Without a recorded premium funding is the interest alone (section 8)."""

Traded = tuple[PerpChange, ...] | RejectCode


class PerpRecorder:
    """Moves the perpetual positions of a batch forward, through the accounts and records of its `Recorder`."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def position(self, account_id: AccountId, market: Market) -> PerpPosition:
        position = self._recorder.perps.get((account_id, market))
        return flat_position(account_id, market) if position is None else position

    def fill(
        self, order: Order, changes: Sequence[PerpChange], quote: Quote, params: PerpParams, *, fill_ms: int
    ) -> RecordedOrder:
        """Fill an order that held nothing. A flip is two fills: `order.fill_id` becomes that of the last."""
        return self._fill(order, 0, changes, quote, params, fill_ms)

    def fill_open(
        self, open_order: OpenOrder, changes: Sequence[PerpChange], quote: Quote, params: PerpParams
    ) -> RecordedOrder:
        """Fill an open order out of what it held."""
        recorder, order = self._recorder, open_order.order
        account = recorder.accounts[order.account_id]
        recorder.accounts[order.account_id] = _replace(account, open_orders=account.open_orders - 1)
        recorder.forget_open(order)
        return self._fill(order, open_order.held_amount, changes, quote, params, quote.recv_ms)

    def liquidate(self, change: PerpChange, quote: Quote, params: PerpParams) -> RecordedOrder:
        """Record a liquidation as an order of the engine's own and its fill; the exits go with the position."""
        position, side = change.position, change.side
        assert side is not None
        order_id = OrderId(next(self._recorder.new_ids))
        order = Order(
            order_id=order_id,
            account_id=position.account_id,
            idempotency_key=f"{order_id}{OWN_KEY_MARK}liquidation",
            request_sha256=b"",
            client_order_id=None,
            market=position.market,
            side=side,
            quantity_nanos=change.quantity_nanos,
            quote_micros=None,
            max_slippage_ppm=None,
            created_ms=self._recorder.now_ms,
            reject_code=None,
            fill_id=None,
            terms=OrderTerms(reduce_only=True, is_liquidation=True),
        )
        return self.fill(order, [change], quote, params, fill_ms=quote.recv_ms)

    def fund_when_due(self, account_id: AccountId, quote: Quote, params: PerpParams) -> None:
        """Pay an hour's funding at its first tick of an open market: whatever else the tick does comes after."""
        position = self.position(account_id, quote.market)
        if quote.halt_reason is None and funding_is_due(position, quote.publish_ms):
            rate_ppb_8h = _rate_ppb_8h(quote, params)
            self._fund(pay_funding(position, quote, rate_ppb_8h=rate_ppb_8h, params=params), quote, params)

    def _fund(self, change: PerpChange, quote: Quote, params: PerpParams) -> None:
        """Record an hour's funding, and the premium or settled rate it followed, where one was recorded."""
        account = self._recorder.accounts[change.position.account_id]
        after = _after(account, change, 0)
        postings = perp_postings(change, 0, account=after)
        funding_micros, market = str(change.funding_micros), change.position.market
        detail = write_tick(quote, funding_micros=funding_micros, market=market, **_premium(quote))
        self._tell(account, after, RecordKind.FUNDING, change.position, params, detail=detail, postings=postings)

    def watched(self, seen: PerpPosition, quote: Quote, params: PerpParams) -> None:
        """Record that a tick found the margin too small, or ended that: it was enough again, or nobody can tell."""
        account, suspended = self._recorder.accounts[seen.account_id], suspended_by(quote, params)
        told = {"market": str(seen.market)}
        if seen.breach_ms:
            kind = RecordKind.MARGIN_CALL
        elif suspended is None:
            kind = RecordKind.MARGIN_RESTORED
        else:
            kind = RecordKind.LIQUIDATION_SUSPENDED
            told["reason"] = suspended.value
        self._tell(account, account, kind, seen, params, detail=write_tick(quote, **told))

    def _tell(
        self,
        before: Account,
        after: Account,
        kind: RecordKind,
        position: PerpPosition,
        params: PerpParams,
        *,
        detail: str,
        postings: tuple[Posting, ...] = (),
    ) -> None:
        recorder = self._recorder
        record = write_record(
            before,
            next(recorder.new_ids),
            kind,
            at_ms=recorder.now_ms,
            postings=postings,
            detail=detail,
        )
        after = _replace(after, seq=after.seq + 1, version=record.version, head=record.sha256)
        recorder.keep_account(after)
        self._keep(position, params)
        recorder.batch.records.append(record)
        recorder.batch.messages.append(announce.position_updated(kind, position, params, after, at_ms=recorder.now_ms))

    def _fill(
        self,
        order: Order,
        held_micros: int,
        changes: Sequence[PerpChange],
        quote: Quote,
        params: PerpParams,
        fill_ms: int,
    ) -> RecordedOrder:
        recorder = self._recorder
        fill_ids = [FillId(next(recorder.new_ids)) for _ in changes]
        order = _replace(order, fill_id=fill_ids[-1])
        fill = None
        for fill_id, change in zip(fill_ids, changes, strict=True):
            fill = self._one_fill(order, fill_id, held_micros, change, quote, params, fill_ms)
            held_micros = 0
        assert fill is not None
        recorder.batch.orders.append(order)
        is_flat = changes[-1].position.direction == FLAT
        reduced = changes[0].event.value != "open"
        recorder.follow_up(order, reduced=reduced, is_flat=is_flat)
        return RecordedOrder(order, fill)

    def _one_fill(
        self,
        order: Order,
        fill_id: FillId,
        freed_micros: int,
        change: PerpChange,
        quote: Quote,
        params: PerpParams,
        fill_ms: int,
    ) -> Fill:
        recorder = self._recorder
        before = recorder.accounts[order.account_id]
        after = _after(before, change, freed_micros)
        after = _replace(after, fills=after.fills + 1, seq=after.seq + announce.FRAMES_OF_A_FILL)
        fill = _evidenced(order, fill_id, before, change, quote, fill_ms)
        record = write_record(
            before,
            fill_id,
            RecordKind.FILL,
            at_ms=recorder.now_ms,
            postings=perp_postings(change, freed_micros, account=after),
            order=order,
            fill=fill,
        )
        after = _replace(after, version=record.version, head=record.sha256)
        recorder.keep_account(after)
        self._keep(change.position, params)
        recorder.batch.fills.append(fill)
        recorder.batch.records.append(record)
        recorder.batch.messages.append(announce.perp_filled(order, fill, after, change.position, params))
        return fill

    def _keep(self, position: PerpPosition, params: PerpParams) -> None:
        key = (position.account_id, position.market)
        self._recorder.perps[key] = position
        price_e8 = None if position.direction == FLAT else watch_price_e8(position, params)
        self._recorder.batch.perps[key] = (position, price_e8)


def _rate_ppb_8h(quote: Quote, params: PerpParams) -> int:
    """What was settled was made of premium and interest already."""
    if quote.settled is not None:
        return FUNDING_PERIOD_HOURS * quote.settled.funding_1h_ppb
    return funding_rate_ppb_8h(NO_PREMIUM_PPB if quote.premium is None else quote.premium.premium_ppb, params)


def _premium(quote: Quote) -> dict[str, str]:
    premium, settled = quote.premium, quote.settled
    if settled is not None:
        return {
            "premium": "none",
            "settled_ms": str(settled.settled_ms),
            "settled_1h_ppb": str(settled.funding_1h_ppb),
            "settled_source": settled.source,
        }
    if premium is None:
        return {"premium": "none"}
    return {
        "premium": "recorded",
        "premium_hour_ms": str(premium.hour_ms),
        "premium_ppb": str(premium.premium_ppb),
        "premium_samples": str(premium.samples),
        "premium_source": premium.source,
    }


def is_traded(outcome: Traded) -> TypeGuard[tuple[PerpChange, ...]]:
    return isinstance(outcome, tuple)


def _after(account: Account, change: PerpChange, freed_micros: int) -> Account:
    """The account after an event; what its order held is free again. What insurance covered is not the user's loss."""
    return _replace(
        account,
        cash_micros=account.cash_micros + change.cash_change_micros + freed_micros,
        held_micros=account.held_micros - freed_micros,
        margin_micros=account.margin_micros + change.margin_change_micros,
        realised_pnl_micros=account.realised_pnl_micros + change.realised_pnl_micros + change.shortfall_micros,
        fees_micros=account.fees_micros + change.fee_micros + change.liquidation_fee_micros,
        liquidation_fees_micros=account.liquidation_fees_micros + change.liquidation_fee_micros,
        funding_micros=account.funding_micros + change.funding_micros,
        insurance_micros=account.insurance_micros + change.insurance_change_micros,
    )


def _evidenced(order: Order, fill_id: FillId, account: Account, change: PerpChange, quote: Quote, fill_ms: int) -> Fill:
    assert change.side is not None
    position = change.position
    detail = PerpFillView(
        event=PerpFillEvent(change.event.value),
        direction=position.direction,
        leverage=position.leverage,
        position_quantity_nanos=position.quantity_nanos,
        margin_change_micros=change.margin_change_micros,
        liquidation_fee_micros=change.liquidation_fee_micros,
        shortfall_micros=change.shortfall_micros,
    )
    return Fill(
        fill_id,
        order.order_id,
        order.account_id,
        account.version + 1,
        order.market,
        account.cycle,
        change.side,
        change.price_e8,
        change.quantity_nanos,
        change.gross_micros,
        change.fee_micros + change.liquidation_fee_micros,
        change.half_spread_e8,
        change.impact_e8,
        change.realised_pnl_micros + change.shortfall_micros,
        fill_ms,
        quote.source,
        quote.feed,
        quote.publish_ms,
        quote.recv_ms,
        quote.slot,
        quote.mid_e8,
        quote.conf_e8,
        quote.tick_sha256,
        quote.tape_ms,
        fill_detail(perp=detail, book=change.book),
    )
