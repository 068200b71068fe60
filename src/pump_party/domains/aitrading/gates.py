"""Whether a proposal may be done at all. Whoever proposed it: a rule, a model, or a program outside. Pure.

Checks run in the order of `VerdictCode`; the first that fails is the verdict. Closing is the way out: it needs neither
a fresh price nor a place under the daily limit.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from pump_party.domains.aitrading.account_rules import AccountRules, MarketRules
from pump_party.domains.aitrading.holding import FLAT, LONG, Holding
from pump_party.domains.aitrading.model import Direction, Limits, Proposal, ProposalAction, Seen, VerdictCode
from pump_party.domains.aitrading.sizing import exits_e8, wanted_micros
from pump_party.domains.prop_interface.contract import AccountStatus, OrderView
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX, PPM

NONE: frozenset[Market] = frozenset()

_ACTIVE = AccountStatus.ACTIVE


class Refused(msgspec.Struct, frozen=True):
    code: VerdictCode
    detail: str = ""


class Price(msgspec.Struct, frozen=True):
    """The price a market is gated and sized at. `halt` says why it may not be traded, None when it may."""

    mid_e8: int
    publish_ms: int
    halt: str | None = None


def price_of(seen: Seen, market: Market) -> Price | None:
    """The quote's where one is given, else the snapshot's."""
    quote = seen.quotes.get(market)
    if quote is not None:
        return Price(quote.mid_e8, quote.publish_ms, quote.halted(seen.slot.now_ms))
    snapshot = seen.snapshots.get(market)
    return None if snapshot is None else Price(snapshot.mid_e8, snapshot.publish_ms)


def refuse_all(seen: Seen) -> Refused | None:
    """What forbids every proposal of a run."""
    slot = seen.slot
    if slot.now_ms > slot.deadline_ms:
        return Refused(VerdictCode.SLOT_LATE, f"{slot.now_ms - slot.deadline_ms} ms after the deadline")
    if seen.account.status is not _ACTIVE:
        return Refused(VerdictCode.ACCOUNT_NOT_ACTIVE, f"the account is {seen.account.status.value}")
    return None


def waiting_markets(orders: Sequence[OrderView]) -> frozenset[Market]:
    """Markets in which an order waits that is not only an exit."""
    if not orders:
        return NONE
    return frozenset(order.market for order in orders if order.terms is None or not order.terms.reduce_only)


def repeated_markets(proposals: Sequence[Proposal]) -> frozenset[Market]:
    """Markets that more than one proposal is about: none of them is done."""
    if len({proposal.market for proposal in proposals}) == len(proposals):
        return NONE
    counts = Counter([proposal.market for proposal in proposals])
    return frozenset(market for market, count in counts.items() if count > 1)


def refuse(
    proposal: Proposal,
    price: Price | None,
    holding: Holding,
    limits: Limits,
    rules: AccountRules,
    *,
    equity_micros: int | None,
    now_ms: int,
    order_waits: bool = False,
) -> Refused | None:
    """Why this proposal may not be done, or None. Holding needs no leave beyond its market's.

    `order_waits` is whether an order waits that may make the position larger.
    """
    market = rules.markets.get(proposal.market)
    if market is None or proposal.market not in limits.markets:
        return Refused(VerdictCode.MARKET_NOT_ALLOWED)
    if proposal.action is ProposalAction.HOLD:
        return None
    if price is None:
        return Refused(VerdictCode.NO_PRICE)
    if price.halt is not None:
        return Refused(VerdictCode.MARKET_HALTED, price.halt)
    if proposal.action is ProposalAction.CLOSE:
        return None
    if now_ms - price.publish_ms > market.max_tick_age_ms:
        return Refused(VerdictCode.PRICE_STALE, f"the price is {now_ms - price.publish_ms} ms old")
    if order_waits and proposal.action is ProposalAction.OPEN:
        return Refused(VerdictCode.ORDER_WAITING)
    if equity_micros is None or equity_micros <= 0:
        return Refused(VerdictCode.EQUITY_UNKNOWN)
    return (
        _refuse_side(proposal, holding, market)
        or _refuse_size(proposal, limits, market, rules, equity_micros)
        or _refuse_leverage(proposal, limits, market, rules, equity_micros)
        or _refuse_exits(proposal, market, price.mid_e8)
    )


def _refuse_side(proposal: Proposal, holding: Holding, market: MarketRules) -> Refused | None:
    if proposal.action is ProposalAction.REDUCE:
        named = proposal.side is not None and holding.direction != FLAT
        if named and (proposal.side is Direction.LONG) != (holding.direction == LONG):
            return Refused(VerdictCode.SIDE_MISMATCH, "the position has the other side")
        return None
    if proposal.side is None:
        return Refused(VerdictCode.SIDE_MISMATCH, "an open needs a side")
    if proposal.side is Direction.SHORT and not market.is_perp:
        return Refused(VerdictCode.SHORT_NOT_ALLOWED)
    return None


def _refuse_size(
    proposal: Proposal, limits: Limits, market: MarketRules, rules: AccountRules, equity_micros: int
) -> Refused | None:
    least = 1 if proposal.action is ProposalAction.OPEN else 0
    if not least <= proposal.share_ppm <= PPM:
        return Refused(VerdictCode.SIZE_OUT_OF_RANGE)
    if proposal.share_ppm > limits.max_position_ppm:
        return Refused(VerdictCode.SIZE_ABOVE_LIMIT, f"at most {limits.max_position_ppm} ppm of equity")
    cap_micros = market.max_notional_micros
    if rules.max_position_micros is not None:
        cap_micros = min(cap_micros, rules.max_position_micros)
    if wanted_micros(proposal, equity_micros) > cap_micros:
        return Refused(VerdictCode.SIZE_ABOVE_LIMIT, f"at most {cap_micros} micros in a market")
    return None


def _refuse_leverage(
    proposal: Proposal, limits: Limits, market: MarketRules, rules: AccountRules, equity_micros: int
) -> Refused | None:
    allowed = min(limits.max_leverage, market.max_leverage(wanted_micros(proposal, equity_micros)))
    if rules.max_leverage is not None:
        allowed = min(allowed, rules.max_leverage)
    if 1 <= proposal.leverage <= allowed:
        return None
    return Refused(VerdictCode.LEVERAGE_ABOVE_LIMIT, f"at most {allowed}")


def _refuse_exits(proposal: Proposal, market: MarketRules, mid_e8: int) -> Refused | None:
    """The stop lies on the losing side of the price and the target on the other, on the market's ticks."""
    stop_e8, target_e8 = exits_e8(proposal, market)
    if stop_e8 is None and target_e8 is None:
        return None
    low_e8, high_e8 = (stop_e8, target_e8) if proposal.side is Direction.LONG else (target_e8, stop_e8)
    if (low_e8 is None or 0 < low_e8 < mid_e8) and (high_e8 is None or mid_e8 < high_e8 <= INT64_MAX):
        return None
    return Refused(VerdictCode.EXIT_ON_WRONG_SIDE)
