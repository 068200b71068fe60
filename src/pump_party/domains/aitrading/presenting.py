"""Runs as their owner and as everybody sees them, and the event that tells of them. Pure."""

from collections.abc import Sequence

import msgspec

from pump_party.domains.aitrading.model import Proposal, ProposalAction, Verdict
from pump_party.domains.aitrading.records import Call, Deployment, Run
from pump_party.domains.aitrading.run_views import (
    DeploymentState,
    DeploymentView,
    OwnerDecisionView,
    OwnerRunView,
    PublicDecisionView,
    PublicDeploymentView,
    PublicRunView,
    RunUsageView,
)
from pump_party.domains.aitrading.slots import next_slot_ms
from pump_party.domains.aitrading.unreadable import DECISION
from pump_party.domains.prop_interface.contract import AccountStatus
from pump_party.events.aitrading import DecisionFinished, DeploymentChanged
from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM
from pump_party.platform.bus import CLONE_CHANNEL
from pump_party.platform.outbox import OutboxMessage

_encode = msgspec.json.Encoder().encode
_PERCENT = PPM // 100


def announce(run: Run, calls: Sequence[Call]) -> OutboxMessage:
    """The event, without its number, of a run that is sealed."""
    at_ms = run.finished_ms or run.claimed_ms
    event = DecisionFinished(
        run.run_id,
        run.clone_id,
        run.user_id,
        msgspec.Raw(_encode(public_run(run))),
        msgspec.Raw(_encode(owner_run(run, calls))),
        at_ms,
    )
    return OutboxMessage(CLONE_CHANNEL, run.clone_id, 0, event.KIND, msgspec.Raw(_encode(event)), at_ms)


def public_run(run: Run) -> PublicRunView:
    """No reason, no detail, no hash: what may be told is made of the fields that are public anyway."""
    return PublicRunView(
        run.run_id,
        run.clone_id,
        run.slot_ms,
        run.state,
        run.code,
        run.finished_ms,
        tuple(
            PublicDecisionView(
                one.market, one.action, one.side, one.share_ppm, one.leverage, verdict.code, line(one, verdict)
            )
            for one, verdict in zip(run.body.proposals, run.body.verdicts, strict=True)
        ),
    )


def owner_run(run: Run, calls: Sequence[Call], *, unreadable: bool = False) -> OwnerRunView:
    """`unreadable` is a run that is still sealed because it cannot be opened."""
    body = run.body
    return OwnerRunView(
        run.run_id,
        run.clone_id,
        run.version,
        run.version_id,
        run.slot_ms,
        run.deadline_ms,
        run.state,
        run.code,
        run.detail or _refusal(run) or (DECISION if unreadable else None),
        run.finished_ms,
        tuple(
            OwnerDecisionView(
                one,
                verdict,
                line(one, verdict),
                tuple(order_id for market, order_id in body.orders if market == one.market),
            )
            for one, verdict in zip(body.proposals, body.verdicts, strict=True)
        ),
        run.snapshot_sha256,
        run.context_sha256,
        run.prompt_sha256,
        run.answer_sha256,
        usage(calls),
        unreadable,
    )


def _refusal(run: Run) -> str | None:
    """What the gates said of a run that they rejected."""
    told = (verdict.detail for verdict in run.body.verdicts if verdict.code.value == run.code)
    return next(told, None) or None


def usage(calls: Sequence[Call]) -> RunUsageView | None:
    """The sum of a run's calls, which all went to one model. One of unknown price makes the sum unknown."""
    if not calls:
        return None
    known = [call.micros for call in calls if call.micros is not None]
    return RunUsageView(
        model=calls[0].model,
        calls=sum(call.attempts for call in calls),
        tokens_in=sum(call.tokens_in for call in calls),
        tokens_out=sum(call.tokens_out for call in calls),
        cost_micros=sum(known) if len(known) == len(calls) else None,
        price_table=calls[0].price_table,
        latency_ms=max(call.latency_ms for call in calls),
    )


def line(one: Proposal, verdict: Verdict) -> str:
    """One sentence from a fixed template."""
    size = f"{one.share_ppm // _PERCENT}.{one.share_ppm % _PERCENT * 100 // _PERCENT:02d} % of equity"
    match one.action:
        case ProposalAction.OPEN:
            side = "" if one.side is None else f" {one.side.value}"
            what = f"Open{side} {one.market}: {size}, {one.leverage}x"
        case ProposalAction.REDUCE:
            what = f"Reduce {one.market} to {size}"
        case ProposalAction.CLOSE:
            what = f"Close {one.market}"
        case _:
            return f"Hold {one.market}"
    return what if verdict.allowed else f"{what} ({verdict.code.value})"


def announce_deployment(deployment: Deployment, *, at_ms: int) -> OutboxMessage:
    """The event, without its number, of a deployment that is new or has another state."""
    event = DeploymentChanged(
        deployment.clone_id,
        deployment.account_id,
        deployment.state.value,
        deployment.version,
        deployment.cadence_s,
        at_ms,
    )
    return OutboxMessage(CLONE_CHANNEL, deployment.clone_id, 0, event.KIND, msgspec.Raw(_encode(event)), at_ms)


def deployment_view(
    deployment: Deployment, status: AccountStatus, *, now_ms: int, unwatched: tuple[Market, ...]
) -> DeploymentView:
    return DeploymentView(
        deployment.deployment_id,
        deployment.clone_id,
        deployment.account_id,
        deployment.rule_set,
        deployment.state,
        status,
        deployment.version,
        deployment.version_id,
        deployment.cadence_s,
        _next(deployment, now_ms),
        deployment.started_ms,
        unwatched,
    )


def public_deployment(deployment: Deployment, status: AccountStatus, *, now_ms: int) -> PublicDeploymentView:
    return PublicDeploymentView(
        deployment.clone_id,
        deployment.state,
        status,
        deployment.version,
        deployment.cadence_s,
        _next(deployment, now_ms),
        deployment.started_ms,
    )


def _next(deployment: Deployment, now_ms: int) -> int | None:
    return next_slot_ms(now_ms, deployment.cadence_s) if deployment.state is DeploymentState.RUNNING else None
