"""What one socket follows: who may follow what, how many of it, and the way in and out of each channel."""

import asyncio
from typing import TYPE_CHECKING, Final

from pump_party.apps.ws.clone_trades import TradesFollower
from pump_party.apps.ws.fan_out import Outlet
from pump_party.apps.ws.frames import Subscribe, Subscribed, Unsubscribe, Unsubscribed, text_frame
from pump_party.apps.ws.subject_feed import Subscription
from pump_party.domains.users.contract import Principal, Scope
from pump_party.kernel.errors import Forbidden, Invalid, NotFound
from pump_party.kernel.ids import is_uuid

if TYPE_CHECKING:
    from pump_party.apps.ws.gateway import Gateway

ACCOUNTS_PER_SOCKET: Final = 16
CLONES_PER_SOCKET: Final = 32
BACKTESTS_PER_SOCKET: Final = 16


class Following:
    """The subscriptions of one socket. A foreign subject looks like one that does not exist."""

    def __init__(self, gateway: "Gateway", outlet: Outlet) -> None:
        self._gateway = gateway
        self._services = gateway.services
        self._outlet = outlet
        self._accounts: dict[str, Subscription] = {}
        self._clones: dict[str, tuple[Subscription, TradesFollower]] = {}
        self._backtests: set[str] = set()

    async def subscribe(self, frame: Subscribe, principal: Principal) -> None:
        """Raises Invalid, NotFound, Forbidden, Conflict (seq_ahead)."""
        match frame.channel:
            case "price":
                markets = self._markets_of(frame)
                self._outlet.send(text_frame(Subscribed(channel="price", markets=markets, id=frame.id)))
                self._gateway.board.subscribe(self._outlet, markets)
            case "account":
                await self._follow_account(frame, principal)
            case "clone":
                await self._follow_clone(frame, principal)
            case "backtest":
                await self._follow_backtest(frame, principal)
        if self._outlet.closed:
            self.leave_all()

    async def unsubscribe(self, frame: Unsubscribe) -> None:
        answer = Unsubscribed(channel=frame.channel, id=frame.id)
        match frame.channel:
            case "price":
                markets = self._markets_of(frame)
                self._gateway.board.unsubscribe(self._outlet, markets)
                answer = Unsubscribed(channel="price", markets=markets, id=frame.id)
            case "account":
                account_id = _named(frame.account_id, "account")
                self._leave_account(account_id)
                answer = Unsubscribed(channel="account", account_id=account_id, id=frame.id)
            case "clone":
                clone_id = _named(frame.clone_id, "clone")
                self._leave_clone(clone_id)
                answer = Unsubscribed(channel="clone", clone_id=clone_id, id=frame.id)
            case "backtest":
                backtest_id = _named(frame.backtest_id, "backtest")
                self._leave_backtest(backtest_id)
                answer = Unsubscribed(channel="backtest", backtest_id=backtest_id, id=frame.id)
        self._outlet.send(text_frame(answer))

    def leave_all(self) -> None:
        """Follow nothing but prices, which the outlet leaves itself."""
        for account_id in tuple(self._accounts):
            self._leave_account(account_id)
        for clone_id in tuple(self._clones):
            self._leave_clone(clone_id)
        for backtest_id in tuple(self._backtests):
            self._leave_backtest(backtest_id)

    def _markets_of(self, frame: Subscribe) -> list[str]:
        if (frame.market is None) == (frame.markets is None):
            raise Invalid("give either market or markets", code="missing_field", field="markets")
        markets = [frame.market] if frame.market is not None else list(dict.fromkeys(frame.markets or ()))
        if not markets:
            raise Invalid("name at least one market", code="missing_field", field="markets")
        for market in markets:
            self._services.registry.asset(market)
        return markets

    # --- accounts

    async def _follow_account(self, frame: Subscribe, principal: Principal) -> None:
        _require_read(principal)
        account_id = _named(frame.account_id, "account")
        owns = self._services.prop.owns
        if not is_uuid(account_id) or not await asyncio.to_thread(owns, principal.user_id, account_id):
            raise NotFound("there is no such account of yours", code="account_not_found", field="account_id")
        self._leave_account(account_id)
        if len(self._accounts) >= ACCOUNTS_PER_SOCKET:
            raise Invalid(f"at most {ACCOUNTS_PER_SOCKET} accounts a socket", code="too_many_accounts")
        self._accounts[account_id] = await self._gateway.feed.subscribe(
            self._outlet, account_id, is_owner=True, after_seq=frame.after_seq, frame_id=frame.id
        )

    def _leave_account(self, account_id: str) -> None:
        subscription = self._accounts.pop(account_id, None)
        if subscription is not None:
            self._gateway.feed.unsubscribe(subscription)

    # --- clones

    async def _follow_clone(self, frame: Subscribe, principal: Principal) -> None:
        """Anybody may follow a clone; as its owner only who may read what is the owner's."""
        clone_id = _named(frame.clone_id, "clone")
        owner = await asyncio.to_thread(self._services.clones.owner_of, clone_id)
        may_read = Scope.READ in principal.scopes or principal.clone_id == clone_id
        is_owner = may_read and owner == principal.user_id
        self._leave_clone(clone_id)
        if len(self._clones) >= CLONES_PER_SOCKET:
            raise Invalid(f"at most {CLONES_PER_SOCKET} clones a socket", code="too_many_followed")
        # The account first: what happens after the answer is shown.
        trades = await self._gateway.trades.follow(self._outlet, clone_id, is_owner=is_owner)
        try:
            subscription = await self._gateway.clones.subscribe(
                self._outlet, clone_id, is_owner=is_owner, after_seq=frame.after_seq, frame_id=frame.id
            )
        except BaseException:
            self._gateway.trades.leave(trades)
            raise
        self._clones[clone_id] = subscription, trades

    def _leave_clone(self, clone_id: str) -> None:
        followed = self._clones.pop(clone_id, None)
        if followed is not None:
            subscription, trades = followed
            self._gateway.clones.unsubscribe(subscription)
            self._gateway.trades.leave(trades)

    # --- backtests

    async def _follow_backtest(self, frame: Subscribe, principal: Principal) -> None:
        _require_read(principal)
        backtest_id = _named(frame.backtest_id, "backtest")
        view = await asyncio.to_thread(self._services.backtests.one, principal.user_id, backtest_id)
        self._leave_backtest(backtest_id)
        if len(self._backtests) >= BACKTESTS_PER_SOCKET:
            raise Invalid(f"at most {BACKTESTS_PER_SOCKET} backtests a socket", code="too_many_followed")
        await self._gateway.backtests.subscribe(self._outlet, view, frame.id)
        self._backtests.add(backtest_id)

    def _leave_backtest(self, backtest_id: str) -> None:
        if backtest_id in self._backtests:
            self._backtests.remove(backtest_id)
            self._gateway.backtests.unsubscribe(self._outlet, backtest_id)


def _require_read(principal: Principal) -> None:
    if Scope.READ not in principal.scopes:
        raise Forbidden("this key may not read", code="scope_missing")


def _named(subject: str | None, noun: str) -> str:
    if subject is None:
        raise Invalid(f"name the {noun}", code="missing_field", field=f"{noun}_id")
    return subject
