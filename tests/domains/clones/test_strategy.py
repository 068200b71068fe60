import json
from random import Random

import msgspec
from tests.domains.clones.strategies import encode, graph, prompt, rule, sound, stream, trading_clone

from pump_party.domains.clones import strategy as words
from pump_party.domains.clones.strategy import Strategy, canonical, clone_node, content_sha256, json_schema, paths
from pump_party.domains.marketdata import features


def strategy_of(content: dict[str, object]) -> Strategy:
    return msgspec.json.decode(encode(content), type=Strategy)


def test_the_content_hash_is_of_the_graph_and_not_of_how_it_was_drawn():
    first = sound()
    rng = Random(1)
    for _ in range(20):
        shuffled = {**first, "nodes": rng.sample(first["nodes"], 4), "edges": rng.sample(first["edges"], 3)}
        assert content_sha256(strategy_of(shuffled)) == content_sha256(strategy_of(first))
    assert content_sha256(strategy_of(sound(cadence_s=300))) != content_sha256(strategy_of(first))


def test_the_canonical_bytes_are_json_with_sorted_keys_that_read_back_as_the_same_graph():
    content = canonical(strategy_of(sound()))

    assert json.dumps(json.loads(content), sort_keys=True, separators=(",", ":")).encode() == content
    assert canonical(msgspec.json.decode(content, type=Strategy)) == content


def test_a_path_leads_from_a_stream_over_markets_and_who_decides_to_the_clone():
    strategy = strategy_of(
        graph(
            stream(id="fast"),
            stream(id="slow", interval="1d"),
            {"kind": "asset", "id": "a", "markets": ["SOL-USDC"]},
            {"kind": "asset", "id": "b", "markets": ["BTC-USDC"]},
            rule(),
            prompt(),
            trading_clone(model="openai:gpt"),
            edges=[
                ("fast", "a"), ("slow", "b"), ("a", "rule"), ("b", "prompt"), ("rule", "clone"), ("prompt", "clone"),
            ],
        )
    )  # fmt: skip

    ways = [(path.stream.id, path.asset.id, path.decider.id, path.clone.id) for path in paths(strategy)]
    assert ways == [("slow", "b", "prompt", "clone"), ("fast", "a", "rule", "clone")]
    assert clone_node(strategy).cadence_s == 60


def test_the_published_schema_names_every_kind_and_its_bounds():
    schema = json_schema()
    definitions = schema["$defs"]

    kinds = {name: definition["properties"]["kind"]["enum"][0] for name, definition in definitions.items()
             if "kind" in definition.get("properties", {})}  # fmt: skip
    assert {"data_stream", "asset", "trading_prompt", "rule", "trading_clone"} < set(kinds.values())
    assert {"compare", "cross", "all", "any", "not", "always", "chance", "target", "close", "hold"} < set(
        kinds.values()
    )
    assert definitions["CloneNode"]["properties"]["cadence_s"]["enum"] == list(words.CADENCES_S)
    assert definitions["Target"]["properties"]["share_ppm"]["minimum"] == -1_000_000
    assert definitions["Strategy"]["additionalProperties"] is False


def test_no_path_wants_more_features_or_candles_than_market_memory_reads_at_once():
    assert words.FEATURES_PER_PATH_MAX <= features.SNAPSHOT_FEATURES_MAX
    assert words.FEATURES_PER_STREAM_MAX <= words.FEATURES_PER_PATH_MAX
    assert words.CANDLES_PER_STREAM_MAX <= features.SNAPSHOT_CANDLES_MAX
