"""Reads a value that may be partly wrong: every wrong place is told, and what is right is still there to check."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from pump_party.domains.clones.problem import UNREAD, WrongPlace
from pump_party.domains.clones.problem import ProblemCode as Code
from pump_party.domains.marketdata.contract import Feature

WHOLE: tuple[type[msgspec.Struct], ...] = (Feature,)
"""Makes sense only with all its fields: with one unread, it is unread."""

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?", re.DOTALL)

T = TypeVar("T")


def read_partly(value: Any, kind: Any) -> tuple[Any, list[WrongPlace]]:
    """A JSON value as this type. With wrong places, UNREAD stands for them in what is returned."""
    wrong: list[WrongPlace] = []
    return _read(value, kind, "", wrong), wrong


def read_items(items: Iterable[T]) -> Iterator[tuple[int, T]]:
    """What could be read of a tuple, each with its index."""
    if items is not UNREAD:
        yield from ((index, item) for index, item in enumerate(items) if item is not UNREAD)


def _read(value: Any, kind: Any, at: str, wrong: list[WrongPlace]) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        refusal = error
    struct = _struct_of(value, kind)
    if struct is not None:
        return _read_fields(value, struct, at, wrong)
    if get_origin(kind) is tuple and isinstance(value, list):
        item_kind = get_args(kind)[0]
        return tuple(_read(item, item_kind, f"{at}[{index}]", wrong) for index, item in enumerate(value))
    # The words of msgspec name types and fields, never values of others.
    match = _PLACE.fullmatch(str(refusal))
    assert match is not None
    wrong.append(WrongPlace(_join(at, match["path"] or ""), Code.BAD_SHAPE, match["what"].replace("`", "")))
    return UNREAD


def _struct_of(value: Any, kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a JSON object is meant to be: of a union the one it names."""
    if not isinstance(value, dict) or get_origin(kind) in (tuple, Annotated):
        return None
    for choice in get_args(kind) or (kind,):
        if isinstance(choice, type) and issubclass(choice, msgspec.Struct):
            config = choice.__struct_config__
            if config.tag_field is None or value.get(config.tag_field) == config.tag:
                return choice
    return None


def _read_fields(value: Mapping[str, Any], struct: type[msgspec.Struct], at: str, wrong: list[WrongPlace]) -> Any:
    fields = msgspec.structs.fields(struct)
    config = struct.__struct_config__
    if config.forbid_unknown_fields:
        unknown = sorted(value.keys() - {field.encode_name for field in fields} - {config.tag_field})
        wrong += [WrongPlace(at, Code.UNKNOWN_FIELD, f"Object contains unknown field {name}") for name in unknown]
    read: dict[str, Any] = {}
    for field in fields:
        if field.encode_name in value:
            read[field.name] = _read(value[field.encode_name], field.type, _join(at, field.encode_name), wrong)
        elif field.required:
            wrong.append(WrongPlace(at, Code.BAD_SHAPE, f"Object missing required field {field.encode_name}"))
            read[field.name] = UNREAD
    return UNREAD if struct in WHOLE and UNREAD in read.values() else struct(**read)


def _join(at: str, inner: str) -> str:
    return f"{at}.{inner}" if at and inner else at or inner
