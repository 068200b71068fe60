"""One simulation: a world moved step by step, every invariant after each. The seed is the whole history."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from traceback import format_exc
from typing import Protocol, TypeVar

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.audit import AccountRecords
from pump_party.domains.prop_engine.model import SpotParams
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_engine.simulation.faults import Crash, Faults
from pump_party.domains.prop_engine.simulation.traders import Client, random_order
from pump_party.domains.prop_engine.simulation.witness import Witness
from pump_party.domains.prop_engine.views import fill_view
from pump_party.domains.prop_engine.working import terms_of
from pump_party.domains.prop_interface.contract import (
    AccountStatus,
    CancelOrder,
    CancelOrders,
    OpenAccount,
    OrderView,
    PlaceOrder,
    ResetAccount,
)
from pump_party.kernel.dice import Dice
from pump_party.kernel.errors import Refusal, Unavailable
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.platform.clock import ManualClock

START_MS = 1_750_000_000_000
HOUR_MS = 3_600_000
MARKETS = (Market("SOL-USDC"), Market("BTC-USDC"), Market("SOL-PERP"), Market("BTC-PERP"))
PRACTICE = ("practice-v1", "practice-v2", "practice-v2", "practice-next-v1")
RULE_SETS = (*PRACTICE, "contest-v1", "practice-book-v1", "audition-v1", "race-v1")
USERS = (UserId("01900000-0000-7000-8000-00000000a11c"), UserId("01900000-0000-7000-8000-000000000b0b"))
FAULT_PPM = 200_000
TRIES_MAX = 4
SETTLE_TICKS = 9
ACTIONS_KEPT = 12
KEYS_KEPT = 64

FROZEN = AccountStatus.FROZEN

T = TypeVar("T")


class Feed(Protocol):
    """Where admitted ticks come from."""

    def begin(self) -> None:
        """Start afresh from what is stored."""
        ...

    def step(self) -> Sequence[Quote]:
        """Let the market move and every source report once; the quotes of admitted ticks, oldest first."""
        ...

    def write(self) -> None:
        """Store candles and quarantines, as the worker does every now and then."""
        ...

    def latest(self) -> Mapping[Market, Quote]:
        """The current quotes, as the engine reads them."""
        ...


class World(msgspec.Struct, frozen=True):
    """What outlives a crash besides the store."""

    seed: int
    dice: Dice
    clock: ManualClock
    faults: Faults

    @classmethod
    def of(cls, seed: int) -> "World":
        return cls(seed, Dice(seed), ManualClock(START_MS), Faults())


class SimulationReport(msgspec.Struct, frozen=True):
    """What happened. The same seed and steps give the same `sha256`; `problems` is empty when everything held."""

    seed: int
    steps: int
    sha256: str
    counts: dict[str, int]
    problems: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    """The last things done before the problems showed."""


class Simulation:
    """Plays one seed. Not to be used again."""

    def __init__(
        self,
        world: World,
        rule_sets: Mapping[str, RuleSet],
        feed: Feed,
        build: Callable[[], PropTradingEngine],
        changed: Callable[[Mapping[AccountId, int]], Sequence[AccountRecords]],
    ) -> None:
        """`changed` reads the records of accounts whose version is not the known one."""
        self._world = world
        self._rule_sets = rule_sets
        self._feed = feed
        self._build = build
        self._changed = changed
        self._dice = world.dice.fork()
        self._engine = build()
        self._witness = Witness(rule_sets)
        self._clients: list[Client] = []
        self._sent: deque[PlaceOrder] = deque(maxlen=KEYS_KEPT)
        self._delivered: deque[Quote] = deque(maxlen=ACTIONS_KEPT)
        self._actions: deque[str] = deque(maxlen=ACTIONS_KEPT)
        self._counts: Counter[str] = Counter()
        self._problems: list[str] = []
        self._hash = sha256()
        self._keys = 0
        self._acting = ""

    def run(self, steps: int) -> SimulationReport:
        """Stops at the first problem."""
        done = 0
        try:
            self._feed.begin()
            self._open_accounts()
            while done < steps and not self._problems:
                done += 1
                self._step(done)
            if not self._problems:
                self._acting = "settle"
                self._settle()
        except Exception:  # noqa: BLE001  whatever ends a step is a finding, and its seed finds it again
            self._problems.append(f"{self._acting}\n{format_exc()}")
        return self._report(done)

    def _report(self, steps: int) -> SimulationReport:
        counts = self._counts + self._world.faults.happened
        return SimulationReport(
            self._world.seed,
            steps,
            self._hash.hexdigest(),
            dict(sorted(counts.items())),
            tuple(self._problems),
            tuple(self._actions) if self._problems else (),
        )

    def _open_accounts(self) -> None:
        for number, rule_set in enumerate(RULE_SETS):
            user_id = USERS[number % len(USERS)]
            kind = self._rule_sets[rule_set].kind
            command = OpenAccount(user_id, kind, f"open-{number}", rule_set)
            opened = self._engine.open_account(command)
            self._clients.append(Client(user_id, opened.account_id, rule_set))
        self._examine()

    def _step(self, number: int) -> None:
        act = self._dice.weighted(
            (
                (50, self._tick),
                (34, self._place),
                (4, self._repeat),
                (5, self._cancel),
                (2, self._cancel_all),
                (3, self._expire),
                (1, self._reset),
                (5, self._mark),
            )
        )
        self._acting = f"{number} {act.__name__[1:]}"
        if self._dice.chance(FAULT_PPM):
            self._acting += f" [{self._world.faults.plan(self._dice.fork(), race=self._race)}]"
        act()
        self._actions.append(self._acting)
        self._examine()

    # --- what happens; each draws what it needs before it acts, so that a retry asks for the same ---

    def _tick(self) -> None:
        dice = self._dice
        waits_ms = (60, dice.between(1, 1_500)), (5, dice.between(1_500, 12_000)), (2, dice.between(1, HOUR_MS))
        self._world.clock.advance(dice.weighted(waits_ms))
        quotes = self._prices()
        if not quotes:
            return
        again = [*quotes, dice.pick(self._delivered)] if self._delivered and dice.chance(60_000) else quotes
        redeliver = dice.chance(500_000)
        self._delivered.extend(quotes)
        if self._attempt(lambda: self._engine.take_ticks(again), retry=redeliver) is None:
            return
        self._examine()
        for quote in quotes:
            if quote.halt_reason is None and quote is quotes[-1]:
                self._problems.extend(self._witness.after_tick(quote))

    def _prices(self) -> Sequence[Quote]:
        """The next admitted prices. Storing candles may fail: the worker tries again later."""
        quotes = self._feed.step()
        self._witness.saw([*quotes, *self._feed.latest().values()])
        if self._dice.chance(100_000):
            self._attempt(self._feed.write, retry=False)
        return quotes

    def _place(self) -> None:
        commands = [self._order() for _ in range(self._dice.weighted(((6, 1), (2, 2), (1, 5))))]
        self._sent.extend(commands)
        self._submit(commands)

    def _repeat(self) -> None:
        """A client that did not hear the answer, or cannot count, sends an old key again."""
        if not self._sent:
            return
        command = self._dice.pick(self._sent)
        if self._dice.chance(200_000):
            command = msgspec.structs.replace(command, quantity_nanos=10**9, quote_micros=None)
        self._submit([command, command])

    def _submit(self, commands: Sequence[PlaceOrder]) -> None:
        outcomes = self._attempt(lambda: self._engine.place_orders(commands))
        for command, outcome in zip(commands, outcomes or (), strict=False):
            if isinstance(outcome, OrderView):
                self._told(outcome, command.idempotency_key)
            else:
                assert isinstance(outcome, Refusal), outcome
                self._counts[f"refused {outcome.code}"] += 1

    def _cancel(self) -> None:
        command = self._cancel_command()
        if command is not None:
            view = self._attempt(lambda: self._engine.cancel_order(command))
            if view is not None:
                self._told(view)

    def _cancel_all(self) -> None:
        client = self._dice.pick(self._clients)
        command = CancelOrders(client.user_id, client.account_id, self._dice.pick((None, *MARKETS)))
        for view in self._attempt(lambda: self._engine.cancel_orders(command)) or ():
            self._told(view)

    def _expire(self) -> None:
        self._world.clock.advance(self._dice.between(0, 7_000))
        if self._attempt(lambda: self._engine.expire_orders()) is not None:
            self._examine()
            self._problems.extend(self._witness.after_expiry(self._world.clock.now_ms()))

    def _reset(self) -> None:
        client = self._dice.pick(self._clients)
        self._keys += 1
        command = ResetAccount(client.user_id, client.account_id, f"reset-{self._keys}")
        self._attempt(lambda: self._engine.reset_account(command))

    def _mark(self) -> None:
        self._attempt(lambda: self._engine.mark_accounts())

    def _race(self) -> None:
        """Somebody else acts on the same accounts between a decision and its writing."""
        rival = self._build()
        self._counts["race"] += 1
        if self._dice.chance(400_000) and self._delivered:
            rival.take_ticks([self._delivered[-1]])
        elif self._dice.chance(300_000):
            rival.expire_orders()
        elif self._dice.chance(500_000):
            command = self._cancel_command()
            if command is not None:
                self._told(rival.cancel_order(command))
        else:
            order = self._order()
            (outcome,) = rival.place_orders([order])
            if isinstance(outcome, OrderView):
                self._told(outcome, order.idempotency_key)

    def _attempt(self, act: Callable[[], T], *, retry: bool = True) -> T | None:
        """What a client does: after a crash or a failure it asks again, at most a few times. None: no answer."""
        for _ in range(TRIES_MAX):
            try:
                return act()
            except Crash:
                self._restart()
            except Unavailable as away:
                self._counts[f"unavailable {away.code}"] += 1
            except Refusal as refused:
                self._counts[f"refused {refused.code}"] += 1
                return None
            if not retry:
                return None
        return None

    def _restart(self) -> None:
        """The process is gone with all it knew; what the store has committed is all there is."""
        self._counts["restart"] += 1
        self._world.clock.advance(1)
        self._engine = self._build()
        if self._dice.chance(300_000):
            self._feed.begin()

    # --- commands ---

    def _order(self) -> PlaceOrder:
        dice = self._dice
        client = dice.pick(self._clients)
        rules = self._rule_sets[client.rule_set]
        market = dice.pick([m for m in MARKETS if m in rules.spot or m in rules.perp])
        perp = rules.perp.get(market)
        params: SpotParams = rules.spot[market] if perp is None else perp.pricing
        quote = self._feed.latest().get(market)
        return random_order(
            dice,
            client,
            self._key(client),
            params,
            mid_e8=params.tick_e8 * 10_000 if quote is None else quote.mid_e8,
            held_nanos=self._held(client, market),
            is_perp=perp is not None,
        )

    def _key(self, client: Client) -> str:
        """A new key; now and then one that the engine could want for the exits of an order."""
        waiting = self._witness.records[client.account_id].open_orders
        if waiting and self._dice.chance(30_000):
            return f"{self._dice.pick(waiting).order.order_id}:{self._dice.pick(('stop', 'take_profit'))}"
        self._keys += 1
        return f"key-{self._keys}"

    def _held(self, client: Client, market: Market) -> int:
        records = self._witness.records[client.account_id]
        held = [(p.market, p.quantity_nanos) for p in records.positions]
        held += [(p.market, p.quantity_nanos) for p in records.perps]
        return sum(quantity_nanos for of, quantity_nanos in held if of == market)

    def _cancel_command(self) -> CancelOrder | None:
        client = self._dice.pick(self._clients)
        records = self._witness.records[client.account_id]
        known = [o.order.order_id for o in records.open_orders] or [o.order_id for o in records.orders]
        if not known:
            return None
        return CancelOrder(client.user_id, client.account_id, self._dice.pick(known))

    # --- what must hold ---

    def _told(self, view: OrderView, key: str | None = None) -> None:
        code = view.reject_code or view.cancel_reason
        self._acting += f" {view.market} {view.side.value} {view.status.value} {code or ''}".rstrip()
        self._problems.extend(self._witness.told(view, key))

    def _examine(self) -> None:
        """Hold every account that moved against the invariants, and let the hash grow by where it stands."""
        self._world.faults.clear()
        quotes = self._feed.latest()
        known = {account_id: r.account.version for account_id, r in self._witness.records.items()}
        for records in self._changed(known):
            account = records.account
            before = self._witness.records.get(account.account_id)
            self._count(before, records)
            self._problems.extend(self._witness.examine(records))
            view = self._engine.account(account.user_id, account.account_id)
            self._problems.extend(self._witness.value(view, quotes))
            self._hash.update(f"{account.account_id} {account.version} {account.seq} {account.head.hex()}".encode())

    def _count(self, before: AccountRecords | None, now: AccountRecords) -> None:
        seen = 0 if before is None else before.account.version
        self._counts.update(record.kind.value for record in now.journal[seen:])
        ended = set() if before is None else {order.order_id for order in before.orders}
        self._counts["book walk"] += sum(fill_view(fill).book is not None for fill in now.fills if fill.version > seen)
        if now.account.status is FROZEN and (before is None or before.account.status is not FROZEN):
            self._counts["frozen"] += 1
        for order in now.orders:
            if order.order_id not in ended:
                self._counts["filled" if order.reject_code is None else order.reject_code.value] += 1
                self._counts["liquidation"] += terms_of(order).is_liquidation

    def _settle(self) -> None:
        """With nothing in its way every order that waits for its tick ends; then all accounts are proven once more."""
        for _ in range(SETTLE_TICKS):
            self._world.clock.advance(1_000)
            quotes = self._prices()
            if quotes:
                self._engine.take_ticks(quotes)
            self._engine.expire_orders()
        self._examine()
        counted = self._counts.copy()
        self._witness.records = {}
        self._examine()
        # Everything was looked at once more, nothing happened.
        self._counts = counted
        for records in self._witness.records.values():
            stuck = [o.order.order_id for o in records.open_orders if o.deadline_ms is not None]
            if stuck:
                self._problems.append(f"orders {stuck} still wait for a tick")
