"""Turn a proposal that may be done into orders: a share of equity becomes a quantity or a budget. Pure integers.

The position that results is worth no more than the share at the price it is sized at: every rounding is down. A spot
purchase is a budget with its fee inside, so that buying with everything there is can be paid.
"""

import msgspec

from pump_party.domains.aitrading.account_rules import MarketRules
from pump_party.domains.aitrading.holding import FLAT, LONG, SHORT, Holding
from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction, VerdictCode
from pump_party.domains.prop_interface.contract import (
    Action,
    CloseAction,
    ExitsAction,
    OrderTerms,
    PlaceAction,
    Side,
)
from pump_party.kernel.ids import Market
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM

RESERVE_PPM = 30_000
"""What an order for a perpetual may cost beyond the last mid and must have set aside (execution model, section 5)."""


ROUNDINGS_MICROS = 4
"""What rounding up notional, margin and fee may come to."""


class Sized(msgspec.Struct, frozen=True):
    """`steps` still lack their place in the batch. Without a step `code` says why there is nothing to do.

    `spent_micros` is what they may set aside of the free cash.
    """

    code: VerdictCode
    steps: tuple[Action, ...] = ()
    spent_micros: int = 0


class Funds(msgspec.Struct, frozen=True):
    """What a size is a share of, and what is free to pay with."""

    equity_micros: int
    cash_micros: int


def size(proposal: Proposal, holding: Holding, funds: Funds, rules: MarketRules, *, mid_e8: int) -> Sized:
    """The orders of a proposal that has passed the gates. Their `action_id` is set by `numbered`."""
    match proposal.action:
        case ProposalAction.OPEN:
            return _open(proposal, holding, funds, rules, mid_e8)
        case ProposalAction.REDUCE:
            return _reduce(proposal, holding, funds, rules, mid_e8)
        case ProposalAction.CLOSE:
            return _close(holding, rules, mid_e8, proposal.market)
        case ProposalAction.HOLD:
            return Sized(VerdictCode.HOLD)


def numbered(steps: list[Action]) -> tuple[Action, ...]:
    """The same steps with their ids within the run: "1", "2", ..."""
    return tuple([msgspec.structs.replace(step, action_id=str(place)) for place, step in enumerate(steps, start=1)])


def wanted_micros(proposal: Proposal, equity_micros: int) -> int:
    """What the position is to be worth at most: the share, times the leverage of a perpetual."""
    return equity_micros * proposal.share_ppm * proposal.leverage // PPM


def exits_e8(proposal: Proposal, rules: MarketRules) -> tuple[int | None, int | None]:
    """Stop and target on the market's ticks, rounded away from the price between them."""
    is_long = proposal.side is Direction.LONG
    return (
        _on_tick(proposal.stop_price_e8, rules.tick_e8, up=not is_long),
        _on_tick(proposal.target_price_e8, rules.tick_e8, up=is_long),
    )


def _on_tick(price_e8: int | None, tick_e8: int, *, up: bool) -> int | None:
    if price_e8 is None:
        return None
    return -(-price_e8 // tick_e8) * tick_e8 if up else price_e8 // tick_e8 * tick_e8


def _open(proposal: Proposal, holding: Holding, funds: Funds, rules: MarketRules, mid_e8: int) -> Sized:
    direction = LONG if proposal.side is Direction.LONG else SHORT
    wanted = wanted_micros(proposal, funds.equity_micros)
    if holding.direction != direction:
        return _begin(proposal, holding, funds, rules, mid_e8, wanted)
    added_micros = wanted - holding.value_micros(mid_e8)
    if holding.is_perp:  # What is there may have brought more margin than its value says: at a lower leverage.
        free_margin = funds.equity_micros * proposal.share_ppm // PPM - holding.margin_micros
        added_micros = min(added_micros, free_margin * proposal.leverage)
    exits = _exits(proposal, rules)
    if added_micros <= 0:
        return Sized(VerdictCode.ALLOWED, exits) if exits else Sized(VerdictCode.ALREADY_THERE)
    grown = _grow(proposal, holding, funds, rules, mid_e8, added_micros)
    return msgspec.structs.replace(grown, steps=(*grown.steps, *exits)) if grown.steps else grown


def _begin(proposal: Proposal, holding: Holding, funds: Funds, rules: MarketRules, mid_e8: int, wanted: int) -> Sized:
    """From nothing, or from the other side: that is closed first, by an order that cannot overshoot."""
    grown = _grow(proposal, holding, funds, rules, mid_e8, wanted)
    if not grown.steps or holding.direction == FLAT:
        return grown
    return msgspec.structs.replace(grown, steps=(CloseAction("", proposal.market), *grown.steps))


def _exits(proposal: Proposal, rules: MarketRules) -> tuple[Action, ...]:
    """New exits of a position that is there."""
    stop_e8, target_e8 = exits_e8(proposal, rules)
    if stop_e8 is None and target_e8 is None:
        return ()
    return (ExitsAction("", proposal.market, stop_e8, target_e8),)


def _grow(
    proposal: Proposal, holding: Holding, funds: Funds, rules: MarketRules, mid_e8: int, added_micros: int
) -> Sized:
    """The order that begins a position, with its exits, or adds to one."""
    adds = holding.direction == (LONG if proposal.side is Direction.LONG else SHORT)
    stop_e8, target_e8 = (None, None) if adds else exits_e8(proposal, rules)
    if rules.is_perp:
        return _perp_order(proposal, holding, funds, rules, mid_e8, added_micros, stop_e8, target_e8)
    budget = min(added_micros, funds.cash_micros)
    least = _least_budget(rules, mid_e8)
    if budget < least:
        return Sized(VerdictCode.BELOW_MINIMUM if added_micros < least else VerdictCode.INSUFFICIENT_CASH)
    exits = stop_e8 is not None or target_e8 is not None
    terms = OrderTerms(stop_price_e8=stop_e8, target_price_e8=target_e8) if exits else None
    order = PlaceAction("", proposal.market, Side.BUY, quote_micros=budget, terms=terms)
    return Sized(VerdictCode.ALLOWED, (order,), spent_micros=budget)


def _least_budget(rules: MarketRules, mid_e8: int) -> int:
    """What still buys a large enough order after its fee, and after rounding down to whole lots at the worst price."""
    lot_micros = rules.lot_nanos * mid_e8 * (PPM + rules.max_slippage_ppm) // (NOTIONAL_DIVISOR * PPM) + 1
    return (rules.min_notional_micros + lot_micros) * (PPM + rules.taker_fee_ppm) // PPM + 1


def _perp_order(
    proposal: Proposal,
    holding: Holding,
    funds: Funds,
    rules: MarketRules,
    mid_e8: int,
    added_micros: int,
    stop_e8: int | None,
    target_e8: int | None,
) -> Sized:
    lot, leverage = rules.lot_nanos, proposal.leverage
    side = Side.BUY if proposal.side is Direction.LONG else Side.SELL
    asked = added_micros * NOTIONAL_DIVISOR // mid_e8 // lot * lot
    payable_micros = _payable_micros(funds.cash_micros, rules, leverage)
    if (holding.direction == SHORT) == (side is Side.BUY) and holding.direction != FLAT:
        freed_micros = _freed_micros(holding, rules, mid_e8)
        of_both = _payable_micros(funds.cash_micros + freed_micros, rules, leverage)
        payable_micros = min(of_both, payable_micros + holding.value_micros(mid_e8))
    quantity_nanos = min(asked, payable_micros * NOTIONAL_DIVISOR // mid_e8 // lot * lot)
    if not _is_large_enough(quantity_nanos, rules, mid_e8):
        wanted_enough = _is_large_enough(asked, rules, mid_e8)
        return Sized(VerdictCode.INSUFFICIENT_CASH if wanted_enough else VerdictCode.BELOW_MINIMUM)
    terms = OrderTerms(leverage=leverage, stop_price_e8=stop_e8, target_price_e8=target_e8)
    order = PlaceAction("", proposal.market, side, quantity_nanos=quantity_nanos, terms=terms)
    return Sized(VerdictCode.ALLOWED, (order,), spent_micros=_set_aside_micros(quantity_nanos, rules, mid_e8, leverage))


def _payable_micros(cash_micros: int, rules: MarketRules, leverage: int) -> int:
    """The largest notional whose margin and fee, at a price dearer by the reserve, the cash pays for."""
    free_micros = max(0, cash_micros - ROUNDINGS_MICROS)
    return free_micros * leverage * PPM * PPM // ((PPM + RESERVE_PPM) * (PPM + rules.taker_fee_ppm * leverage))


def _set_aside_micros(quantity_nanos: int, rules: MarketRules, mid_e8: int, leverage: int) -> int:
    notional_micros = quantity_nanos * mid_e8 * (PPM + RESERVE_PPM) // (NOTIONAL_DIVISOR * PPM)
    return notional_micros // leverage + notional_micros * rules.taker_fee_ppm // PPM + ROUNDINGS_MICROS


def _freed_micros(holding: Holding, rules: MarketRules, mid_e8: int) -> int:
    """What closing a perpetual position gives back at least."""
    costs_micros = holding.value_micros(mid_e8) * (rules.max_slippage_ppm + 2 * rules.taker_fee_ppm) // PPM + 1
    return max(0, holding.margin_micros + holding.unrealised_micros(mid_e8) - costs_micros)


def _reduce(proposal: Proposal, holding: Holding, funds: Funds, rules: MarketRules, mid_e8: int) -> Sized:
    """Round what is left down, so that it is within the share; leave nothing behind that could not be closed."""
    if holding.direction == FLAT:
        return Sized(VerdictCode.NOTHING_HELD)
    held, lot = holding.quantity_nanos, rules.lot_nanos
    wanted = wanted_micros(proposal, funds.equity_micros)
    exits = _exits(proposal, rules)
    if holding.value_micros(mid_e8) <= wanted:
        return Sized(VerdictCode.ALLOWED, exits) if exits else Sized(VerdictCode.ALREADY_THERE)
    kept_nanos = wanted * NOTIONAL_DIVISOR // mid_e8
    gone_nanos = -(-(held - kept_nanos) // lot) * lot
    if not _is_large_enough(held - gone_nanos, rules, mid_e8):
        return _close(holding, rules, mid_e8, proposal.market)
    if not _is_large_enough(gone_nanos, rules, mid_e8):
        return Sized(VerdictCode.BELOW_MINIMUM)
    side = Side.SELL if holding.direction == LONG else Side.BUY
    order = PlaceAction("", proposal.market, side, quantity_nanos=gone_nanos, terms=OrderTerms(reduce_only=True))
    return Sized(VerdictCode.ALLOWED, (order, *exits))


def _close(holding: Holding, rules: MarketRules, mid_e8: int, market: Market) -> Sized:
    """A whole perpetual position can be closed whatever its size; so little of spot that no order is, cannot."""
    if holding.direction == FLAT:
        return Sized(VerdictCode.NOTHING_HELD)
    if not holding.is_perp and not _is_large_enough(holding.quantity_nanos, rules, mid_e8):
        return Sized(VerdictCode.BELOW_MINIMUM)
    return Sized(VerdictCode.ALLOWED, (CloseAction("", market),))


def _is_large_enough(quantity_nanos: int, rules: MarketRules, mid_e8: int) -> bool:
    """Whether an order is at least the smallest, at the worst price it may fill at."""
    worst_micros = quantity_nanos * mid_e8 * (PPM - rules.max_slippage_ppm) // (NOTIONAL_DIVISOR * PPM)
    return quantity_nanos > 0 and worst_micros >= rules.min_notional_micros
