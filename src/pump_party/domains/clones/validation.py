"""What is wrong with a strategy: every problem with its place, not the first.

One answer has all of them: what cannot be read, what is wrong within a block, how blocks are joined. What could not be
read is left out of the judgement of the rest, so that no problem is told that only follows from another.
"""

import re
import unicodedata
from typing import Any, Literal

import msgspec

from pump_party.domains.clones import strategy as words
from pump_party.domains.clones.graph_check import Block, MarketKinds, UnknownBlock, block_findings, check_graph
from pump_party.domains.clones.problem import UNREAD, Findings, Problem, Validation
from pump_party.domains.clones.problem import ProblemCode as Code
from pump_party.domains.clones.rule import LEVERAGE_MAX, PPM_MAX
from pump_party.domains.clones.rule_check import check_clauses
from pump_party.domains.clones.shape import read_items, read_partly
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
from pump_party.domains.marketdata.contract import feature_problem
from pump_party.kernel.json_depth import is_nested_beyond

PROBLEMS_MAX = 200
"""Most problems of one answer: a graph made of mistakes must not make an answer without end."""

JSON_DEPTH_MAX = 32
"""Deeper than any rule within its limits."""

NODE_ID = re.compile(r"[a-z0-9_]{1,24}", re.ASCII)
_MODEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}:[A-Za-z0-9][\w./:@+-]{0,99}", re.ASCII)
_INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["strategy/1"]
    nodes: tuple[Any, ...]
    edges: tuple[Any, ...]


def read(content: bytes, known: MarketKinds) -> Validation:
    """Read a strategy from JSON and check it. `known` are the markets there are."""
    found: list[Problem] = []
    envelope = _read_envelope(content, found)
    if envelope is None or envelope.schema is UNREAD:
        return Validation(None, tuple(found[:PROBLEMS_MAX]))
    nodes, edges = envelope.nodes, envelope.edges
    if _is_too_large(nodes, edges, found):
        return Validation(None, tuple(found[:PROBLEMS_MAX]))
    blocks = (UNREAD,) if nodes is UNREAD else tuple(_read_block(value, i, found) for i, value in enumerate(nodes))
    joins = (UNREAD,) if edges is UNREAD else tuple(_read_edge(value, i, found) for i, value in enumerate(edges))
    _check(blocks, joins, known, found)
    return Validation(None if found else Strategy("strategy/1", blocks, joins), tuple(found[:PROBLEMS_MAX]))


def is_graph(content: bytes) -> bool:
    """Whether it has the outline of a strategy: enough to be kept as a draft."""
    found: list[Problem] = []
    return _read_envelope(content, found) is not None and not found


def problems(strategy: Strategy, known: MarketKinds) -> tuple[Problem, ...]:
    """Every problem of a strategy, in the order of its blocks, then of the graph."""
    found: list[Problem] = []
    if not _is_too_large(strategy.nodes, strategy.edges, found):
        _check(strategy.nodes, strategy.edges, known, found)
    return tuple(found[:PROBLEMS_MAX])


def _check(blocks: tuple[Block, ...], edges: tuple[Edge, ...], known: MarketKinds, found: list[Problem]) -> None:
    for index, block in read_items(blocks):
        _check_block(block, block_findings(index, block, found), known)
    check_graph(blocks, edges, known, found)


def _is_too_large(nodes: tuple[Any, ...], edges: tuple[Any, ...], found: list[Problem]) -> bool:
    sizes = ((nodes, words.NODES_MAX), (edges, words.EDGES_MAX))
    if all(part is UNREAD or len(part) <= most for part, most in sizes):
        return False
    message = f"a strategy has at most {words.NODES_MAX} blocks and {words.EDGES_MAX} edges"
    found.append(Problem("", None, Code.TOO_MANY_BLOCKS, message))
    return True


def _read_envelope(content: bytes, found: list[Problem]) -> _Envelope | None:
    """The outline, its blocks unread. What is inside of them is JSON at least: a draft is handed out as it came."""
    outline = Findings("", None, found)
    if is_nested_beyond(content, JSON_DEPTH_MAX):
        outline.add("", Code.TOO_DEEP, f"is nested more than {JSON_DEPTH_MAX} deep")
        return None
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        outline.add("", Code.NOT_JSON, "is not JSON")
        return None
    envelope, wrong = read_partly(value, _Envelope)
    outline.add_all(wrong)
    return None if envelope is UNREAD else envelope


def _read_block(value: Any, index: int, found: list[Problem]) -> Any:
    """Of a block whose kind cannot be read, the id."""
    block, wrong = read_partly(value, Node)
    if block is UNREAD and isinstance(value, dict):
        block, wrong_id = read_partly(value, UnknownBlock)
        wrong += wrong_id
    block_findings(index, block, found).add_all(wrong)
    return block


def _read_edge(value: Any, index: int, found: list[Problem]) -> Any:
    edge, wrong = read_partly(value, Edge)
    Findings(f"edges[{index}]", None, found).add_all(wrong)
    return edge


# --- blocks ------------------------------------------------------------------------------------


def _check_block(block: Block, findings: Findings, known: MarketKinds) -> None:
    if block.id is not UNREAD and NODE_ID.fullmatch(block.id) is None:
        findings.add("id", Code.BAD_NODE_ID, "must be 1 to 24 of a-z, 0-9 and _")
    match block:
        case DataStreamNode():
            _check_stream(block, findings)
        case AssetNode():
            _check_asset(block, findings, known)
        case PromptNode():
            _check_prompt(block, findings)
        case RuleNode():
            check_clauses(block.clauses, findings)
        case CloneNode():
            _check_clone(block, findings)


def _check_stream(node: DataStreamNode, findings: Findings) -> None:
    findings.within("candles", node.candles, low=0, high=words.CANDLES_PER_STREAM_MAX)
    if node.features is not UNREAD and len(node.features) > words.FEATURES_PER_STREAM_MAX:
        findings.add(
            "features", Code.TOO_MANY_FEATURES, f"a stream has at most {words.FEATURES_PER_STREAM_MAX} features"
        )
    for index, feature in read_items(node.features):
        problem = feature_problem(feature)
        if problem is not None:
            findings.add(f"features[{index}]", Code.BAD_FEATURE, problem)
        elif feature in node.features[:index]:
            findings.add(f"features[{index}]", Code.DUPLICATE_FEATURE, f"{feature.key} is there already")


def _check_asset(node: AssetNode, findings: Findings, known: MarketKinds) -> None:
    if node.markets is not UNREAD and not 1 <= len(node.markets) <= words.MARKETS_PER_ASSET_MAX:
        findings.add("markets", Code.MARKET_COUNT, f"an asset block has 1 to {words.MARKETS_PER_ASSET_MAX} markets")
    for index, market in read_items(node.markets):
        if market not in known:
            findings.add(f"markets[{index}]", Code.UNKNOWN_MARKET, "there is no such market")
        elif market in node.markets[:index]:
            findings.add(f"markets[{index}]", Code.DUPLICATE_MARKET, f"{market} is there already")


def _check_prompt(node: PromptNode, findings: Findings) -> None:
    if node.text is UNREAD:
        return
    if not node.text.strip():
        findings.add("text", Code.EMPTY_PROMPT, "write what the clone is to do")
    if len(node.text) > words.PROMPT_CHARS_MAX:
        findings.add(
            "text", Code.PROMPT_TOO_LONG, f"may have {words.PROMPT_CHARS_MAX} characters, not {len(node.text)}"
        )
    if any(unicodedata.category(character) in _INVISIBLE and character not in "\n\r\t" for character in node.text):
        findings.add("text", Code.INVISIBLE_CHARACTERS, "has control or invisible characters: remove them")


def _check_clone(node: CloneNode, findings: Findings) -> None:
    if node.cadence_s is not UNREAD and node.cadence_s not in words.CADENCES_S:
        findings.add("cadence_s", Code.BAD_CADENCE, f"must be one of {', '.join(map(str, words.CADENCES_S))} seconds")
    findings.within("max_leverage", node.max_leverage, low=1, high=LEVERAGE_MAX)
    findings.within("max_position_ppm", node.max_position_ppm, low=1, high=PPM_MAX)
    if node.model is not UNREAD and node.model is not None and _MODEL.fullmatch(node.model) is None:
        findings.add("model", Code.BAD_MODEL, 'must be "provider:model"')
