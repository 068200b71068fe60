"""Between the engine's structs and its rows: tuples in column order, enums as text."""

from collections.abc import Sequence
from typing import Any

import msgspec

from pump_party.domains.prop_engine.book import NOTHING_CONSUMED, ConsumedDepth
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    OpenOrder,
    Order,
    Position,
    Pressure,
    RecordKind,
)
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.domains.prop_engine.record_line import write_terms
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    AccountStatus,
    CancelReason,
    OrderStage,
    OrderTerms,
    RejectCode,
    Side,
)

_KINDS = {kind.value: kind for kind in AccountKind}
SIDES = {side.value: side for side in Side}
_END_CODES: dict[str, RejectCode | CancelReason] = {
    **{code.value: code for code in RejectCode},
    **{reason.value: reason for reason in CancelReason},
}
_STATUSES = {status.value: status for status in AccountStatus}

_decode_consumed = msgspec.json.Decoder(ConsumedDepth).decode
_decode_terms = msgspec.json.Decoder(OrderTerms).decode

_FILL_SIDE = Fill.__struct_fields__.index("side")

Row = tuple[Any, ...]


def account_of(row: Sequence[Any]) -> Account:
    account_id, user_id, kind, rule_set, params, eligible, opened_ms, cycle, version, seq, head, *rest = row
    *amounts, status, insurance, liquidation_fees, order_times = rest
    counts: tuple[Any, ...] = (*amounts, _STATUSES[status], insurance, liquidation_fees, bytes(order_times))
    return Account(
        account_id,
        user_id,
        _KINDS[kind],
        rule_set,
        params,
        bool(eligible),
        opened_ms,
        cycle,
        version,
        seq,
        bytes(head),
        *counts,
    )


def account_row(account: Account) -> dict[str, Any]:
    row = msgspec.structs.asdict(account)
    return row | {
        "kind": account.kind.value,
        "contest_eligible": int(account.contest_eligible),
        "status": account.status.value,
    }


def position_of(row: Sequence[Any]) -> Position:
    account_id, market, quantity, cost, realised, fees, buy_micros, buy_ms, sell_micros, sell_ms, held, consumed = row
    return Position(
        account_id,
        market,
        quantity,
        cost,
        realised,
        fees,
        Pressure(buy_micros, buy_ms),
        Pressure(sell_micros, sell_ms),
        held,
        _consumed_of(consumed),
    )


def position_row(position: Position) -> Row:
    return (
        position.account_id,
        position.market,
        position.quantity_nanos,
        position.cost_micros,
        position.realised_pnl_micros,
        position.fees_micros,
        position.buy_pressure.micros,
        position.buy_pressure.at_ms,
        position.sell_pressure.micros,
        position.sell_pressure.at_ms,
        position.held_nanos,
        _consumed_text(position.consumed),
    )


def perp_position_of(row: Sequence[Any]) -> PerpPosition:
    *book, buy_micros, buy_ms, sell_micros, sell_ms, breach_ms, partial_ms, funded_hour, _liquidation, consumed = row
    pressures = (Pressure(buy_micros, buy_ms), Pressure(sell_micros, sell_ms))
    fields: tuple[Any, ...] = (*book, *pressures, breach_ms, partial_ms, funded_hour, _consumed_of(consumed))
    return PerpPosition(*fields)


def perp_position_row(position: PerpPosition, liquidation_e8: int | None) -> Row:
    *book, _buy, _sell, breach_ms, partial_ms, funded_hour, consumed = msgspec.structs.astuple(position)
    buy, sell = position.buy_pressure, position.sell_pressure
    return (
        *book,
        buy.micros,
        buy.at_ms,
        sell.micros,
        sell.at_ms,
        breach_ms,
        partial_ms,
        funded_hour,
        liquidation_e8,
        _consumed_text(consumed),
    )


def _consumed_of(text: str | None) -> ConsumedDepth:
    return NOTHING_CONSUMED if text is None else _decode_consumed(text)


def _consumed_text(consumed: ConsumedDepth) -> str | None:
    return msgspec.json.encode(consumed).decode() if consumed.levels else None


def order_of(row: Sequence[Any]) -> Order:
    *asked, code, fill_id, terms = row
    return _order(asked, terms, end_code=None if code is None else _END_CODES[code], fill_id=fill_id)


def _order(
    asked: Sequence[Any], terms: str | None, *, end_code: RejectCode | CancelReason | None, fill_id: Any
) -> Order:
    order_id, account_id, key, sha256, client_id, market, side, quantity, quote, slippage, at_ms = asked
    return Order(
        order_id,
        account_id,
        key,
        bytes(sha256),
        client_id,
        market,
        SIDES[side],
        quantity,
        quote,
        slippage,
        at_ms,
        end_code,
        fill_id,
        None if terms is None else _decode_terms(terms),
    )


def order_row(order: Order) -> Row:
    return (
        order.order_id,
        order.account_id,
        order.idempotency_key,
        order.request_sha256,
        order.client_order_id,
        order.market,
        order.side.value,
        order.quantity_nanos,
        order.quote_micros,
        order.max_slippage_ppm,
        order.created_ms,
        None if order.reject_code is None else order.reject_code.value,
        order.fill_id,
        None if order.terms is None else write_terms(order.terms),
    )


def open_order_of(row: Sequence[Any]) -> OpenOrder:
    *asked, terms, stage, due_ms, deadline_ms, at_or_below, at_or_above, asset, amount = row
    order = _order(asked, terms, end_code=None, fill_id=None)
    return OpenOrder(order, OrderStage(stage), due_ms, deadline_ms, at_or_below, at_or_above, asset, amount)


def open_order_row(open_order: OpenOrder) -> Row:
    *asked, _code, _fill_id, terms = order_row(open_order.order)
    return (
        *asked,
        terms,
        open_order.stage.value,
        open_order.due_ms,
        open_order.deadline_ms,
        open_order.at_or_below_e8,
        open_order.at_or_above_e8,
        open_order.held_asset,
        open_order.held_amount,
    )


def fill_of(row: Sequence[Any]) -> Fill:
    before, side, after = row[:_FILL_SIDE], row[_FILL_SIDE], row[_FILL_SIDE + 1 :]
    columns: tuple[Any, ...] = (*before, SIDES[side], *after)
    return Fill(*columns)


def fill_row(fill: Fill) -> Row:
    row = msgspec.structs.astuple(fill)
    return (*row[:_FILL_SIDE], fill.side.value, *row[_FILL_SIDE + 1 :])


def record_of(row: Sequence[Any]) -> JournalRecord:
    record_id, account_id, version, kind, at_ms, order_id, sha256, postings, detail = row
    return JournalRecord(
        record_id, account_id, version, RecordKind(kind), at_ms, order_id, bytes(sha256), postings.encode(), detail
    )


def record_row(record: JournalRecord) -> Row:
    return (
        record.record_id,
        record.account_id,
        record.version,
        record.kind.value,
        record.at_ms,
        record.order_id,
        record.sha256,
        record.postings.decode(),
        record.detail,
    )
