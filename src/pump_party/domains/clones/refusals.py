"""Refusals that carry more than a text: what would have to be looked at before trying again."""

from collections.abc import Sequence

from pump_party.domains.clones.diff import StrategyDiff
from pump_party.domains.clones.problem import Problem
from pump_party.domains.clones.views import VersionSummary
from pump_party.kernel.errors import Conflict, Invalid


class VersionConflict(Conflict):
    """The base is not the newest version. `diff` is what publishing would change of the newest."""

    code = "version_conflict"

    def __init__(self, current: VersionSummary, diff: StrategyDiff) -> None:
        super().__init__(f"version {current.number} was published meanwhile", field="base_version")
        self.current = current
        self.diff = diff


class InvalidStrategy(Invalid):
    """A strategy that cannot run, with every reason."""

    code = "invalid_strategy"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"the strategy has {len(problems)} problem(s): {problems[0].message}", field="strategy")
        self.problems = tuple(problems)


class DraftConflict(Conflict):
    """The draft was saved by somebody else, such as another tab, since it was read."""

    code = "draft_conflict"

    def __init__(self, revision: int) -> None:
        super().__init__(f"the draft is at revision {revision}: read it before saving", field="revision")
        self.revision = revision
