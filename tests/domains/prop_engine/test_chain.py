from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.prop_engine.chain import canonical, genesis, leaf_hash, link, merkle_root


def test_canonical_bytes_hashes_roots_and_chain_are_those_of_the_vectors(recorded_data: Path) -> None:
    vectors = msgspec.json.decode((recorded_data / "spec/vectors.json").read_bytes())["integrity"]
    lines = [canonical(record) for record in vectors["records"]]
    leaves = [leaf_hash(line) for line in lines]

    assert [line.decode() for line in lines] == vectors["canonical"]
    assert [leaf.hex() for leaf in leaves] == vectors["leaf_hashes"]
    for size, root in vectors["roots"].items():
        assert merkle_root(leaves[: int(size)]).hex() == root
    head = genesis(vectors["genesis"])
    for leaf, linked in zip(leaves, vectors["chain"], strict=True):
        head = link(head, leaf)
        assert head.hex() == linked


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=20), st.data())
def test_changing_any_one_record_changes_every_later_head_and_the_root(lines: list[bytes], data: st.DataObject) -> None:
    changed = data.draw(st.integers(0, len(lines) - 1))
    other = [line + b"!" if i == changed else line for i, line in enumerate(lines)]
    heads, other_heads = _heads(lines), _heads(other)
    assert heads[:changed] == other_heads[:changed]
    assert all(a != b for a, b in zip(heads[changed:], other_heads[changed:], strict=True))
    assert merkle_root([leaf_hash(x) for x in lines]) != merkle_root([leaf_hash(x) for x in other])


def _heads(lines: list[bytes]) -> list[bytes]:
    head, heads = genesis("account"), []
    for line in lines:
        head = link(head, leaf_hash(line))
        heads.append(head)
    return heads
