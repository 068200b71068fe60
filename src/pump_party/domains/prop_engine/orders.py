"""Decide a batch of orders against accounts that are locked: the middle of `place_orders`, without I/O.

`OrderBatch` moves accounts and positions forward in memory, so a second order of the batch sees what the first spent.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine import announce
from pump_party.domains.prop_engine.execution import check_funds, price_spot
from pump_party.domains.prop_engine.ledger import fill_postings, write_record
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    MarketOrder,
    Order,
    Position,
    RecordedOrder,
    RecordKind,
    RuleSet,
    SpotFill,
)
from pump_party.domains.prop_engine.portfolio import apply_fill, empty_position
from pump_party.domains.prop_engine.store import Batch, OrdersTransaction
from pump_party.domains.prop_interface.contract import PlaceOrder, RejectCode, Side
from pump_party.kernel.errors import IdempotencyMismatch, NotFound, Refusal
from pump_party.kernel.ids import AccountId, FillId, Market, OrderId


def account_not_found() -> NotFound:
    return NotFound("there is no such account of yours", code="account_not_found", field="account_id")


def request_sha256(command: PlaceOrder) -> bytes:
    """The identity of what was asked: the same key with another hash is a mismatch."""
    text = "|".join(
        (
            command.market,
            command.side.value,
            str(command.quantity_nanos),
            str(command.quote_micros),
            str(command.max_slippage_ppm),
            command.client_order_id or "",
        )
    )
    return sha256(text.encode()).digest()


def decide_spot(
    command: PlaceOrder, position: Position, quote: Quote | None, rules: RuleSet, *, now_ms: int
) -> SpotFill | RejectCode:
    """Price the order on the newest quote (fill mode `latest`), or say why not. Funds are not checked here."""
    params = rules.spot.get(command.market)
    if params is None:
        return RejectCode.BAD_REQUEST
    if quote is None or quote.halted(now_ms) is not None:
        return RejectCode.MARKET_HALTED
    return price_spot(
        MarketOrder(command.side, command.quantity_nanos, command.quote_micros, command.max_slippage_ppm),
        mid_e8=quote.mid_e8,
        conf_e8=quote.conf_e8,
        publish_ms=quote.publish_ms,
        pressure=position.buy_pressure if command.side is Side.BUY else position.sell_pressure,
        params=params,
        fill_ms=now_ms,
    )


class OrderBatch:
    """One batch being decided. `outcome` per command; `batch` is what the store then writes in one go."""

    def __init__(
        self,
        transaction: OrdersTransaction,
        quotes: Mapping[Market, Quote],
        rule_sets: Mapping[str, RuleSet],
        new_ids: Iterator[str],
        *,
        now_ms: int,
    ) -> None:
        self._accounts = transaction.accounts
        self._positions = transaction.positions
        self._recorded = dict(transaction.earlier)
        self._quotes = quotes
        self._rule_sets = rule_sets
        self._new_ids = new_ids
        self._now_ms = now_ms
        self.batch = Batch([], [], [], {}, {}, [])

    def outcome(self, command: PlaceOrder) -> RecordedOrder | Refusal:
        """The first outcome of this key, whether from an earlier batch, from this one, or decided now."""
        account = self._accounts.get(command.account_id)
        if account is None or account.user_id != command.user_id:
            return account_not_found()
        key = (command.account_id, command.idempotency_key)
        fingerprint = request_sha256(command)
        recorded = self._recorded.get(key)
        if recorded is None:
            recorded = self._recorded[key] = self._decide(command, account, fingerprint)
        elif recorded.order.request_sha256 != fingerprint:
            return IdempotencyMismatch()
        return recorded

    def _decide(self, command: PlaceOrder, account: Account, fingerprint: bytes) -> RecordedOrder:
        position = self._positions.get((account.account_id, command.market))
        if position is None:
            position = empty_position(account.account_id, command.market)
        quote = self._quotes.get(command.market)
        decided = decide_spot(command, position, quote, self._rule_sets[account.rule_set], now_ms=self._now_ms)
        if isinstance(decided, SpotFill):
            unfunded = check_funds(decided, cash_micros=account.cash_micros, held_nanos=position.quantity_nanos)
            if unfunded is None:
                assert quote is not None
                return self._fill(command, fingerprint, account, position, decided, quote)
            decided = unfunded
        return self._reject(command, fingerprint, account, decided)

    def _reject(self, command: PlaceOrder, fingerprint: bytes, account: Account, code: RejectCode) -> RecordedOrder:
        order = self._order(command, fingerprint, reject_code=code, fill_id=None)
        record = write_record(account, order.order_id, RecordKind.REJECT, at_ms=self._now_ms, order=order)
        account = msgspec.structs.replace(account, seq=account.seq + 1, version=record.version, head=record.sha256)
        self._keep_account(account)
        self.batch.orders.append(order)
        self.batch.records.append(record)
        self.batch.messages.append(announce.order_rejected(order, account))
        return RecordedOrder(order, None)

    def _fill(
        self,
        command: PlaceOrder,
        fingerprint: bytes,
        account: Account,
        position: Position,
        decided: SpotFill,
        quote: Quote,
    ) -> RecordedOrder:
        now_ms = self._now_ms
        position, realised_pnl_micros = apply_fill(position, decided, fill_ms=now_ms)
        after = msgspec.structs.replace(
            account,
            seq=account.seq + announce.FRAMES_OF_A_FILL,
            cash_micros=account.cash_micros + decided.cash_change_micros,
            realised_pnl_micros=account.realised_pnl_micros + realised_pnl_micros,
            fees_micros=account.fees_micros + decided.fee_micros,
            fills=account.fills + 1,
        )
        order = self._order(command, fingerprint, reject_code=None, fill_id=FillId(next(self._new_ids)))
        fill = self._evidenced(order, account, decided, realised_pnl_micros, quote)
        record = write_record(
            account,
            fill.fill_id,
            RecordKind.FILL,
            at_ms=now_ms,
            postings=fill_postings(decided, account=after, position=position),
            order=order,
            fill=fill,
        )
        after = msgspec.structs.replace(after, version=record.version, head=record.sha256)

        self._keep_account(after)
        self._positions[(after.account_id, position.market)] = position
        batch = self.batch
        batch.positions[(after.account_id, position.market)] = position
        batch.orders.append(order)
        batch.fills.append(fill)
        batch.records.append(record)
        batch.messages.append(announce.order_filled(order, fill, after, position))
        return RecordedOrder(order, fill)

    def _keep_account(self, account: Account) -> None:
        account_id: AccountId = account.account_id
        self._accounts[account_id] = account
        self.batch.accounts[account_id] = account

    def _order(
        self, command: PlaceOrder, fingerprint: bytes, *, reject_code: RejectCode | None, fill_id: FillId | None
    ) -> Order:
        return Order(
            OrderId(next(self._new_ids)),
            command.account_id,
            command.idempotency_key,
            fingerprint,
            command.client_order_id,
            command.market,
            command.side,
            command.quantity_nanos,
            command.quote_micros,
            command.max_slippage_ppm,
            self._now_ms,
            reject_code,
            fill_id,
        )

    def _evidenced(
        self, order: Order, account: Account, decided: SpotFill, realised_pnl_micros: int, quote: Quote
    ) -> Fill:
        assert order.fill_id is not None
        return Fill(
            order.fill_id,
            order.order_id,
            order.account_id,
            account.version + 1,
            order.market,
            account.cycle,
            order.side,
            decided.price_e8,
            decided.quantity_nanos,
            decided.gross_micros,
            decided.fee_micros,
            decided.half_spread_e8,
            decided.impact_e8,
            realised_pnl_micros,
            self._now_ms,
            quote.source,
            quote.feed,
            quote.publish_ms,
            quote.recv_ms,
            quote.slot,
            quote.mid_e8,
            quote.conf_e8,
            quote.tick_sha256,
            quote.tape_ms,
        )
