"""What is wrong with a strategy: every problem with its place, not the first.

Three rounds: is it a graph at all, is each block sound, do the blocks make complete paths.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from pump_party.domains.clones import strategy as words
from pump_party.domains.clones.problem import Findings, Problem, Validation
from pump_party.domains.clones.problem import ProblemCode as Code
from pump_party.domains.clones.rule import LEVERAGE_MAX, PPM_MAX, Target
from pump_party.domains.clones.rule_check import check_clauses, features_of
from pump_party.domains.clones.strategy import (
    AssetNode,
    CloneNode,
    DataStreamNode,
    Edge,
    Node,
    PromptNode,
    RuleNode,
    Strategy,
)
from pump_party.domains.marketdata.contract import MarketKind, feature_problem
from pump_party.kernel.ids import Market
from pump_party.kernel.json_depth import is_nested_beyond

MarketKinds = Mapping[Market, MarketKind]

PROBLEMS_MAX = 200
"""Most problems of one answer: a graph made of mistakes must not make an answer without end."""

JSON_DEPTH_MAX = 32
"""Deeper than any rule within its limits."""

NODE_ID = re.compile(r"[a-z0-9_]{1,24}", re.ASCII)
_MODEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}:[A-Za-z0-9][\w./:@+-]{0,99}", re.ASCII)
_INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_FOLLOWS: Mapping[type[Node], tuple[type[Node], ...]] = {
    DataStreamNode: (AssetNode,),
    AssetNode: (PromptNode, RuleNode),
    PromptNode: (CloneNode,),
    RuleNode: (CloneNode,),
    CloneNode: (),
}
_NAMES: Mapping[type[Node], str] = {
    DataStreamNode: "a data stream",
    AssetNode: "an asset block",
    PromptNode: "a trading prompt",
    RuleNode: "a rule",
    CloneNode: "the trading clone",
}


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["strategy/1"]
    nodes: tuple[msgspec.Raw, ...]
    edges: tuple[msgspec.Raw, ...]


T = TypeVar("T")

UNKNOWN_FIELD = "Object contains unknown field"
"""How msgspec begins to say it."""


def read(content: bytes, known: MarketKinds) -> Validation:
    """Read a strategy from JSON and check it. `known` are the markets there are."""
    found: list[Problem] = []
    envelope = _decode_envelope(content, found)
    if envelope is None:
        return Validation(None, tuple(found))
    if len(envelope.nodes) > words.NODES_MAX or len(envelope.edges) > words.EDGES_MAX:
        _too_large(found)
        return Validation(None, tuple(found))
    nodes = [_decode(raw, Node, Findings(f"nodes[{i}]", _id_of(raw), found)) for i, raw in enumerate(envelope.nodes)]
    edges = [_decode(raw, Edge, Findings(f"edges[{i}]", None, found)) for i, raw in enumerate(envelope.edges)]
    if found:
        # What can be read is checked block by block; the graph only when all of it can be read.
        for index, node in enumerate(nodes):
            if node is not None:
                _check_node(node, Findings(f"nodes[{index}]", node.id, found), known)
        return Validation(None, tuple(found[:PROBLEMS_MAX]))
    read_whole = Strategy(
        schema=envelope.schema,
        nodes=tuple(node for node in nodes if node is not None),
        edges=tuple(edge for edge in edges if edge is not None),
    )
    found.extend(problems(read_whole, known))
    return Validation(None if found else read_whole, tuple(found))


def is_graph(content: bytes) -> bool:
    """Whether it has the outline of a strategy: enough to be kept as a draft."""
    return _decode_envelope(content, []) is not None


def problems(strategy: Strategy, known: MarketKinds) -> tuple[Problem, ...]:
    """Every problem of a strategy, in the order of its blocks, then of the graph."""
    found: list[Problem] = []
    if len(strategy.nodes) > words.NODES_MAX or len(strategy.edges) > words.EDGES_MAX:
        _too_large(found)
        return tuple(found)
    for index, node in enumerate(strategy.nodes):
        _check_node(node, Findings(f"nodes[{index}]", node.id, found), known)
    _check_graph(strategy, found)
    if not found:
        _check_paths(strategy, found, known)
    return tuple(found[:PROBLEMS_MAX])


def _too_large(found: list[Problem]) -> None:
    message = f"a strategy has at most {words.NODES_MAX} blocks and {words.EDGES_MAX} edges"
    found.append(Problem("", None, Code.TOO_MANY_BLOCKS, message))


def _decode_envelope(content: bytes, found: list[Problem]) -> _Envelope | None:
    """The outline, its blocks unread. What is inside of them is JSON at least: a draft is handed out as it came."""
    outline = Findings("", None, found)
    if is_nested_beyond(content, JSON_DEPTH_MAX):
        outline.add("", Code.TOO_DEEP, f"is nested more than {JSON_DEPTH_MAX} deep")
        return None
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        outline.add("", Code.NOT_JSON, "is not JSON")
        return None
    envelope: _Envelope | None = _decode(content, _Envelope, outline)
    return envelope


def _decode(content: bytes | msgspec.Raw, kind: Any, findings: Findings) -> Any:
    """The value, or None and a problem where msgspec found one. Its words name types, never values of others."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        match = _PLACE.fullmatch(str(error))
        assert match is not None
        code = Code.UNKNOWN_FIELD if match["what"].startswith(UNKNOWN_FIELD) else Code.BAD_SHAPE
        findings.add(match["path"] or "", code, match["what"].replace("`", ""))
    return None


def _id_of(raw: msgspec.Raw) -> str | None:
    """The id of a block that cannot be read otherwise, so that a problem can be shown where it is."""
    try:
        node_id = msgspec.json.decode(raw)["id"]
    except (KeyError, TypeError):
        return None
    return node_id if isinstance(node_id, str) and NODE_ID.fullmatch(node_id) else None


# --- blocks ------------------------------------------------------------------------------------


def _check_node(node: Node, findings: Findings, known: MarketKinds) -> None:
    if NODE_ID.fullmatch(node.id) is None:
        findings.add("id", Code.BAD_NODE_ID, "must be 1 to 24 of a-z, 0-9 and _")
    match node:
        case DataStreamNode():
            _check_stream(node, findings)
        case AssetNode():
            _check_asset(node, findings, known)
        case PromptNode():
            _check_prompt(node, findings)
        case RuleNode():
            check_clauses(node.clauses, findings)
        case CloneNode():
            _check_clone(node, findings)


def _check_stream(node: DataStreamNode, findings: Findings) -> None:
    findings.within("candles", node.candles, low=0, high=words.CANDLES_PER_STREAM_MAX)
    if len(node.features) > words.FEATURES_PER_STREAM_MAX:
        findings.add(
            "features", Code.TOO_MANY_FEATURES, f"a stream has at most {words.FEATURES_PER_STREAM_MAX} features"
        )
    for index, feature in enumerate(node.features):
        problem = feature_problem(feature)
        if problem is not None:
            findings.add(f"features[{index}]", Code.BAD_FEATURE, problem)
        elif feature in node.features[:index]:
            findings.add(f"features[{index}]", Code.DUPLICATE_FEATURE, f"{feature.key} is there already")


def _check_asset(node: AssetNode, findings: Findings, known: MarketKinds) -> None:
    if not 1 <= len(node.markets) <= words.MARKETS_PER_ASSET_MAX:
        findings.add("markets", Code.MARKET_COUNT, f"an asset block has 1 to {words.MARKETS_PER_ASSET_MAX} markets")
    for index, market in enumerate(node.markets):
        if market not in known:
            findings.add(f"markets[{index}]", Code.UNKNOWN_MARKET, "there is no such market")
        elif market in node.markets[:index]:
            findings.add(f"markets[{index}]", Code.DUPLICATE_MARKET, f"{market} is there already")


def _check_prompt(node: PromptNode, findings: Findings) -> None:
    if not node.text.strip():
        findings.add("text", Code.EMPTY_PROMPT, "write what the clone is to do")
    if len(node.text) > words.PROMPT_CHARS_MAX:
        findings.add(
            "text", Code.PROMPT_TOO_LONG, f"may have {words.PROMPT_CHARS_MAX} characters, not {len(node.text)}"
        )
    if any(unicodedata.category(character) in _INVISIBLE and character not in "\n\r\t" for character in node.text):
        findings.add("text", Code.INVISIBLE_CHARACTERS, "has control or invisible characters: remove them")


def _check_clone(node: CloneNode, findings: Findings) -> None:
    if node.cadence_s not in words.CADENCES_S:
        findings.add("cadence_s", Code.BAD_CADENCE, f"must be one of {', '.join(map(str, words.CADENCES_S))} seconds")
    findings.within("max_leverage", node.max_leverage, low=1, high=LEVERAGE_MAX)
    findings.within("max_position_ppm", node.max_position_ppm, low=1, high=PPM_MAX)
    if node.model is not None and _MODEL.fullmatch(node.model) is None:
        findings.add("model", Code.BAD_MODEL, 'must be "provider:model"')


# --- the graph ---------------------------------------------------------------------------------


def _check_graph(strategy: Strategy, found: list[Problem]) -> None:
    graph = Findings("", None, found)
    nodes: dict[str, Node] = {}
    for index, node in enumerate(strategy.nodes):
        if node.id in nodes:
            Findings(f"nodes[{index}]", node.id, found).add("id", Code.DUPLICATE_NODE_ID, f"{node.id} is taken")
        nodes.setdefault(node.id, node)
    clones = [(index, node) for index, node in enumerate(strategy.nodes) if isinstance(node, CloneNode)]
    if not clones:
        graph.add("nodes", Code.NO_TRADING_CLONE, "add the trading clone block: it says how often and how much")
    for index, node in clones[1:]:
        Findings(f"nodes[{index}]", node.id, found).add("", Code.SECOND_TRADING_CLONE, "there may be only one")
    for index, edge in enumerate(strategy.edges):
        _check_edge(edge, nodes, strategy.edges[:index], Findings(f"edges[{index}]", edge.source, found))
    _check_connections(strategy, found)
    needs_model = any(isinstance(node, PromptNode) for node in strategy.nodes)
    for index, node in clones[:1]:
        if needs_model and node.model is None:
            Findings(f"nodes[{index}]", node.id, found).add("model", Code.NO_MODEL, "choose a model: there is a prompt")


def _check_edge(edge: Edge, nodes: Mapping[str, Node], earlier: tuple[Edge, ...], findings: Findings) -> None:
    ends = [nodes.get(edge.source), nodes.get(edge.target)]
    for name, end in zip(("source", "target"), ends, strict=True):
        if end is None:
            findings.add(name, Code.UNKNOWN_NODE, "there is no such block")
    if edge in earlier:
        findings.add("", Code.DUPLICATE_EDGE, "is there already")
    source, target = ends
    if source is not None and target is not None and not isinstance(target, _FOLLOWS[type(source)]):
        message = f"{_NAMES[type(source)]} does not lead to {_NAMES[type(target)]}"
        findings.add("", Code.EDGE_NOT_ALLOWED, message)


def _check_connections(strategy: Strategy, found: list[Problem]) -> None:
    """Each block needs a way in and a way out."""
    leaving = {edge.source for edge in strategy.edges}
    entered = {edge.target for edge in strategy.edges}
    for index, node in enumerate(strategy.nodes):
        findings = Findings(f"nodes[{index}]", node.id, found)
        if node.id not in entered and not isinstance(node, DataStreamNode):
            before = [_NAMES[kind] for kind, after in _FOLLOWS.items() if isinstance(node, after)]
            findings.add("", Code.NOTHING_LEADS_HERE, f"connect {' or '.join(before)} to {_NAMES[type(node)]}")
        if node.id not in leaving and not isinstance(node, CloneNode):
            after = [_NAMES[kind] for kind in _FOLLOWS[type(node)]]
            findings.add("", Code.LEADS_NOWHERE, f"connect {_NAMES[type(node)]} to {' or '.join(after)}")


# --- paths -------------------------------------------------------------------------------------


def _check_paths(strategy: Strategy, found: list[Problem], known: MarketKinds) -> None:
    """What only shows when blocks are seen together. Called for a graph that is whole."""
    index = {node.id: number for number, node in enumerate(strategy.nodes)}
    ways = words.paths(strategy)
    counts = Counter(market for path in ways for market in path.asset.markets)
    if len(counts) > words.MARKETS_MAX:
        message = f"a clone trades at most {words.MARKETS_MAX} markets, not {len(counts)}"
        found.append(Problem("nodes", None, Code.TOO_MANY_MARKETS, message))
    for node in strategy.nodes:
        if isinstance(node, AssetNode):
            findings = Findings(f"nodes[{index[node.id]}]", node.id, found)
            for number, market in enumerate(node.markets):
                if counts[market] > 1:
                    message = f"{market} is on {counts[market]} paths: one block must decide about it"
                    findings.add(f"markets[{number}]", Code.MARKET_ON_SEVERAL_PATHS, message)
    for path in ways:
        if isinstance(path.decider, RuleNode):
            findings = Findings(f"nodes[{index[path.decider.id]}]", path.decider.id, found)
            wanted = {*path.stream.features, *features_of(path.decider.clauses)}
            if len(wanted) > words.FEATURES_PER_PATH_MAX:
                message = f"with its stream it reads {len(wanted)} features; at most {words.FEATURES_PER_PATH_MAX}"
                findings.add("clauses", Code.TOO_MANY_FEATURES, message)
    found.extend(dict.fromkeys(problem for path in ways for problem in _target_problems(path, index, known)))


def _target_problems(path: words.StrategyPath, index: Mapping[str, int], known: MarketKinds) -> Iterator[Problem]:
    """Targets beyond what the trading clone allows, or that the path's markets cannot hold."""
    if not isinstance(path.decider, RuleNode):
        return
    found: list[Problem] = []
    findings = Findings(f"nodes[{index[path.decider.id]}]", path.decider.id, found)
    spot = [market for market in path.asset.markets if known[market] is MarketKind.SPOT]
    for number, clause in enumerate(path.decider.clauses):
        target, at = clause.then, f"clauses[{number}].then"
        if not isinstance(target, Target):
            continue
        if abs(target.share_ppm) > path.clone.max_position_ppm:
            findings.add(f"{at}.share_ppm", Code.ABOVE_POSITION_LIMIT, "is more than the trading clone allows")
        if target.leverage > path.clone.max_leverage:
            findings.add(f"{at}.leverage", Code.ABOVE_LEVERAGE_LIMIT, "is more than the trading clone allows")
        if spot and target.share_ppm < 0:
            findings.add(f"{at}.share_ppm", Code.SHORT_ON_SPOT, f"{spot[0]} cannot be sold short: it is a spot market")
        if spot and target.leverage > 1:
            findings.add(f"{at}.leverage", Code.LEVERAGE_ON_SPOT, f"{spot[0]} has no leverage: it is a spot market")
    yield from found
