"""Between the engine's structs and its rows: tuples in column order, enums as text."""

from collections.abc import Sequence
from typing import Any

import msgspec

from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    Order,
    Position,
    Pressure,
    RecordKind,
)
from pump_party.domains.prop_interface.contract import AccountKind, RejectCode, Side

_KINDS = {kind.value: kind for kind in AccountKind}
_SIDES = {side.value: side for side in Side}
_REJECT_CODES = {code.value: code for code in RejectCode}

_FILL_SIDE = Fill.__struct_fields__.index("side")

Row = tuple[Any, ...]


def account_of(row: Sequence[Any]) -> Account:
    account_id, user_id, kind, rule_set, params, eligible, opened_ms, cycle, version, seq, head, *amounts = row
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
        *amounts,
    )


def account_row(account: Account) -> dict[str, Any]:
    row = msgspec.structs.asdict(account)
    return row | {"kind": account.kind.value, "contest_eligible": int(account.contest_eligible)}


def position_of(row: Sequence[Any]) -> Position:
    account_id, market, quantity, cost, realised, fees, buy_micros, buy_ms, sell_micros, sell_ms = row
    return Position(
        account_id,
        market,
        quantity,
        cost,
        realised,
        fees,
        Pressure(buy_micros, buy_ms),
        Pressure(sell_micros, sell_ms),
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
    )


def order_of(row: Sequence[Any]) -> Order:
    order_id, account_id, key, sha256, client_id, market, side, quantity, quote, slippage, at_ms, code, fill_id = row
    return Order(
        order_id,
        account_id,
        key,
        bytes(sha256),
        client_id,
        market,
        _SIDES[side],
        quantity,
        quote,
        slippage,
        at_ms,
        None if code is None else _REJECT_CODES[code],
        fill_id,
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
    )


def fill_of(row: Sequence[Any]) -> Fill:
    before, side, after = row[:_FILL_SIDE], row[_FILL_SIDE], row[_FILL_SIDE + 1 :]
    columns: tuple[Any, ...] = (*before, _SIDES[side], *after)
    return Fill(*columns)


def fill_row(fill: Fill) -> Row:
    row = msgspec.structs.astuple(fill)
    return (*row[:_FILL_SIDE], fill.side.value, *row[_FILL_SIDE + 1 :])


def record_of(row: Sequence[Any]) -> JournalRecord:
    record_id, account_id, version, kind, at_ms, order_id, sha256, postings = row
    return JournalRecord(
        record_id, account_id, version, RecordKind(kind), at_ms, order_id, bytes(sha256), postings.encode()
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
    )
