"""Move accounts forward in memory and write down, per change, what the store then keeps in one state.

One method per thing that can happen to an order. Each leaves the account, its position and its open orders as they
are afterwards, one journal record, and one message for those who listen.
"""

from collections.abc import Iterator, Mapping

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine import announce
from pump_party.domains.prop_engine.ledger import (
    CASH_ASSET,
    fill_postings,
    held_fill_postings,
    hold_postings,
    write_record,
)
from pump_party.domains.prop_engine.model import (
    OWN_KEY_MARK,
    Account,
    Fill,
    OpenOrder,
    Order,
    Position,
    Posting,
    RecordedOrder,
    RecordKind,
    SpotFill,
)
from pump_party.domains.prop_engine.portfolio import apply_fill, empty_position
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import Batch, LoadedState
from pump_party.domains.prop_engine.views import fill_detail
from pump_party.domains.prop_engine.working import armed, called_back, closes_all, exit_terms, is_in_flight, terms_of
from pump_party.domains.prop_interface.contract import (
    CancelReason,
    OrderStage,
    OrderTerms,
    PlaceOrder,
    RejectCode,
    Side,
)
from pump_party.kernel.ids import AccountId, FillId, Market, OrderId

_replace = msgspec.structs.replace


class Recorder:
    """The state of a batch: what the transaction loaded, moved forward change by change, and `batch` to be written."""

    def __init__(
        self,
        state: LoadedState,
        rule_sets: Mapping[str, RuleSet],
        new_ids: Iterator[str],
        *,
        now_ms: int,
    ) -> None:
        self.accounts = state.accounts
        self.open_orders = state.open_orders
        self.perps = state.perps
        self.rule_sets = rule_sets
        self.now_ms = now_ms
        self.new_ids = new_ids
        self.batch = Batch([], [], [], {}, {}, [], {}, set(), {})
        self._positions = state.positions

    def position(self, account_id: AccountId, market: Market) -> Position:
        position = self._positions.get((account_id, market))
        return empty_position(account_id, market) if position is None else position

    def reject(self, order: Order) -> RecordedOrder:
        """End an order that was never accepted: refused, or cancelled because it would not wait."""
        account = self.accounts[order.account_id]
        record = write_record(account, order.order_id, _kind_of_end(order), at_ms=self.now_ms, order=order)
        account = _replace(account, seq=account.seq + 1, version=record.version, head=record.sha256)
        self.keep_account(account)
        self.batch.orders.append(order)
        self.batch.records.append(record)
        self._tell_end(order)
        return RecordedOrder(order, None)

    def fill(self, order: Order, decided: SpotFill, quote: Quote, *, fill_ms: int) -> RecordedOrder:
        """Fill an order that held nothing and has its `fill_id`; then arm its exits, or cancel those left idle."""
        account = self.accounts[order.account_id]
        position, realised_pnl_micros = apply_fill(
            self.position(account.account_id, order.market), decided, fill_ms=fill_ms
        )
        after = self._after_fill(account, decided, realised_pnl_micros)
        postings = fill_postings(decided, account=after, position=position)
        filled = self._record_fill(order, decided, quote, after, position, postings, realised_pnl_micros, fill_ms)
        is_flat = position.quantity_nanos == 0
        self.follow_up(order, reduced=order.side is Side.SELL, is_flat=is_flat)
        return filled

    # --- orders that wait ---

    def accept(self, open_order: OpenOrder) -> OpenOrder:
        """Take an order in and set aside what it holds."""
        order = open_order.order
        self._hold(order, open_order.held_asset, open_order.held_amount, open_orders=1, kind=RecordKind.ACCEPT)
        self._keep_open(open_order)
        self._tell(order, open_order)
        return open_order

    def move_on(self, open_order: OpenOrder, kind: RecordKind, *, detail: str | None = None) -> None:
        """An open order was triggered, rests or is called back from now on."""
        self._hold(open_order.order, CASH_ASSET, 0, open_orders=0, kind=kind, detail=detail)
        self._keep_open(open_order)
        self._tell(open_order.order, open_order)

    def end(self, open_order: OpenOrder, code: RejectCode | CancelReason) -> RecordedOrder:
        """End an open order without a fill and free what it held."""
        order = _replace(open_order.order, reject_code=code)
        self._hold(order, open_order.held_asset, -open_order.held_amount, open_orders=-1, kind=_kind_of_end(order))
        self.forget_open(order)
        self.batch.orders.append(order)
        self._tell_end(order)
        return RecordedOrder(order, None)

    def fill_open(self, open_order: OpenOrder, decided: SpotFill, quote: Quote) -> RecordedOrder:
        """Fill an open order out of what it held."""
        order, fill_ms = _replace(open_order.order, fill_id=FillId(next(self.new_ids))), quote.recv_ms
        asset, amount = open_order.held_asset, open_order.held_amount
        account, position = self._without_hold(open_order)
        position, realised_pnl_micros = apply_fill(position, decided, fill_ms=fill_ms)
        after = self._after_fill(account, decided, realised_pnl_micros)
        after = _replace(after, open_orders=after.open_orders - 1)
        self.forget_open(order)
        postings = held_fill_postings(decided, asset, amount, account=after, position=position)
        filled = self._record_fill(order, decided, quote, after, position, postings, realised_pnl_micros, fill_ms)
        is_flat = position.quantity_nanos == 0
        self.follow_up(order, reduced=order.side is Side.SELL, is_flat=is_flat)
        return filled

    def give_way(self, order: Order | PlaceOrder) -> None:
        """Cancel the resting sales whose hold an order that closes the whole position needs."""
        if not closes_all(order):
            return
        for other in self.of_account(order.account_id):
            if other.order.market == order.market and other.held_amount and other.order.side is Side.SELL:
                self.end(other, CancelReason.OTHER_FILLED)

    def cancel(self, open_order: OpenOrder) -> RecordedOrder | OpenOrder | None:
        """Do what the order's owner asks: end it, or call it back; None when nothing comes of that (any more)."""
        rules = self.rule_sets[self.accounts[open_order.order.account_id].rule_set]
        in_flight = is_in_flight(open_order, rules, now_ms=self.now_ms)
        if terms_of(open_order.order).is_closing or in_flight or open_order.stage is OrderStage.CANCELLING:
            return None
        cancelling = called_back(open_order, rules, now_ms=self.now_ms)
        if cancelling is None:
            return self.end(open_order, CancelReason.USER)
        self.move_on(cancelling, RecordKind.CANCELLING)
        return cancelling

    def free_nanos(self, account_id: AccountId, market: Market) -> int:
        position = self.position(account_id, market)
        return position.quantity_nanos - position.held_nanos

    def free_for(self, open_order: OpenOrder) -> tuple[int, int]:
        """(cash_micros, nanos of the base) the order may spend: what is free, and what it holds itself."""
        account, position = self._without_hold(open_order)
        return account.cash_micros, position.quantity_nanos - position.held_nanos

    def of_account(self, account_id: AccountId) -> list[OpenOrder]:
        """The account's open orders as they are now, oldest first."""
        return sorted(self.open_orders.get(account_id, {}).values(), key=lambda o: o.order.order_id)

    # --- what the changes are made of ---

    def _after_fill(self, account: Account, decided: SpotFill, realised_pnl_micros: int) -> Account:
        return _replace(
            account,
            seq=account.seq + announce.FRAMES_OF_A_FILL,
            cash_micros=account.cash_micros + decided.cash_change_micros,
            realised_pnl_micros=account.realised_pnl_micros + realised_pnl_micros,
            fees_micros=account.fees_micros + decided.fee_micros,
            fills=account.fills + 1,
        )

    def _record_fill(
        self,
        order: Order,
        decided: SpotFill,
        quote: Quote,
        after: Account,
        position: Position,
        postings: tuple[Posting, ...],
        realised_pnl_micros: int,
        fill_ms: int,
    ) -> RecordedOrder:
        assert order.fill_id is not None
        before = self.accounts[after.account_id]
        fill = _evidenced(order, before, decided, realised_pnl_micros, quote, fill_ms)
        record = write_record(
            before, fill.fill_id, RecordKind.FILL, at_ms=self.now_ms, postings=postings, order=order, fill=fill
        )
        after = _replace(after, version=record.version, head=record.sha256)
        self.keep_account(after)
        self._keep_position(position)
        batch = self.batch
        batch.orders.append(order)
        batch.fills.append(fill)
        batch.records.append(record)
        batch.messages.append(announce.order_filled(order, fill, after, position))
        return RecordedOrder(order, fill)

    def follow_up(self, order: Order, *, reduced: bool, is_flat: bool) -> None:
        """After a fill: arm the exits it attached; cancel the exits it left idle."""
        if reduced and self.accounts[order.account_id].open_orders:
            self._cancel_idle_exits(order, is_flat=is_flat)
        if order.terms is not None:
            for terms in exit_terms(order):
                self.accept(armed(self._exit(order, terms), CASH_ASSET, 0))

    def _exit(self, order: Order, terms: OrderTerms) -> Order:
        return _replace(
            order,
            order_id=OrderId(next(self.new_ids)),
            idempotency_key=f"{order.order_id}{OWN_KEY_MARK}{terms.kind.value}",
            client_order_id=None,
            side=Side.SELL if order.side is Side.BUY else Side.BUY,
            quantity_nanos=None,
            quote_micros=None,
            created_ms=self.now_ms,
            fill_id=None,
            terms=terms,
        )

    def _cancel_idle_exits(self, order: Order, *, is_flat: bool) -> None:
        """An exit that filled cancels its sibling; a position that is gone leaves nothing to reduce."""
        parent_id = terms_of(order).parent_id
        for other in self.of_account(order.account_id):
            if other.order.market != order.market:
                continue
            terms = terms_of(other.order)
            if parent_id is not None and terms.parent_id == parent_id:
                self.end(other, CancelReason.OTHER_FILLED)
            elif terms.reduce_only and is_flat:
                self.end(other, CancelReason.POSITION_CLOSED)

    def _hold(
        self,
        order: Order,
        asset: str,
        amount: int,
        *,
        open_orders: int,
        kind: RecordKind,
        detail: str | None = None,
    ) -> None:
        """Set `amount` more aside (less, when negative) and record why."""
        account = self.accounts[order.account_id]
        position = self.position(account.account_id, order.market)
        after, position_after = _with_hold(account, position, asset, amount)
        record_id = order.order_id if kind is RecordKind.ACCEPT else next(self.new_ids)
        postings = hold_postings(asset, amount, account=after, position=position_after)
        record = write_record(
            account, record_id, kind, at_ms=self.now_ms, postings=postings, order=order, detail=detail
        )
        self.keep_account(
            _replace(
                after,
                seq=after.seq + 1,
                version=record.version,
                head=record.sha256,
                open_orders=after.open_orders + open_orders,
            )
        )
        if position_after is not position:
            self._keep_position(position_after)
        self.batch.records.append(record)

    def _without_hold(self, open_order: OpenOrder) -> tuple[Account, Position]:
        order = open_order.order
        account = self.accounts[order.account_id]
        position = self.position(account.account_id, order.market)
        return _with_hold(account, position, open_order.held_asset, -open_order.held_amount)

    def keep_account(self, account: Account) -> None:
        self.accounts[account.account_id] = account
        self.batch.accounts[account.account_id] = account

    def _keep_position(self, position: Position) -> None:
        key = (position.account_id, position.market)
        self._positions[key] = position
        self.batch.positions[key] = position

    def _keep_open(self, open_order: OpenOrder) -> None:
        order = open_order.order
        self.open_orders.setdefault(order.account_id, {})[order.order_id] = open_order
        self.batch.opened[order.order_id] = open_order

    def forget_open(self, order: Order) -> None:
        del self.open_orders[order.account_id][order.order_id]
        self.batch.opened.pop(order.order_id, None)
        self.batch.ended.add(order.order_id)

    def _tell(self, order: Order, open_order: OpenOrder | None) -> None:
        account = self.accounts[order.account_id]
        self.batch.messages.append(announce.order_updated(order, open_order, account, at_ms=self.now_ms))

    def _tell_end(self, order: Order) -> None:
        """Of an order that ended without a fill."""
        if isinstance(order.reject_code, CancelReason):
            self._tell(order, None)
        else:
            account = self.accounts[order.account_id]
            self.batch.messages.append(announce.order_rejected(order, account, at_ms=self.now_ms))


def _kind_of_end(order: Order) -> RecordKind:
    return RecordKind.CANCEL if isinstance(order.reject_code, CancelReason) else RecordKind.REJECT


def _with_hold(account: Account, position: Position, asset: str, amount: int) -> tuple[Account, Position]:
    if amount == 0:
        return account, position
    if asset == CASH_ASSET:
        return (
            _replace(account, cash_micros=account.cash_micros - amount, held_micros=account.held_micros + amount),
            position,
        )
    return account, _replace(position, held_nanos=position.held_nanos + amount)


def _evidenced(
    order: Order, account: Account, decided: SpotFill, realised_pnl_micros: int, quote: Quote, fill_ms: int
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
        None if decided.book is None else fill_detail(book=decided.book),
    )
