"""What apps and other domains may ask of AI trading. The words of a decision are named from here, too.

What the public may see and what the owner may see are different types: no public type has a private field.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pump_party.domains.aitrading.commands import PROPOSALS_MAX as PROPOSALS_MAX
from pump_party.domains.aitrading.commands import DeployClone as DeployClone
from pump_party.domains.aitrading.commands import DryRun as DryRun
from pump_party.domains.aitrading.commands import Replay as Replay
from pump_party.domains.aitrading.commands import SubmitProposals as SubmitProposals
from pump_party.domains.aitrading.conditions import CONDITION_MINUTE_MS as CONDITION_MINUTE_MS
from pump_party.domains.aitrading.conditions import condition_features as condition_features
from pump_party.domains.aitrading.conditions import features_of as features_of
from pump_party.domains.aitrading.conditions import is_true_of_tick as is_true_of_tick
from pump_party.domains.aitrading.conditions import may_hold_within as may_hold_within
from pump_party.domains.aitrading.model import ACTIONS_PER_DAY_MAX as ACTIONS_PER_DAY_MAX
from pump_party.domains.aitrading.model import PAST_DECISIONS_MAX as PAST_DECISIONS_MAX
from pump_party.domains.aitrading.model import REASON_CHARS_MAX as REASON_CHARS_MAX
from pump_party.domains.aitrading.model import Context as Context
from pump_party.domains.aitrading.model import Decided as Decided
from pump_party.domains.aitrading.model import Direction as Direction
from pump_party.domains.aitrading.model import Invalidation as Invalidation
from pump_party.domains.aitrading.model import Limits as Limits
from pump_party.domains.aitrading.model import LookAhead as LookAhead
from pump_party.domains.aitrading.model import ModelReply as ModelReply
from pump_party.domains.aitrading.model import OpenInvalidation as OpenInvalidation
from pump_party.domains.aitrading.model import PastDecision as PastDecision
from pump_party.domains.aitrading.model import Plan as Plan
from pump_party.domains.aitrading.model import PlannedPath as PlannedPath
from pump_party.domains.aitrading.model import Proposal as Proposal
from pump_party.domains.aitrading.model import ProposalAction as ProposalAction
from pump_party.domains.aitrading.model import Question as Question
from pump_party.domains.aitrading.model import Read as Read
from pump_party.domains.aitrading.model import Seen as Seen
from pump_party.domains.aitrading.model import Slot as Slot
from pump_party.domains.aitrading.model import Unusable as Unusable
from pump_party.domains.aitrading.model import UnusableCode as UnusableCode
from pump_party.domains.aitrading.model import Verdict as Verdict
from pump_party.domains.aitrading.model import VerdictCode as VerdictCode
from pump_party.domains.aitrading.recollection import conditions_after as conditions_after
from pump_party.domains.aitrading.recollection import in_force as in_force
from pump_party.domains.aitrading.recollection import is_executed as is_executed
from pump_party.domains.aitrading.run_views import ArtifactKind as ArtifactKind
from pump_party.domains.aitrading.run_views import ArtifactView as ArtifactView
from pump_party.domains.aitrading.run_views import CounterfactualView as CounterfactualView
from pump_party.domains.aitrading.run_views import DeploymentState as DeploymentState
from pump_party.domains.aitrading.run_views import DeploymentView as DeploymentView
from pump_party.domains.aitrading.run_views import DryRunView as DryRunView
from pump_party.domains.aitrading.run_views import FailureCode as FailureCode
from pump_party.domains.aitrading.run_views import ModelUsageView as ModelUsageView
from pump_party.domains.aitrading.run_views import OutsideRunView as OutsideRunView
from pump_party.domains.aitrading.run_views import OwnerDecisionView as OwnerDecisionView
from pump_party.domains.aitrading.run_views import OwnerRunView as OwnerRunView
from pump_party.domains.aitrading.run_views import PublicDecisionView as PublicDecisionView
from pump_party.domains.aitrading.run_views import PublicDeploymentView as PublicDeploymentView
from pump_party.domains.aitrading.run_views import PublicRunView as PublicRunView
from pump_party.domains.aitrading.run_views import ReplayView as ReplayView
from pump_party.domains.aitrading.run_views import RunPage as RunPage
from pump_party.domains.aitrading.run_views import RunState as RunState
from pump_party.domains.aitrading.run_views import RunUsageView as RunUsageView
from pump_party.domains.aitrading.run_views import RunView as RunView
from pump_party.domains.aitrading.run_views import UsageView as UsageView
from pump_party.domains.clones.contract import Strategy
from pump_party.kernel.ids import AccountId, CloneId, UserId


class Decider(Protocol):
    """How a strategy decides: pure, synchronous, and one and the same object live and in backtests."""

    def plan(self, strategy: Strategy) -> Plan:
        """Make a valid strategy ready to decide with. Do it once per version."""
        ...

    def decide(self, plan: Plan, seen: Seen, *, with_context: bool = True) -> Decided:
        """Decide by rules alone. A strategy with a prompt goes through `questions`, `read` and `conclude` instead.

        Raises LookAhead when anything seen is newer than the slot allows.
        """
        ...

    def context(self, plan: Plan, seen: Seen) -> Context:
        """What this decision sees, in canonical bytes. Raises LookAhead."""
        ...

    def questions(self, plan: Plan, seen: Seen, *, budget_tokens: int) -> Sequence[Question]:
        """What to ask a model, one question per prompt block that has a price in any of its markets.

        Raises LookAhead, and Invalid (prompt_over_budget) when even without candles a prompt is too long.
        """
        ...

    def read(self, question: Question, answer: str) -> tuple[Proposal, ...] | Unusable:
        """One proposal per market of the question, or why the answer is none. Never repaired."""
        ...

    def rule_proposals(self, plan: Plan, seen: Seen) -> tuple[Proposal, ...]:
        """What the rule blocks of the strategy want."""
        ...

    def conclude(self, plan: Plan, seen: Seen, proposals: Sequence[Proposal], *, with_context: bool = True) -> Decided:
        """Gate and size proposals, wherever they come from: at the newest account and quotes, not those asked about."""
        ...

    def seen_in(self, context: bytes) -> Seen:
        """What a recorded context saw, to decide it again. Raises Invalid (bad_context)."""
        ...

    def due(self, conditions: Sequence[OpenInvalidation], seen: Seen) -> Sequence[Proposal]:
        """A `close` for every position whose condition has come true."""
        ...


class Inquirer(Protocol):
    """Asks models what no clone trades by. Synchronous and safe to call from threads."""

    def offered(self) -> Sequence[str]:
        """The models that strategies may name."""
        ...

    def inquire(
        self, user_id: UserId, clone_id: CloneId, *, model: str, questions: Sequence[Question]
    ) -> Sequence[ModelReply]:
        """Really ask, all at once, and pay from the budgets of clone, owner and platform; replies in order.

        Raises Invalid (model_not_offered), Conflict (budget_exhausted): then nothing was asked. Raises Unavailable.
        """
        ...


class AITrading(Protocol):
    """Clones that trade by themselves. Synchronous and safe to call from threads.

    A method that takes a `user_id` alone raises NotFound for what is not this user's. One that takes a `viewer` answers
    the owner with the owner's form and everybody else, also None, with the public one.
    """

    def deploy(self, command: DeployClone) -> DeploymentView:
        """Open an account for the clone's newest version and run it from the next slot. The same key again returns the
        first answer. Raises NotFound (clone_not_found), Conflict (not_published, already_deployed).
        """
        ...

    def pause(self, user_id: UserId, clone_id: str) -> DeploymentView:
        """Decide no more until resumed; waiting orders and exits stay. Raises Conflict (not_running)."""
        ...

    def resume(self, user_id: UserId, clone_id: str) -> DeploymentView:
        """Go on with the next slot, with the newest version. Raises Conflict (not_paused)."""
        ...

    def stop(self, user_id: UserId, clone_id: str) -> DeploymentView:
        """End the deployment for good. What it holds stays with the account. Stopping twice is one stop."""
        ...

    def deployment(self, clone_id: str, *, viewer: UserId | None) -> DeploymentView | PublicDeploymentView:
        """The newest deployment. Raises NotFound (clone_not_found, not_deployed)."""
        ...

    def deployments(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, PublicDeploymentView]:
        """The newest deployment of each, as everybody sees it. Clones that never traded are absent."""
        ...

    def own_deployments(self, user_id: UserId, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, DeploymentView]:
        """The same as the owner sees it, of those that are this user's."""
        ...

    def accounts(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, AccountId]:
        """The account that each clone traded last. Asks nobody's leave: never to be shown but to its owner."""
        ...

    def decisions(self, clone_id: str, *, viewer: UserId | None, cursor: str | None, limit: int) -> RunPage:
        """Newest first. Raises NotFound, Invalid (bad_cursor, bad_limit)."""
        ...

    def decision(self, run_id: str, *, viewer: UserId | None) -> RunView:
        """Raises NotFound (run_not_found)."""
        ...

    def artifact(self, user_id: UserId, run_id: str, kind: ArtifactKind) -> ArtifactView:
        """Raises NotFound (run_not_found, artifact_not_found), Unavailable."""
        ...

    def dry_run(self, command: DryRun) -> DryRunView:
        """Decide once without trading; a model is really asked and really paid.

        Raises NotFound, Invalid (invalid_strategy, market_not_in_strategy), Conflict (budget_exhausted), Unavailable.
        """
        ...

    def submit_actions(self, command: SubmitProposals) -> OutsideRunView:
        """Do what an outside brain decided, through the same gates.

        Raises NotFound, Conflict (not_running), Invalid.
        """
        ...

    def replay(self, command: Replay) -> ReplayView:
        """Decide a recorded run again with another model, prompt or rule. Changes nothing.

        Raises NotFound (run_not_found, artifact_not_found), Invalid, Conflict (budget_exhausted), Unavailable.
        """
        ...

    def usage(self, user_id: UserId, clone_id: str) -> UsageView: ...

    def models(self) -> Sequence[str]:
        """The models that strategies and replays may name, as "provider:model"."""
        ...


class Showcase(Protocol):
    """What everybody may see of all clones together. Synchronous and safe to call from threads."""

    def trading_accounts(self) -> tuple[Mapping[AccountId, CloneId], bool]:
        """The account of every clone that trades or pauses, and whether these are all. For boards: which account a
        clone trades is never shown.
        """
        ...

    def latest_decisions(self, *, cursor: str | None, limit: int) -> RunPage:
        """What clones decided, newest slot first, in the public form. Raises Invalid (bad_cursor, bad_limit)."""
        ...
