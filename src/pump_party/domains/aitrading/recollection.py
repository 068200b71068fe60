"""What a clone remembers of its own decisions, live and in backtests: the last ones, and conditions in force. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pump_party.domains.aitrading.holding import FLAT, holding_of
from pump_party.domains.aitrading.model import (
    PAST_DECISIONS_MAX,
    OpenInvalidation,
    PastDecision,
    Proposal,
    ProposalAction,
    Verdict,
)
from pump_party.domains.prop_interface.contract import AccountView, ActionOutcome, OrderStatus
from pump_party.kernel.ids import Market

Kept = TypeVar("Kept")


def past_after(
    past: Sequence[PastDecision],
    proposals: Sequence[Proposal],
    verdicts: Sequence[Verdict],
    *,
    slot_ms: int,
    mids_e8: Mapping[Market, int],
) -> tuple[PastDecision, ...]:
    """Newest first; of one run the last proposal comes first."""
    newer = [
        PastDecision(
            slot_ms,
            one.market,
            one.action,
            one.side,
            one.share_ppm,
            one.leverage,
            mids_e8.get(one.market),
            verdict.code.value,
        )
        for one, verdict in zip(proposals, verdicts, strict=True)
    ]
    return (*reversed(newer), *past)[:PAST_DECISIONS_MAX]


def conditions_after(
    conditions: Sequence[OpenInvalidation], proposals: Sequence[Proposal], verdicts: Sequence[Verdict]
) -> tuple[OpenInvalidation, ...]:
    brought = {
        one.market: OpenInvalidation(one.market, one.invalidation) for one in proposals if one.invalidation is not None
    }
    return kept_after({held.market: held for held in conditions}, proposals, verdicts, brought)


def kept_after(
    conditions: Mapping[Market, Kept],
    proposals: Sequence[Proposal],
    verdicts: Sequence[Verdict],
    brought: Mapping[Market, Kept],
) -> tuple[Kept, ...]:
    """An open that goes through brings its own condition, also none; a close takes it away. In whatever form."""
    kept = dict(conditions)
    for one, verdict in zip(proposals, verdicts, strict=True):
        if not verdict.allowed or one.action not in (ProposalAction.OPEN, ProposalAction.CLOSE):
            continue
        kept.pop(one.market, None)
        if one.action is ProposalAction.OPEN and one.market in brought:
            kept[one.market] = brought[one.market]
    return tuple(kept[market] for market in sorted(kept))


def is_executed(outcomes: Sequence[ActionOutcome]) -> bool:
    """Whether the engine took any of the orders."""
    return any(order.status is not OrderStatus.REJECTED for done in outcomes for order in done.orders)


def in_force(
    conditions: Sequence[OpenInvalidation], account: AccountView, waiting: frozenset[Market]
) -> tuple[OpenInvalidation, ...]:
    """Those whose position is still there, or may come with an order that waits in its market."""
    return tuple(held for held in conditions if is_in_force(held.market, account, waiting))


def is_in_force(market: Market, account: AccountView, waiting: frozenset[Market]) -> bool:
    return market in waiting or holding_of(account, market).direction != FLAT
