"""The strategy of a clone: a small typed graph, and the bytes that stand for it.

`data_stream -> asset -> (trading_prompt | rule) -> trading_clone`. Where blocks lie on a canvas is no part of it.
What is private hides itself in logs and traces: its `repr` counts and does not quote.
"""

import hashlib
from typing import Annotated, Any, Literal

import msgspec

from pump_party.domains.clones.rule import LEVERAGE_MAX, PPM_MAX, Clause, ranged
from pump_party.domains.marketdata.contract import CandleInterval, Feature
from pump_party.kernel.ids import Market

SCHEMA = "strategy/1"
NODES_MAX = 32
EDGES_MAX = 64
FEATURES_PER_STREAM_MAX = 24
FEATURES_PER_PATH_MAX = 64
"""With those of the rule: as many as one read of market memory gives for a market."""
CANDLES_PER_STREAM_MAX = 100
MARKETS_PER_ASSET_MAX = 6
MARKETS_MAX = 6
PROMPT_CHARS_MAX = 8_000
MODEL_CHARS_MAX = 120
CADENCES_S = (60, 300, 900, 3_600, 14_400)
STRATEGY_BYTES_MAX = 48 * 1024
"""Of the canonical JSON. With its layout and envelope a strategy must fit a request."""

NodeId = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[a-z0-9_]{1,24}$"})]


class DataStreamNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="data_stream"):
    """What a decision sees of its markets: features, and the newest complete candles of one interval."""

    id: NodeId
    interval: CandleInterval
    candles: Annotated[int, ranged(0, CANDLES_PER_STREAM_MAX, "candles shown to the decision")] = 0
    features: tuple[Feature, ...] = ()


class AssetNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="asset"):
    id: NodeId
    markets: tuple[Market, ...]


class PromptNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="trading_prompt"):
    """The owner's words to a language model. Private."""

    id: NodeId
    text: str

    def __repr__(self) -> str:
        return f"PromptNode({self.id}, {len(self.text)} characters)"


class RuleNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rule"):
    """Decides without a model: the first clause that holds, else hold."""

    id: NodeId
    clauses: tuple[Clause, ...]

    def __repr__(self) -> str:
        return f"RuleNode({self.id}, {len(self.clauses)} clauses)"


class CloneNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="trading_clone"):
    """Runtime controls. `max_position_ppm` is the most equity in one market, of a perpetual the most margin.

    `model` is "provider:model" and is needed by prompts only.
    """

    id: NodeId
    cadence_s: Annotated[int, msgspec.Meta(extra_json_schema={"enum": list(CADENCES_S)})]
    max_leverage: Annotated[int, ranged(1, LEVERAGE_MAX, "of any order")] = 1
    max_position_ppm: Annotated[int, ranged(1, PPM_MAX, "share of equity in one market")] = PPM_MAX
    model: str | None = None


Node = DataStreamNode | AssetNode | PromptNode | RuleNode | CloneNode


class Edge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    source: str
    target: str


class Strategy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["strategy/1"]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def __repr__(self) -> str:
        return f"Strategy({len(self.nodes)} blocks, {len(self.edges)} edges)"


class StrategyPath(msgspec.Struct, frozen=True):
    """One way through a valid strategy: what is seen, where, and who decides."""

    stream: DataStreamNode
    asset: AssetNode
    decider: PromptNode | RuleNode
    clone: CloneNode


def canonical(strategy: Strategy) -> bytes:
    """The same bytes for the same graph, in whatever order its nodes and edges were drawn."""
    ordered = msgspec.structs.replace(
        strategy,
        nodes=tuple(sorted(strategy.nodes, key=lambda node: node.id)),
        edges=tuple(sorted(strategy.edges)),
    )
    return msgspec.json.encode(ordered, order="sorted")


def content_sha256(strategy: Strategy) -> str:
    """Hex of the hash that a version carries."""
    return hashlib.sha256(canonical(strategy)).hexdigest()


def clone_node(strategy: Strategy) -> CloneNode:
    """The runtime controls of a valid strategy."""
    return next(node for node in strategy.nodes if isinstance(node, CloneNode))


def paths(strategy: Strategy) -> tuple[StrategyPath, ...]:
    """Every way through a valid strategy, by the ids of its asset and its decider. A market is on one of them."""
    nodes = {node.id: node for node in strategy.nodes}
    sources: dict[str, list[Any]] = {}
    for edge in sorted(strategy.edges):
        sources.setdefault(edge.target, []).append(nodes[edge.source])
    clone = clone_node(strategy)
    return tuple(
        StrategyPath(stream, asset, decider, clone)
        for decider in sources.get(clone.id, [])
        for asset in sources.get(decider.id, [])
        for stream in sources.get(asset.id, [])
    )


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a strategy, as it is published. Validation knows more: units, paths, markets."""
    schema = _tidy(msgspec.json.schema(Strategy))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}


def _tidy(schema: Any) -> Any:
    """Descriptions come from docstrings, which are indented and broken into lines."""
    if isinstance(schema, dict):
        return {
            name: " ".join(value.split()) if name == "description" and isinstance(value, str) else _tidy(value)
            for name, value in schema.items()
        }
    return [_tidy(value) for value in schema] if isinstance(schema, list) else schema
