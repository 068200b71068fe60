"""Decide a batch of orders against accounts that are locked: the middle of `place_orders`, without I/O."""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from msgspec.structs import replace

from pump_party.domains.marketdata.contract import Book, Quote
from pump_party.domains.prop_engine import perp_orders
from pump_party.domains.prop_engine.execution import check_funds
from pump_party.domains.prop_engine.ledger import base_asset
from pump_party.domains.prop_engine.limits import check_limits, exposure_of, places_of
from pump_party.domains.prop_engine.model import (
    OWN_KEY_MARK,
    Account,
    MarketOrder,
    OpenOrder,
    Order,
    Position,
    RecordedOrder,
    SpotFill,
    SpotParams,
)
from pump_party.domains.prop_engine.order_rate import orders_last_minute, with_order
from pump_party.domains.prop_engine.perp_model import PerpParams
from pump_party.domains.prop_engine.perp_recording import PerpRecorder
from pump_party.domains.prop_engine.pricing import Prices, fresh_book, price_order
from pump_party.domains.prop_engine.record_line import write_terms
from pump_party.domains.prop_engine.recording import Recorder
from pump_party.domains.prop_engine.risk import NO_LIMITS
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import LoadedState
from pump_party.domains.prop_engine.working import (
    Change,
    accepted,
    arrived,
    check_size,
    check_terms,
    hold,
    is_immediate,
    pressure_of,
    reference_e8,
    resting,
    sized,
    terms_of,
)
from pump_party.domains.prop_interface.contract import (
    OPEN_ORDERS_MAX,
    AccountStatus,
    CancelReason,
    FillMode,
    PlaceOrder,
    PriceMode,
    RejectCode,
)
from pump_party.kernel.errors import IdempotencyMismatch, Invalid, NotFound, Refusal
from pump_party.kernel.ids import AccountId, FillId, Market, OrderId

Outcome = RecordedOrder | OpenOrder
"""A decided order has ended, or is open."""


def account_not_found() -> NotFound:
    return NotFound("there is no such account of yours", code="account_not_found", field="account_id")


def request_sha256(command: PlaceOrder) -> bytes:
    """The identity of what was asked: the same key with another hash is a mismatch."""
    text = (
        f"{command.market}|{command.side.value}|{command.quantity_nanos}|{command.quote_micros}"
        f"|{command.max_slippage_ppm}|{command.client_order_id or ''}"
    )
    if command.terms is not None:
        text = f"{text}|{write_terms(command.terms)}"
    return sha256(text.encode()).digest()


def decide_spot(
    order: MarketOrder, position: Position, prices: Prices | None, params: SpotParams, *, now_ms: int
) -> SpotFill | RejectCode:
    """Price the order on the newest quote (fill mode `latest`), or say why not. Funds are not checked here."""
    if prices is None or prices.quote.halted(now_ms) is not None:
        return RejectCode.MARKET_HALTED
    return price_order(
        order,
        prices,
        pressure=pressure_of(position, order.side),
        consumed=position.consumed,
        params=params,
        fill_ms=now_ms,
    )


def refused_by_status(status: AccountStatus) -> RejectCode | None:
    """An account that is not active takes no orders."""
    if status is AccountStatus.ACTIVE:
        return None
    return RejectCode.CONTEST_CLOSED if status is AccountStatus.COMPLETED else RejectCode.ACCOUNT_FROZEN


class BooksNeeded(Exception):
    """An order of the batch is priced on order books, which were not handed in: decide again with them."""


class OrderBatch:
    """One batch being decided: a second order of an account sees what the first spent."""

    def __init__(
        self,
        state: LoadedState,
        quotes: Mapping[Market, Quote],
        rule_sets: Mapping[str, RuleSet],
        new_ids: Iterator[str],
        *,
        now_ms: int,
        books: Mapping[Market, Book] | None = None,
    ) -> None:
        self._recorder = Recorder(state, rule_sets, new_ids, now_ms=now_ms)
        self._perps = PerpRecorder(self._recorder)
        self._outcomes: dict[tuple[AccountId, str], Outcome] = {**state.earlier}
        for open_orders in state.open_orders.values():
            for waiting in open_orders.values():
                self._outcomes[waiting.order.account_id, waiting.order.idempotency_key] = waiting
        self._quotes = quotes
        self._books = books
        self._now_ms = now_ms
        self.batch = self._recorder.batch

    def outcome(self, command: PlaceOrder) -> Outcome | Refusal:
        """The first outcome of this key, whether from an earlier batch, from this one, or decided now."""
        if OWN_KEY_MARK in command.idempotency_key:
            return Invalid(
                f"may not have {OWN_KEY_MARK!r} in it", code="idempotency_key_invalid", field="Idempotency-Key"
            )
        account = self._recorder.accounts.get(command.account_id)
        if account is None or account.user_id != command.user_id:
            return account_not_found()
        key = (command.account_id, command.idempotency_key)
        fingerprint = request_sha256(command)
        earlier = self._outcomes.get(key)
        if earlier is None:
            decided = self._outcomes[key] = self._decide(command, account, fingerprint)
            return decided
        if earlier.order.request_sha256 != fingerprint:
            return IdempotencyMismatch()
        return earlier

    def _decide(self, command: PlaceOrder, account: Account, fingerprint: bytes) -> Outcome:
        rules = self._recorder.rule_sets[account.rule_set]
        code = refused_by_status(account.status)
        if code is None and rules.risk is not NO_LIMITS:
            code = self._refused_by_rules(command, account, rules)
            account = self._recorder.accounts[account.account_id]
        if code is not None:
            return self._reject(command, fingerprint, code)
        params = rules.spot.get(command.market)
        if params is None:
            perp = rules.perp.get(command.market)
            if perp is None:
                return self._reject(command, fingerprint, RejectCode.BAD_REQUEST)
            return self._on_perpetual(command, account, fingerprint, rules, perp)
        if command.terms is None and rules.fill_mode is FillMode.LATEST:
            return self._at_once(command, account, fingerprint, rules, params)
        return self._with_terms(command, account, fingerprint, rules, params)

    def _refused_by_rules(self, command: PlaceOrder, account: Account, rules: RuleSet) -> RejectCode | None:
        """Hold the order against its account's limits, and note its time unless it came too early."""
        recorder, quote = self._recorder, self._quotes.get(command.market)
        exposure, is_perp = None, command.market in rules.perp
        if quote is not None:
            perp = self._perps.position(account.account_id, command.market)
            spot = recorder.position(account.account_id, command.market)
            held_nanos = perp.direction * perp.quantity_nanos if is_perp else spot.quantity_nanos
            waiting = [o.order for o in recorder.of_account(account.account_id) if o.order.market == command.market]
            exposure = exposure_of(held_nanos, waiting, quote, is_perp=is_perp)
        count = orders_last_minute(account.order_times, now_ms=self._now_ms)
        code = check_limits(rules.risk, command, exposure, quote, is_perp=is_perp, orders_last_minute=count)
        if rules.risk.orders_per_minute is not None and code is not RejectCode.RATE_LIMITED:
            times = with_order(account.order_times, now_ms=self._now_ms)
            recorder.accounts[account.account_id] = replace(account, order_times=times)
        return code

    def _at_once(
        self, command: PlaceOrder, account: Account, fingerprint: bytes, rules: RuleSet, params: SpotParams
    ) -> Outcome:
        position = self._recorder.position(account.account_id, command.market)
        order = MarketOrder(command.side, command.quantity_nanos, command.quote_micros, command.max_slippage_ppm)
        prices = self._prices(command.market, rules, params)
        decided = decide_spot(order, position, prices, params, now_ms=self._now_ms)
        if isinstance(decided, SpotFill):
            return self._fill(command, account, fingerprint, decided)
        return self._reject(command, fingerprint, decided)

    def _fill(self, command: PlaceOrder, account: Account, fingerprint: bytes, decided: SpotFill) -> Outcome:
        self._recorder.give_way(command)
        free_nanos = self._recorder.free_nanos(account.account_id, command.market)
        unfunded = check_funds(decided, cash_micros=account.cash_micros, held_nanos=free_nanos)
        if unfunded is not None:
            return self._reject(command, fingerprint, unfunded)
        order = self._order(command, fingerprint, fill_id=FillId(next(self._recorder.new_ids)))
        return self._recorder.fill(order, decided, self._quotes[command.market], fill_ms=self._now_ms)

    def _with_terms(
        self, command: PlaceOrder, account: Account, fingerprint: bytes, rules: RuleSet, params: SpotParams
    ) -> Outcome:
        """Whatever is not a plain market order at the newest price: check it, then decide it now or take it in."""
        quote = self._quotes.get(command.market)
        code = check_terms(command, params, is_perp=False) or self._refused_now(command, rules, quote)
        if code is not None:
            return self._reject(command, fingerprint, code)
        assert quote is not None
        if is_immediate(terms_of(command), rules.fill_mode):
            return self._now(command, account, fingerprint, rules, params, quote)
        return self._accept(command, account, fingerprint, rules, params, quote, rests=False)

    def _now(
        self,
        command: PlaceOrder,
        account: Account,
        fingerprint: bytes,
        rules: RuleSet,
        params: SpotParams,
        quote: Quote,
    ) -> Outcome:
        terms = terms_of(command)
        position = self._recorder.position(account.account_id, command.market)
        market = sized(command, position)
        if market is None:
            return self._reject(command, fingerprint, _refusal(CancelReason.POSITION_CLOSED))
        prices = self._prices(command.market, rules, params)
        priced = decide_spot(market, position, prices, params, now_ms=self._now_ms)
        decided = priced if terms.limit_price_e8 is None else arrived(priced, terms)
        if isinstance(decided, SpotFill):
            return self._fill(command, account, fingerprint, decided)
        if isinstance(decided, Change):
            return self._accept(command, account, fingerprint, rules, params, quote, rests=True)
        return self._reject(command, fingerprint, decided)

    def _accept(
        self,
        command: PlaceOrder,
        account: Account,
        fingerprint: bytes,
        rules: RuleSet,
        params: SpotParams,
        quote: Quote,
        *,
        rests: bool,
    ) -> Outcome:
        price_e8 = reference_e8(terms_of(command), quote)
        code = check_size(command, price_e8, params)
        asset, amount = hold(command, base_asset(command.market), price_e8, params)
        if code is None:
            code = self._unheld(command, account, asset, amount)
        if code is not None:
            return self._reject(command, fingerprint, code)
        order = self._order(command, fingerprint, fill_id=None)
        taken = accepted(order, asset, amount, rules, params)
        return self._recorder.accept(resting(taken) if rests else taken)

    def _unheld(self, command: PlaceOrder, account: Account, asset: str, amount: int) -> RejectCode | None:
        """Why what the order needs cannot be set aside, or None."""
        position = self._recorder.position(account.account_id, command.market)
        free_nanos = position.quantity_nanos - position.held_nanos
        if asset != base_asset(command.market):
            return RejectCode.INSUFFICIENT_FUNDS if amount > account.cash_micros else None
        needed_nanos = max(amount, 1 if command.quantity_nanos is None else command.quantity_nanos)
        return RejectCode.INSUFFICIENT_POSITION if needed_nanos > free_nanos else None

    def _on_perpetual(
        self, command: PlaceOrder, account: Account, fingerprint: bytes, rules: RuleSet, params: PerpParams
    ) -> Outcome:
        quote = self._quotes.get(command.market)
        code = check_terms(command, params.pricing, is_perp=True) or self._refused_now(command, rules, quote)
        if code is not None:
            return self._reject(command, fingerprint, code)
        assert quote is not None
        rests, at_once = False, is_immediate(terms_of(command), rules.fill_mode)
        if at_once:
            # The tick that would bring it may not have come to the positions yet.
            self._perps.fund_when_due(account.account_id, quote, params)
            account = self._recorder.accounts[account.account_id]
        position = self._perps.position(account.account_id, command.market)
        if at_once:
            prices = self._prices(command.market, rules, params.pricing)
            assert prices is not None
            decided = perp_orders.decide(
                command, position, prices, fill_ms=self._now_ms, cash_micros=account.cash_micros, params=params
            )
            if isinstance(decided, tuple):
                order = self._order(command, fingerprint, fill_id=None)
                return self._perps.fill(order, decided, quote, params, fill_ms=self._now_ms)
            if not isinstance(decided, Change):
                return self._reject(command, fingerprint, _refusal(decided))
            rests = True
        price_e8 = reference_e8(terms_of(command), quote)
        code = check_size(command, price_e8, params.pricing)
        asset, amount = perp_orders.hold_micros(command, position, price_e8, params)
        if code is None and amount > account.cash_micros:
            code = RejectCode.INSUFFICIENT_FUNDS
        if code is None and perp_orders.leverage_of(terms_of(command)) > params.tiers[0].max_leverage:
            code = RejectCode.MAX_LEVERAGE
        if code is not None:
            return self._reject(command, fingerprint, code)
        order = self._order(command, fingerprint, fill_id=None)
        taken = accepted(order, asset, amount, rules, params.pricing)
        return self._recorder.accept(resting(taken) if rests else taken)

    def _prices(self, market: Market, rules: RuleSet, params: SpotParams) -> Prices | None:
        quote = self._quotes.get(market)
        if quote is None or rules.price_mode is PriceMode.ORACLE:
            return None if quote is None else Prices(quote)
        if self._books is None:
            raise BooksNeeded
        return Prices(quote, fresh_book(self._books.get(market), params, fill_ms=self._now_ms))

    def _refused_now(self, command: PlaceOrder, rules: RuleSet, quote: Quote | None) -> RejectCode | None:
        """What forbids any order that may wait: too many of them, a client order id twice, a market without price."""
        waiting = self._recorder.open_orders.get(command.account_id, {})
        terms = terms_of(command)
        waits = terms.limit_price_e8 is not None or not is_immediate(terms, rules.fill_mode)
        needed = places_of(command, waits=waits)
        if needed and sum(places_of(o.order) for o in waiting.values()) + needed > OPEN_ORDERS_MAX:
            return RejectCode.RATE_LIMITED
        client_id = command.client_order_id
        if client_id is not None and any(o.order.client_order_id == client_id for o in waiting.values()):
            return RejectCode.DUPLICATE_IN_FLIGHT
        return RejectCode.MARKET_HALTED if quote is None or quote.halted(self._now_ms) is not None else None

    def _reject(self, command: PlaceOrder, fingerprint: bytes, code: RejectCode | CancelReason) -> Outcome:
        return self._recorder.reject(self._order(command, fingerprint, fill_id=None, reject_code=code))

    def _order(
        self,
        command: PlaceOrder,
        fingerprint: bytes,
        *,
        fill_id: FillId | None,
        reject_code: RejectCode | CancelReason | None = None,
    ) -> Order:
        return Order(
            OrderId(next(self._recorder.new_ids)),
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
            command.terms,
        )


def _refusal(code: RejectCode | CancelReason) -> RejectCode | CancelReason:
    """Closing what is not there is a refusal when it is asked for, and a cancel when it came to that."""
    return RejectCode.INSUFFICIENT_POSITION if code is CancelReason.POSITION_CLOSED else code
