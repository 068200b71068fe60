"""What may be asked of AI trading."""

import msgspec

from pump_party.domains.aitrading.model import Proposal
from pump_party.domains.clones.contract import RuleNode, Strategy
from pump_party.kernel.ids import CloneId, Market, RunId, UserId

PROPOSALS_MAX = 6
"""Of one decision from outside: a clone has no more markets."""


class DeployClone(msgspec.Struct, frozen=True):
    """Let a clone trade an account of its own with its newest version. `rule_set` None takes the default of clones."""

    user_id: UserId
    clone_id: CloneId
    idempotency_key: str
    rule_set: str | None = None


class SubmitProposals(msgspec.Struct, frozen=True):
    """What an outside program decided for a clone it is the brain of: the same gates, limits and evidence as its own.

    `run_key` is the caller's name for the run, once per clone: repeating it returns the first outcome.
    """

    user_id: UserId
    clone_id: CloneId
    run_key: str
    proposals: tuple[Proposal, ...]


class DryRun(msgspec.Struct, frozen=True):
    """Decide once, for one market, without trading. `strategy` None takes the clone's newest version."""

    user_id: UserId
    clone_id: CloneId
    market: Market
    strategy: Strategy | None = None


class Replay(msgspec.Struct, frozen=True):
    """Decide a recorded run's context again, by something else than what decided then: by a rule, or by another model,
    other words, or other words to another model.
    """

    user_id: UserId
    run_id: RunId
    model: str | None = None
    prompt: str | None = None
    rule: RuleNode | None = None
