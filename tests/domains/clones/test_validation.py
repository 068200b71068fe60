from typing import Any

import pytest
from tests.domains.clones.strategies import (
    KNOWN,
    SOL,
    SOL_PERP,
    Json,
    asset,
    clause,
    compare,
    encode,
    feature,
    graph,
    nested,
    number,
    prompt,
    rule,
    sound,
    stream,
    target,
    trading_clone,
)

from pump_party.domains.clones.strategy import EDGES_MAX, NODES_MAX
from pump_party.domains.clones.validation import JSON_DEPTH_MAX, PROBLEMS_MAX, is_graph, read

MODEL = "openai:gpt-5"
WHEN = "nodes[2].clauses[0].when"
THEN = "nodes[2].clauses[0].then"
CHAIN = [("stream", "assets"), ("assets", "rule"), ("rule", "clone")]


def found(strategy: Json) -> list[str]:
    """Each problem as "path code"."""
    return [f"{problem.path} {problem.code}" for problem in read(encode(strategy), KNOWN).problems]


def with_condition(when: Json) -> Json:
    return sound(decider=rule(clause(when)))


def group(size: int) -> Json:
    return {"kind": "all", "conditions": [{"kind": "always"}] * size}


def test_a_sound_strategy_is_read_and_has_no_problem():
    validation = read(encode(sound()), KNOWN)

    assert validation.problems == ()
    assert validation.strategy is not None
    assert [node.id for node in validation.strategy.nodes] == ["stream", "assets", "rule", "clone"]
    assert found(sound(decider=prompt(), model=MODEL)) == []


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (sound() | {"schema": "strategy/2"}, ["schema bad_shape"]),
        ({"nodes": []}, [" bad_shape", " bad_shape"]),
        (sound() | {"colour": "red"}, [" unknown_field"]),
        (graph(stream(interval="2m"), asset(), rule(), trading_clone()), ["nodes[0].interval bad_shape"]),
        (graph(stream(), asset(hue=1), rule(), trading_clone()), ["nodes[1] unknown_field"]),
        (graph(stream(features=[feature()["feature"] | {"perod": 20}]), asset(), rule(), trading_clone()),
         ["nodes[0].features[0] unknown_field"]),
        (sound(decider=rule(clause(then=target(1.5)))), ["nodes[2].clauses[0].then.share_ppm bad_shape"]),  # type: ignore[arg-type]
        (graph({"kind": "news", "id": "x"}), ["nodes[0].kind bad_shape"]),
        (graph(stream(candles=101), asset(), rule(), trading_clone()), ["nodes[0].candles out_of_range"]),
        (graph(stream(candles="5"), asset(hue=1), rule(), trading_clone()),
         ["nodes[0].candles bad_shape", "nodes[1] unknown_field"]),
        (graph(stream(candles="5"), asset("X"), rule(), trading_clone()),
         ["nodes[0].candles bad_shape", "nodes[1].markets[0] unknown_market"]),
    ],
)  # fmt: skip
def test_what_is_no_graph_is_told_block_by_block(strategy: Json, expected: list[str]):
    assert found(strategy) == expected


def without(block: Json, *names: str) -> Json:
    return {name: value for name, value in block.items() if name not in names}


UNIT_MISMATCH = compare(feature(), "above", number("1", "index"))
BROKEN_RULE = {"conditions": [{"kind": "always", "x": 1}, UNIT_MISMATCH, {"kind": "perhaps"}], "kind": "all", "y": 2}


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (graph(stream(interval="2m", candles="5", hue=1, tone=2), asset(), rule(), trading_clone()),
         ["nodes[0] unknown_field", "nodes[0] unknown_field", "nodes[0].interval bad_shape",
          "nodes[0].candles bad_shape"]),
        (graph(stream(interval="2m", candles=101), asset(SOL, 5, "X"), rule(), trading_clone()),  # type: ignore[arg-type]
         ["nodes[0].interval bad_shape", "nodes[1].markets[1] bad_shape",
          "nodes[0].candles out_of_range", "nodes[1].markets[2] unknown_market"]),
        (sound(decider={**rule(), "clauses": {}}), ["nodes[2].clauses bad_shape"]),
        (sound(cadence_s="60", max_leverage=[], max_position_ppm=0, model="gpt"),
         ["nodes[3].cadence_s bad_shape", "nodes[3].max_leverage bad_shape",
          "nodes[3].max_position_ppm out_of_range", "nodes[3].model bad_model"]),
        (sound(decider=rule(clause(BROKEN_RULE, target(share_ppm="1", leverage=21)), 5, clause(then={"kind": "buy"}))),  # type: ignore[arg-type]
         ["nodes[2].clauses[0].when unknown_field", "nodes[2].clauses[0].when.conditions[0] unknown_field",
          "nodes[2].clauses[0].when.conditions[2].kind bad_shape", "nodes[2].clauses[0].then.share_ppm bad_shape",
          "nodes[2].clauses[1] bad_shape", "nodes[2].clauses[2].then.kind bad_shape",
          "nodes[2].clauses[0].when.conditions[1] unit_mismatch", "nodes[2].clauses[0].then.leverage out_of_range",
          f"{THEN}.leverage above_leverage_limit", f"{THEN}.leverage leverage_on_spot"]),
        (graph(stream(features=[{"name": "emu"}, {"name": "ema", "period": "x"}, {"name": "ema"}]), asset(), rule(),
               trading_clone()),
         ["nodes[0].features[0].name bad_shape", "nodes[0].features[1].period bad_shape",
          "nodes[0].features[2] bad_feature"]),
        (with_condition(compare(number("1.123456789", "euro"), "over", feature(scale_ppm="1"), "cross")),  # type: ignore[arg-type]
         [f"{WHEN}.left.unit bad_shape", f"{WHEN}.op bad_shape", f"{WHEN}.right.scale_ppm bad_shape"]),
        (graph({"kind": "news", "id": "A b"}, asset(), rule(), trading_clone()),
         ["nodes[0].kind bad_shape", "nodes[0].id bad_node_id"]),
    ],
)  # fmt: skip
def test_every_wrong_field_of_every_block_is_told_at_once(strategy: Json, expected: list[str]):
    assert found(strategy) == expected


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (graph(stream(interval="2m"), asset(), rule(), trading_clone(), edges=CHAIN[:2]),
         ["nodes[0].interval bad_shape", "nodes[2] leads_nowhere", "nodes[3] nothing_leads_here"]),
        (graph(stream(interval="2m"), asset(), rule(), edges=[*CHAIN[:2], ("rule", "stream"), ("assets", "moon")]),
         ["nodes[0].interval bad_shape", "nodes no_trading_clone", "edges[2] edge_not_allowed",
          "edges[3].target unknown_node"]),
        (graph(stream(candles="5"), asset(), prompt(""), trading_clone()),
         ["nodes[0].candles bad_shape", "nodes[2].text empty_prompt", "nodes[3].model no_model"]),
        (graph(stream(candles="5"), asset(), rule(clause(then=target(500_001, leverage=2))), trading_clone()),
         ["nodes[0].candles bad_shape", f"{THEN}.share_ppm above_position_limit",
          f"{THEN}.leverage above_leverage_limit", f"{THEN}.leverage leverage_on_spot"]),
        (sound(cadence_s=61) | {"hue": 1}, [" unknown_field", "nodes[3].cadence_s bad_cadence"]),
        (sound(cadence_s=61) | {"edges": 5}, ["edges bad_shape", "nodes[3].cadence_s bad_cadence"]),
        (sound() | {"nodes": 5}, ["nodes bad_shape"]),
    ],
)  # fmt: skip
def test_problems_of_the_graph_are_told_with_those_of_its_blocks(strategy: Json, expected: list[str]):
    assert found(strategy) == expected


@pytest.mark.parametrize(
    ("nodes", "edges", "expected"),
    [
        ([stream(), asset(), {"kind": "news", "id": "rule"}, trading_clone()], CHAIN, ["nodes[2].kind bad_shape"]),
        ([stream(), asset(), rule(), {"kind": "news", "id": "clone"}], CHAIN, ["nodes[3].kind bad_shape"]),
        ([stream(), asset(), rule(id=5), trading_clone()], CHAIN, ["nodes[2].id bad_shape"]),
        ([stream(), asset(), without(rule(), "id", "kind"), trading_clone()], CHAIN,
         ["nodes[2] bad_shape", "nodes[2] bad_shape"]),
        ([stream(), asset(), 5, trading_clone()], CHAIN, ["nodes[2] bad_shape"]),
        ([stream(), asset(), rule(), trading_clone()], [CHAIN[0], (5, "rule"), CHAIN[2]],
         ["edges[1].source bad_shape"]),
        ([stream(), asset(), rule(), trading_clone()], [CHAIN[0], ("assets", 5), CHAIN[2]],
         ["edges[1].target bad_shape"]),
        ([stream(), asset("X", "X"), rule(clause(then=target(1_000_001, leverage=21))), trading_clone(max_leverage=0)],
         CHAIN, ["nodes[1].markets[0] unknown_market", "nodes[1].markets[1] unknown_market",
                 f"{THEN}.share_ppm out_of_range", f"{THEN}.leverage out_of_range",
                 "nodes[3].max_leverage out_of_range", f"{THEN}.share_ppm above_position_limit"]),
        ([stream(), asset(SOL, SOL), rule(), trading_clone()], CHAIN, ["nodes[1].markets[1] duplicate_market"]),
        ([stream(), asset(), prompt(), trading_clone(model=5)], [CHAIN[0], ("assets", "prompt"), ("prompt", "clone")],
         ["nodes[3].model bad_shape"]),
    ],
)  # fmt: skip
def test_what_only_follows_from_another_problem_is_not_told(nodes: list[Any], edges: list[Any], expected: list[str]):
    assert found(graph(*nodes, edges=edges)) == expected


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (graph(stream(id="A b"), asset(), rule(), trading_clone()), ["nodes[0].id bad_node_id"]),
        (graph(stream(features=[{"name": "ema", "interval": "1h"}]), asset(), rule(), trading_clone()),
         ["nodes[0].features[0] bad_feature"]),
        (graph(stream(features=[{"name": "funding"}] * 2), asset(), rule(), trading_clone()),
         ["nodes[0].features[1] duplicate_feature"]),
        (graph(stream(), asset(SOL, SOL), rule(), trading_clone()),
         ["nodes[1].markets[1] duplicate_market"]),
        (graph(stream(), {**asset(), "markets": []}, rule(), trading_clone()), ["nodes[1].markets market_count"]),
        (sound(decider=prompt(" \n "), model=MODEL), ["nodes[2].text empty_prompt"]),
        (sound(decider=prompt("x" * 8_001), model=MODEL), ["nodes[2].text prompt_too_long"]),
        (sound(decider=prompt("buy\u202e"), model=MODEL), ["nodes[2].text invisible_characters"]),
        (sound(decider=prompt("buy\r\n\tthe\u00a0dip\u3000🚀"), model=MODEL), []),
        (sound(decider=prompt()), ["nodes[3].model no_model"]),
        (sound(model="gpt"), ["nodes[3].model bad_model"]),
        (sound(cadence_s=61), ["nodes[3].cadence_s bad_cadence"]),
        (sound(max_leverage=21), ["nodes[3].max_leverage out_of_range"]),
        (sound(max_position_ppm=0), ["nodes[3].max_position_ppm out_of_range"]),
        (sound(decider={**rule(), "clauses": []}), ["nodes[2].clauses clause_count"]),
        (sound(decider=rule(*[clause()] * 17)), ["nodes[2].clauses clause_count"]),
    ],
)  # fmt: skip
def test_each_block_is_checked_for_itself(strategy: Json, expected: list[str]):
    assert found(strategy) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (compare(feature("rsi", "1h", 14), "above", number("70", "index")), []),
        (compare(feature("funding", None, None), "below", {"kind": "position", "which": "return"}), []),
        (compare(feature(), "above", feature("close", "1h", None), "cross"), []),
        (compare(feature(), "above", number("70", "index")), [f"{WHEN} unit_mismatch"]),
        (compare(feature("open_interest", None, None), "above", number("1", "price")), [f"{WHEN} unit_mismatch"]),
        (compare(number("1"), "above", number("2")), [f"{WHEN} constant_condition"]),
        (compare(feature("ema", "1h", 1), "above", number("1")), [f"{WHEN}.left.feature bad_feature"]),
        (compare(feature(scale_ppm=0), "above", number("1")), [f"{WHEN}.left.scale_ppm out_of_range"]),
        (compare(feature(scale_ppm=10**9), "above", number("1")), [f"{WHEN}.left.scale_ppm out_of_range"]),
        (compare(feature(), "above", number("1e3")), [f"{WHEN}.right.value not_a_decimal"]),
        (compare(feature(), "above", number("+1")), [f"{WHEN}.right.value not_a_decimal"]),
        (compare(feature(), "above", number("1" * 13)), [f"{WHEN}.right.value not_a_decimal"]),
        (compare(feature(), "above", number("-0.12345678")), []),
        (compare(feature(), "above", number("0.123456789")), [f"{WHEN}.right.value too_many_decimals"]),
        (compare(feature("rsi", "1h", 14), "above", number("0.1234567", "index")),
         [f"{WHEN}.right.value too_many_decimals"]),
        (compare({"kind": "position", "which": "share"}, "above", number("0.1", "ratio"), "cross"),
         [f"{WHEN}.left cross_of_position"]),
        ({"kind": "chance", "ppm": 1_000_001, "seed": 2**31},
         [f"{WHEN}.ppm out_of_range", f"{WHEN}.seed out_of_range"]),
        (group(8), []),
        (group(9), [f"{WHEN} condition_count"]),
        (group(0), [f"{WHEN} condition_count"]),
        (nested(8), []),
        (nested(9), [WHEN + ".condition" * 8 + " too_deep"]),
    ],
)  # fmt: skip
def test_conditions_compare_like_with_like_within_bounds(when: Json, expected: list[str]):
    assert found(with_condition(when)) == expected


@pytest.mark.parametrize(
    ("market", "then", "clone", "expected"),
    [
        (SOL, target(500_000), {}, []),
        (SOL, target(500_001), {}, [f"{THEN}.share_ppm above_position_limit"]),
        (SOL, target(-1), {}, [f"{THEN}.share_ppm short_on_spot"]),
        (SOL, target(leverage=2), {"max_leverage": 2}, [f"{THEN}.leverage leverage_on_spot"]),
        (SOL_PERP, target(-500_000, leverage=2), {"max_leverage": 2}, []),
        (SOL_PERP, target(-500_001), {}, [f"{THEN}.share_ppm above_position_limit"]),
        (SOL_PERP, target(leverage=3), {"max_leverage": 2}, [f"{THEN}.leverage above_leverage_limit"]),
        (SOL_PERP, target(leverage=21), {"max_leverage": 20}, [f"{THEN}.leverage out_of_range"]),
        (SOL, target(band_ppm=-1), {}, [f"{THEN}.band_ppm out_of_range"]),
        (SOL, target(stop_ppm=1_000_000), {}, [f"{THEN}.stop_ppm out_of_range"]),
        (SOL, target(target_ppm=0), {}, [f"{THEN}.target_ppm out_of_range"]),
        (SOL, {"kind": "close"}, {}, []),
    ],
)
def test_a_target_is_one_that_its_markets_can_hold_and_the_clone_allows(
    market: str, then: Json, clone: Json, expected: list[str]
):
    strategy = graph(stream(), asset(market), rule(clause(then=then)), trading_clone(**clone))
    assert found(strategy) == expected


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        (CHAIN[:2], ["nodes[2] leads_nowhere", "nodes[3] nothing_leads_here"]),
        (CHAIN[1:], ["nodes[0] leads_nowhere", "nodes[1] nothing_leads_here"]),
        ([*CHAIN, CHAIN[0]], ["edges[3] duplicate_edge"]),
        ([*CHAIN, ("stream", "moon")], ["edges[3].target unknown_node"]),
        ([*CHAIN, ("stream", "rule")], ["edges[3] edge_not_allowed"]),
        ([*CHAIN, ("rule", "rule")], ["edges[3] edge_not_allowed"]),
        ([*CHAIN, ("clone", "stream")], ["edges[3] edge_not_allowed"]),
    ],
)
def test_blocks_are_joined_in_order_and_every_path_is_complete(edges: list[tuple[str, str]], expected: list[str]):
    assert found(graph(stream(), asset(), rule(), trading_clone(), edges=edges)) == expected


def test_there_is_exactly_one_trading_clone():
    assert found(graph(stream(), asset(), rule())) == ["nodes no_trading_clone", "nodes[2] leads_nowhere"]
    twice = graph(
        stream(), asset(), rule(), trading_clone(), trading_clone(id="more"), edges=[*CHAIN, ("rule", "more")]
    )
    assert found(twice) == ["nodes[4] second_trading_clone"]
    same = graph(stream(), asset(), rule(), trading_clone(), trading_clone(), edges=CHAIN)
    assert found(same) == ["nodes[4].id duplicate_node_id", "nodes[4] second_trading_clone"]


def test_a_market_is_on_one_path_only():
    two_deciders = graph(
        stream(),
        asset(),
        rule(),
        rule(id="other"),
        trading_clone(),
        edges=[*CHAIN, ("assets", "other"), ("other", "clone")],
    )
    assert found(two_deciders) == ["nodes[1].markets[0] market_on_several_paths"]

    both = [*CHAIN, ("stream", "again"), ("again", "rule")]
    two_blocks = graph(stream(), asset(), asset(id="again"), rule(), trading_clone(), edges=both)
    assert found(two_blocks) == [f"nodes[{number}].markets[0] market_on_several_paths" for number in (1, 2)]


def test_a_clone_trades_six_markets_and_reads_sixty_four_features_at_most():
    known = {f"M{number}": kind for number, kind in enumerate([KNOWN[SOL]] * 7)}  # type: ignore[var-annotated]
    both = [*CHAIN, ("stream", "more"), ("more", "rule")]
    first, second = asset("M0", "M1", "M2", "M3"), asset("M4", "M5", "M6", id="more")
    markets = graph(stream(), first, second, rule(), trading_clone(), edges=both)
    assert [p.code for p in read(encode(markets), known).problems] == ["too_many_markets"]  # type: ignore[arg-type]

    comparisons = [compare(feature(period=period), "above", number("1")) for period in range(2, 74)]
    groups = [{"kind": "any", "conditions": comparisons[first : first + 8]} for first in range(0, 72, 8)]
    features = sound(decider=rule(*[clause(when) for when in groups]))
    assert found(features) == ["nodes[2].clauses too_many_features"]


def test_a_problem_says_which_block_it_is_in():
    strategy = graph(stream(candles=-1), asset("X"), rule(), trading_clone(cadence_s=1))
    assert [problem.node_id for problem in read(encode(strategy), KNOWN).problems] == ["stream", "assets", "clone"]
    broken = graph(stream(candles="many"), asset(), rule(), trading_clone())
    assert [problem.node_id for problem in read(encode(broken), KNOWN).problems] == ["stream"]
    endless = graph(stream(id="x" * 10_000, candles="many"), edges=[("x" * 10_000, "y")])
    assert {problem.node_id for problem in read(encode(endless), KNOWN).problems} == {None}


def test_more_blocks_or_edges_than_a_strategy_may_have_are_refused_at_once():
    blocks = graph(*[stream(id=f"s{number}") for number in range(NODES_MAX + 1)], edges=[])
    edges = graph(stream(), edges=[("stream", "stream")] * (EDGES_MAX + 1))
    for strategy in (blocks, edges):
        assert found(strategy) == [" too_many_blocks"]
    assert len(found(graph(*[rule(*[clause(group(9))] * 16, id=f"r{n}") for n in range(32)], edges=[]))) == PROBLEMS_MAX


@pytest.mark.parametrize("content", [b"", b"[", b"[]", b"null", b'"x"', b"\xff", b'{"schema":"strategy/1"}'])
def test_what_is_not_json_of_a_graph_has_a_problem_and_is_no_draft(content: bytes):
    validation = read(content, KNOWN)
    assert validation.strategy is None
    assert validation.problems
    assert not is_graph(content)


@pytest.mark.parametrize("node", [b'{"id":"\xff"}', b'{"id":"\\q"}', b'{"id":"\x01"}', b"01"])
def test_json_that_is_broken_inside_a_block_is_no_draft_either(node: bytes):
    content = b'{"schema":"strategy/1","nodes":[' + node + b'],"edges":[]}'
    assert [problem.code for problem in read(content, KNOWN).problems] == ["not_json"]
    assert not is_graph(content)


@pytest.mark.parametrize("depth", [JSON_DEPTH_MAX, 100_000])
def test_what_is_nested_without_end_is_refused_before_it_is_parsed(depth: int):
    closed = b'{"schema":"strategy/1","nodes":' + b"[" * depth + b"]" * depth + b',"edges":[]}'
    for content in (closed, b"[" * (depth + 1), b'{"a":' * (depth + 1)):
        assert [problem.code for problem in read(content, KNOWN).problems] == ["too_deep"]
        assert not is_graph(content)
    brackets_in_text = encode(sound(decider=prompt("[" * 1_000 + '\\"' + "{" * 1_000), model=MODEL))
    assert read(brackets_in_text, KNOWN).problems == ()


def test_an_unfinished_graph_can_be_kept_as_a_draft():
    assert is_graph(encode(graph()))
    assert is_graph(encode(graph({"kind": "rule", "id": ""})))
