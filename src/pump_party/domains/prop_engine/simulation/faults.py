"""What goes wrong, and where: at most one fault a step, planned beforehand."""

from collections import Counter
from collections.abc import Callable

import msgspec

from pump_party.kernel.dice import Dice
from pump_party.kernel.errors import Unavailable

BEFORE_LOAD, BEFORE_WRITE, BEFORE_COMMIT, AFTER_COMMIT = "before_load", "before_write", "before_commit", "after_commit"
"""Where a store can be stopped: nothing read yet; decided; all rows written; durable but not answered."""


class Crash(BaseException):
    """The process ended here. Nobody may catch it but the simulation."""


class _Fault(msgspec.Struct, frozen=True):
    name: str
    at: str
    act: Callable[[], None]


class Faults:
    """What a store tells its steps to."""

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self._fault: _Fault | None = None
        self._passes = 0

    def plan(self, dice: Dice, *, race: Callable[[], None]) -> str:
        """Choose a fault for what comes next. `race` is what somebody else does between a decision and its writing."""
        self._passes = dice.weighted(((4, 0), (2, 1), (1, dice.between(2, 6))))
        step = dice.pick((BEFORE_LOAD, BEFORE_WRITE, BEFORE_COMMIT, AFTER_COMMIT))
        fault = dice.weighted(
            (
                (5, _Fault("crash", step, _crash)),
                (2, _Fault("away", dice.pick((BEFORE_LOAD, BEFORE_WRITE, BEFORE_COMMIT)), _away)),
                (3, _Fault("race", BEFORE_WRITE, race)),
            )
        )
        self._fault = fault
        return f"{fault.name} {fault.at} #{self._passes + 1}"

    def clear(self) -> None:
        self._fault = None

    def reached(self, step: str) -> None:
        fault = self._fault
        if fault is None or fault.at != step:
            return
        if self._passes:
            self._passes -= 1
            return
        self._fault = None
        self.happened[f"{fault.name} {fault.at}"] += 1
        fault.act()


def _crash() -> None:
    raise Crash


def _away() -> None:
    raise Unavailable("the simulated database does not answer", code="database_unavailable")
