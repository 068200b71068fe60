"""One clone among many whose sealed things cannot be opened: found, told, and no hindrance to the others."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pump_party.domains.aitrading.run_views import FailureCode
from pump_party.domains.clones.contract import Unreadable
from pump_party.kernel.errors import Refusal, Unavailable
from pump_party.kernel.ids import CloneId, Market
from pump_party.platform.logging import get_logger
from pump_party.platform.metrics import Metrics

STRATEGY = (
    "its strategy cannot be opened: damaged, or its key is missing. Ask the operator for the key or a backup, "
    "or publish it again, then pause and resume"
)
EVIDENCE = (
    "what it decides cannot be sealed or read again: damaged, or the clone's key is. Ask the operator for the key or "
    "a backup; a new clone has a key of its own"
)
DECISION = (
    "reasons, exits and conditions of this decision cannot be opened: damaged, or their key is missing. Ask the "
    "operator for the key or a backup"
)


class StrategyUnreadable(Unreadable):
    """The strategy of a version that is to run cannot be opened."""

    code = "strategy_unreadable"

    def __init__(self, *, reason: str) -> None:
        super().__init__(STRATEGY, reason=reason)


Item = TypeVar("Item")
Result = TypeVar("Result")

log = get_logger("decisions")


def concerns_one(refusal: Refusal) -> bool:
    """Whether it is about this one alone. Else something that all need is away: wait and try again."""
    return isinstance(refusal, Unreadable) or not isinstance(refusal, Unavailable)


def sift(items: Sequence[Item], do: Callable[[Sequence[Item]], Sequence[Result]]) -> list[Result | Refusal]:
    """One result for each, all done in one go; only when that is refused, by halves, until those refused are alone.

    `do` must bear to be repeated. Raises Unavailable where something is away that all need.
    """
    if not items:
        return []
    try:
        return list(do(items))
    except Refusal as refusal:
        if not concerns_one(refusal):
            raise
        if len(items) == 1:
            return [refusal]
    middle = len(items) // 2
    return [*sift(items[:middle], do), *sift(items[middle:], do)]


def conditions_detail(markets: Sequence[Market]) -> str:
    """What a run says that failed for conditions in these markets, and what its owner can do."""
    named = markets[0] if len(markets) == 1 else f"{markets[0]} and {len(markets) - 1} more"
    return (
        f"the condition on its position in {named} cannot be opened and is not watched: close the position as a "
        "program outside may, or stop the clone and deploy it again"
    )


class Told:
    """Tells operators of clones whose sealed conditions cannot be opened, of each once until it is mended."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: frozenset[CloneId] = frozenset()

    def tell(self, broken: Sequence[CloneId]) -> None:
        """These, and no others."""
        for clone_id in sorted(frozenset(broken) - self._told):
            self._metrics.sealed_unreadable("conditions")
            log.warning("sealed_unreadable", clone_id=clone_id, code=FailureCode.CONDITIONS_UNREADABLE.value)
        self._told = frozenset(broken)
