import msgspec
from tests.domains.clones.strategies import Json, clause, encode, graph, rule, sound, stream, target, trading_clone

from pump_party.domains.clones.diff import strategy_diff
from pump_party.domains.clones.strategy import Strategy


def strategy_of(content: Json) -> Strategy:
    return msgspec.json.decode(encode(content), type=Strategy)


def test_a_strategy_does_not_differ_from_itself_drawn_otherwise():
    drawn_otherwise = sound() | {"nodes": sound()["nodes"][::-1], "edges": sound()["edges"][::-1]}
    assert strategy_diff(strategy_of(sound()), strategy_of(drawn_otherwise)).is_empty()


def test_a_changed_block_says_which_fields_changed():
    before = strategy_of(sound(decider=rule(clause(then=target(100_000)))))
    after = strategy_of(sound(decider=rule(clause(then=target(200_000)), clause()), max_leverage=3))

    diff = strategy_diff(before, after)

    assert [(node.node_id, node.kind, node.change) for node in diff.nodes] == [
        ("clone", "trading_clone", "changed"),
        ("rule", "rule", "changed"),
    ]
    clone, rules = (node.fields for node in diff.nodes)
    assert [(field.path, field.before, field.after) for field in clone] == [
        ("max_leverage", msgspec.Raw(b"1"), msgspec.Raw(b"3"))
    ]
    assert [field.path for field in rules] == ["clauses[0].then.share_ppm", "clauses[1]"]
    assert rules[1].before is None
    assert not diff.is_empty()


def test_blocks_and_edges_that_came_and_went_are_named():
    before = strategy_of(graph(stream(), trading_clone()))
    after = strategy_of(graph(stream(id="other"), trading_clone()))

    diff = strategy_diff(before, after)

    assert [(node.node_id, node.change, node.fields) for node in diff.nodes] == [
        ("other", "added", ()),
        ("stream", "removed", ()),
    ]
    assert [edge.source for edge in diff.edges_added] == ["other"]
    assert [edge.source for edge in diff.edges_removed] == ["stream"]


def test_a_block_that_became_another_kind_changed():
    after = rule(id="stream")
    diff = strategy_diff(strategy_of(graph(stream())), strategy_of(graph(after)))
    assert [(node.kind, node.change) for node in diff.nodes] == [("rule", "changed")]
    assert "kind" in [field.path for field in diff.nodes[0].fields]


def test_a_diff_is_bounded_and_can_be_written_as_json():
    before = strategy_of(sound(decider=rule(*[clause(then=target(1))] * 16)))
    after = strategy_of(sound(decider=rule(*[clause(then=target(2, leverage=2, band_ppm=3))] * 16)))
    assert len(msgspec.json.encode(strategy_diff(before, after))) < 10_000
