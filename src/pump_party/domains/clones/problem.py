"""A place in a strategy and what is wrong with it."""

import msgspec

from pump_party.domains.clones.strategy import Strategy


class Problem(msgspec.Struct, frozen=True):
    """`path` is the place in the JSON, such as "nodes[2].clauses[0].when"; `node_id` the block, None for the graph."""

    path: str
    node_id: str | None
    code: str
    message: str


class Validation(msgspec.Struct, frozen=True):
    """`strategy` is None when there is a problem."""

    strategy: Strategy | None
    problems: tuple[Problem, ...]


class Findings:
    """Gathers the problems of one block. `at` is a path within the block, "" for the block itself."""

    def __init__(self, path: str, node_id: str | None, found: list[Problem]) -> None:
        self._path = path
        self._node_id = node_id
        self._found = found

    def add(self, at: str, code: str, message: str) -> None:
        path = f"{self._path}.{at}" if self._path and at else self._path or at
        self._found.append(Problem(path, self._node_id, code, message))

    def within(self, at: str, value: int, *, low: int, high: int, code: str = "out_of_range") -> None:
        """Note a number outside of its bounds."""
        if not low <= value <= high:
            self.add(at, code, f"must be {low} to {high}, not {value}")
