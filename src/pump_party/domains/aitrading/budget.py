"""What thinking may cost in a UTC day: for a clone, for all clones of an owner, for everybody. Pure."""

from collections.abc import Sequence

import msgspec

from pump_party.domains.aitrading.records import Call

MICROS_PER_CENT = 10_000
PLATFORM = "platform"
OWNER = "owner"
CLONE = "clone"


class Budget(msgspec.Struct, frozen=True):
    """Tokens and micros of USD a day. What has no known price counts in tokens alone."""

    tokens: int
    micros: int


class BudgetLimits(msgspec.Struct, frozen=True):
    clone: Budget
    owner: Budget
    platform: Budget

    def of(self, scope: str) -> Budget:
        return {CLONE: self.clone, OWNER: self.owner, PLATFORM: self.platform}[scope]


class Spent(msgspec.Struct, frozen=True):
    """Used up or reserved."""

    tokens: int = 0
    micros: int = 0

    def with_call(self, call: Call) -> "Spent":
        return Spent(self.tokens + call.tokens, self.micros + (call.micros or 0))

    def without_call(self, call: Call) -> "Spent":
        return Spent(self.tokens - call.tokens, self.micros - (call.micros or 0))

    def allows(self, call: Call, budget: Budget) -> bool:
        after = self.with_call(call)
        return after.tokens <= budget.tokens and after.micros <= budget.micros


def accounts_of(call: Call) -> Sequence[tuple[str, str]]:
    """The budgets a call is charged to, as (scope, subject), in the order in which they are locked."""
    return ((PLATFORM, ""), (OWNER, call.user_id), (CLONE, call.clone_id))
