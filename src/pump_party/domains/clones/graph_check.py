"""What is wrong with how the blocks of a strategy are joined, and with the paths they make.

UNREAD may stand anywhere in it. What could be otherwise once it is read is not told.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from pump_party.domains.clones import strategy as words
from pump_party.domains.clones.problem import UNREAD, Findings, Problem
from pump_party.domains.clones.problem import ProblemCode as Code
from pump_party.domains.clones.rule import LEVERAGE_MAX, PPM_MAX, Target
from pump_party.domains.clones.rule_check import features_of
from pump_party.domains.clones.shape import read_items
from pump_party.domains.clones.strategy import (
    AssetNode,
    CloneNode,
    DataStreamNode,
    Edge,
    Node,
    NodeId,
    PromptNode,
    RuleNode,
    Strategy,
)
from pump_party.domains.marketdata.contract import MarketKind
from pump_party.kernel.ids import Market

MarketKinds = Mapping[Market, MarketKind]

NODE_ID_CHARS_MAX = 24

_FOLLOWS: Mapping[type[msgspec.Struct], tuple[type[Node], ...]] = {
    DataStreamNode: (AssetNode,),
    AssetNode: (PromptNode, RuleNode),
    PromptNode: (CloneNode,),
    RuleNode: (CloneNode,),
    CloneNode: (),
}
_NAMES: Mapping[type[msgspec.Struct], str] = {
    DataStreamNode: "a data stream",
    AssetNode: "an asset block",
    PromptNode: "a trading prompt",
    RuleNode: "a rule",
    CloneNode: "the trading clone",
}


class UnknownBlock(msgspec.Struct, frozen=True):
    """A block whose kind could not be read."""

    id: NodeId


Block = Node | UnknownBlock


def named(node_id: str) -> str | None:
    """The block of a problem. An id that is too long is left out: every problem would repeat it."""
    return None if node_id is UNREAD or len(node_id) > NODE_ID_CHARS_MAX else node_id


def block_findings(index: int, block: Block, found: list[Problem]) -> Findings:
    """For the problems of this block."""
    return Findings(f"nodes[{index}]", None if block is UNREAD else named(block.id), found)


def check_graph(blocks: tuple[Block, ...], edges: tuple[Edge, ...], known: MarketKinds, found: list[Problem]) -> None:
    """Note what is wrong with how the blocks are joined, then with the paths that are whole."""
    by_id: dict[str, list[Block]] = {}
    for index, block in read_items(blocks):
        if block.id is not UNREAD:
            if block.id in by_id:
                block_findings(index, block, found).add("id", Code.DUPLICATE_NODE_ID, "is the id of another block")
            by_id.setdefault(block.id, []).append(block)
    _check_clones(blocks, found)
    may_be_there = any(block is UNREAD or block.id is UNREAD for block in blocks)
    for index, edge in read_items(edges):
        findings = Findings(f"edges[{index}]", named(edge.source), found)
        if not may_be_there:
            _check_ends(edge, by_id, findings)
        if UNREAD not in (edge.source, edge.target) and edge in edges[:index]:
            findings.add("", Code.DUPLICATE_EDGE, "is there already")
        _check_order(edge, by_id, findings)
    _check_connections(blocks, edges, found)
    _check_paths(blocks, _sound_part(by_id, edges), found, known)


def _check_clones(blocks: tuple[Block, ...], found: list[Problem]) -> None:
    """There is exactly one, with a model where there is a prompt."""
    clones = [(index, block) for index, block in read_items(blocks) if isinstance(block, CloneNode)]
    may_be_there = any(block is UNREAD or isinstance(block, UnknownBlock) for block in blocks)
    if not clones and not may_be_there:
        message = "add the trading clone block: it says how often and how much"
        found.append(Problem("nodes", None, Code.NO_TRADING_CLONE, message))
    for index, clone in clones[1:]:
        block_findings(index, clone, found).add("", Code.SECOND_TRADING_CLONE, "there may be only one")
    needs_model = any(isinstance(block, PromptNode) for block in blocks)
    for index, clone in clones[:1]:
        if needs_model and clone.model is None:
            block_findings(index, clone, found).add("model", Code.NO_MODEL, "choose a model: there is a prompt")


def _check_ends(edge: Edge, by_id: Mapping[str, list[Block]], findings: Findings) -> None:
    for name, end in (("source", edge.source), ("target", edge.target)):
        if end is not UNREAD and end not in by_id:
            findings.add(name, Code.UNKNOWN_NODE, "there is no such block")


def _check_order(edge: Edge, by_id: Mapping[str, list[Block]], findings: Findings) -> None:
    if edge.source in by_id and edge.target in by_id:
        source, target = type(by_id[edge.source][0]), type(by_id[edge.target][0])
        if UnknownBlock not in (source, target) and target not in _FOLLOWS[source]:
            findings.add("", Code.EDGE_NOT_ALLOWED, f"{_NAMES[source]} does not lead to {_NAMES[target]}")


def _check_connections(blocks: tuple[Block, ...], edges: tuple[Edge, ...], found: list[Problem]) -> None:
    """Each block needs a way in and a way out. An edge with an end that could not be read may be any block's."""
    leaving = {UNREAD if edge is UNREAD else edge.source for edge in edges}
    entered = {UNREAD if edge is UNREAD else edge.target for edge in edges}
    for index, block in read_items(blocks):
        kind, findings = type(block), block_findings(index, block, found)
        if block.id is UNREAD or kind is UnknownBlock:
            continue
        if kind is not DataStreamNode and entered.isdisjoint((block.id, UNREAD)):
            before = [_NAMES[source] for source, after in _FOLLOWS.items() if kind in after]
            findings.add("", Code.NOTHING_LEADS_HERE, f"connect {' or '.join(before)} to {_NAMES[kind]}")
        if kind is not CloneNode and leaving.isdisjoint((block.id, UNREAD)):
            targets = [_NAMES[target] for target in _FOLLOWS[kind]]
            findings.add("", Code.LEADS_NOWHERE, f"connect {_NAMES[kind]} to {' or '.join(targets)}")


# --- paths -------------------------------------------------------------------------------------


def _sound_part(by_id: Mapping[str, list[Block]], edges: tuple[Edge, ...]) -> Strategy | None:
    """The blocks that have an id for themselves, and the edges that may join them. None without one trading clone."""
    blocks = {node_id: same[0] for node_id, same in by_id.items() if len(same) == 1}
    nodes = {node_id: block for node_id, block in blocks.items() if not isinstance(block, UnknownBlock)}
    joined = dict.fromkeys(
        edge
        for _, edge in read_items(edges)
        if edge.source in nodes and edge.target in nodes
        if type(nodes[edge.target]) in _FOLLOWS[type(nodes[edge.source])]
    )
    clones = [block for same in by_id.values() for block in same if isinstance(block, CloneNode)]
    if len(clones) != 1 or clones[0].id not in nodes:
        return None
    return Strategy(schema="strategy/1", nodes=tuple(nodes.values()), edges=tuple(joined))


def _check_paths(blocks: tuple[Block, ...], sound: Strategy | None, found: list[Problem], known: MarketKinds) -> None:
    """What only shows when blocks are seen together."""
    if sound is None:
        return
    ways = words.paths(sound)
    places = {block.id: block_findings(index, block, found) for index, block in read_items(blocks)}
    counts = Counter(market for path in ways for market in {market for _, market in read_items(path.asset.markets)})
    if len(counts) > words.MARKETS_MAX:
        message = f"a clone trades at most {words.MARKETS_MAX} markets, not {len(counts)}"
        found.append(Problem("nodes", None, Code.TOO_MANY_MARKETS, message))
    for node in sound.nodes:
        if isinstance(node, AssetNode):
            for number, market in read_items(node.markets):
                if counts[market] > 1 and market in known and market not in node.markets[:number]:
                    message = f"{market} is on {counts[market]} paths: one block must decide about it"
                    places[node.id].add(f"markets[{number}]", Code.MARKET_ON_SEVERAL_PATHS, message)
    for path in ways:
        if isinstance(path.decider, RuleNode):
            streamed = {feature for _, feature in read_items(path.stream.features)}
            wanted = streamed | features_of(path.decider.clauses)
            if len(wanted) > words.FEATURES_PER_PATH_MAX:
                message = f"with its stream it reads {len(wanted)} features; at most {words.FEATURES_PER_PATH_MAX}"
                places[path.decider.id].add("clauses", Code.TOO_MANY_FEATURES, message)
    index = {block.id: number for number, block in read_items(blocks)}
    found.extend(dict.fromkeys(problem for path in ways for problem in _target_problems(path, index, known)))


def _target_problems(path: words.StrategyPath, index: Mapping[str, int], known: MarketKinds) -> list[Problem]:
    """Targets beyond what the trading clone allows, or that the path's markets cannot hold."""
    found: list[Problem] = []
    if not isinstance(path.decider, RuleNode):
        return found
    findings = block_findings(index[path.decider.id], path.decider, found)
    spot = [market for _, market in read_items(path.asset.markets) if known.get(market) is MarketKind.SPOT]
    for number, clause in read_items(path.decider.clauses):
        if isinstance(clause.then, Target):
            _check_target(clause.then, f"clauses[{number}].then", path.clone, spot, findings)
    return found


def _check_target(target: Target, at: str, clone: CloneNode, spot: list[Market], findings: Findings) -> None:
    """A limit that is none, because it could not be read or is out of its range, limits nothing."""
    share, leverage = f"{at}.share_ppm", f"{at}.leverage"
    if target.share_ppm is not UNREAD:
        if _is_beyond(abs(target.share_ppm), clone.max_position_ppm, PPM_MAX):
            findings.add(share, Code.ABOVE_POSITION_LIMIT, "is more than the trading clone allows")
        if spot and target.share_ppm < 0:
            findings.add(share, Code.SHORT_ON_SPOT, f"{spot[0]} cannot be sold short: it is a spot market")
    if target.leverage is not UNREAD:
        if _is_beyond(target.leverage, clone.max_leverage, LEVERAGE_MAX):
            findings.add(leverage, Code.ABOVE_LEVERAGE_LIMIT, "is more than the trading clone allows")
        if spot and target.leverage > 1:
            findings.add(leverage, Code.LEVERAGE_ON_SPOT, f"{spot[0]} has no leverage: it is a spot market")


def _is_beyond(value: int, limit: int, most: int) -> bool:
    """Whether it is more than the clone's own limit. What may be as much as ever is told with the range."""
    return limit is not UNREAD and 1 <= limit < most and value > limit
