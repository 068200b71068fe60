"""What is wrong with a strategy: every problem with its place, not the first."""

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
