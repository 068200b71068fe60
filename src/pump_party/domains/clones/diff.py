"""What differs between two strategies: blocks added, removed or changed, field by field, and edges."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from pump_party.domains.clones.strategy import Edge, Node, Strategy

FIELD_CHANGES_PER_NODE_MAX = 200


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class FieldChange(msgspec.Struct, frozen=True):
    """`path` is as in a problem, within the node: "clauses[0].then.share_ppm". None is a field that is not there."""

    path: str
    before: msgspec.Raw | None
    after: msgspec.Raw | None


class NodeChange(msgspec.Struct, frozen=True):
    """`fields` is empty for a node that was added or removed whole."""

    node_id: str
    kind: str
    change: Change
    fields: tuple[FieldChange, ...] = ()


class StrategyDiff(msgspec.Struct, frozen=True):
    nodes: tuple[NodeChange, ...]
    edges_added: tuple[Edge, ...]
    edges_removed: tuple[Edge, ...]

    def is_empty(self) -> bool:
        return not (self.nodes or self.edges_added or self.edges_removed)


def strategy_diff(before: Strategy, after: Strategy) -> StrategyDiff:
    """What turns one into the other, ordered by node id. Order of drawing is no difference."""
    old = {node.id: node for node in before.nodes}
    new = {node.id: node for node in after.nodes}
    return StrategyDiff(
        nodes=tuple(
            change
            for node_id in sorted(old.keys() | new.keys())
            for change in _node(old.get(node_id), new.get(node_id))
        ),
        edges_added=tuple(sorted(set(after.edges) - set(before.edges))),
        edges_removed=tuple(sorted(set(before.edges) - set(after.edges))),
    )


def _node(before: Node | None, after: Node | None) -> Iterator[NodeChange]:
    if before == after:
        return
    if after is None:
        assert before is not None
        yield NodeChange(before.id, kind_of(before), Change.REMOVED)
    elif before is None:
        yield NodeChange(after.id, kind_of(after), Change.ADDED)
    else:
        changes = _fields("", _plain(before), _plain(after))
        fields = tuple(change for change, _ in zip(changes, range(FIELD_CHANGES_PER_NODE_MAX), strict=False))
        yield NodeChange(after.id, kind_of(after), Change.CHANGED, fields)


def kind_of(node: Node) -> str:
    """The word that says in JSON which block it is."""
    return str(node.__struct_config__.tag)


def _plain(node: Node) -> Any:
    return msgspec.json.decode(msgspec.json.encode(node))


_ABSENT = object()


def _fields(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else name
            yield from _fields(inner, before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            sides = (side[index] if index < len(side) else _ABSENT for side in (before, after))
            yield from _fields(f"{path}[{index}]", *sides)
    else:
        yield FieldChange(path, _raw(before), _raw(after))


def _raw(value: Any) -> msgspec.Raw | None:
    return None if value is _ABSENT else msgspec.Raw(msgspec.json.encode(value))
