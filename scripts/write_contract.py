"""Writes the snapshot of the prop_interface contract that a test compares: one file per version, never changed.

A version that was given out stays as it is: after a change raise CONTRACT_VERSION and run this. While a version has not
been released, --replace writes its file anew.
"""

import argparse
import enum
import inspect
import json
import sys
import types
import typing
from pathlib import Path
from typing import Any

import msgspec

from pump_party.domains.prop_interface import contract

SNAPSHOTS = Path(__file__).parents[1] / "tests" / "domains" / "prop_interface"


def snapshot() -> dict[str, Any]:
    """Every struct, enum, union, limit and method of the contract, by name."""
    public = {name: getattr(contract, name) for name in contract.__all__ if name != "CONTRACT_VERSION"}
    kinds: dict[str, Any] = {"enums": {}, "limits": {}, "methods": {}, "structs": {}, "unions": {}}
    for name, value in public.items():
        if isinstance(value, int):
            kinds["limits"][name] = value
        elif isinstance(value, types.UnionType):
            kinds["unions"][name] = _name(value)
        elif issubclass(value, enum.Enum):
            kinds["enums"][name] = {member.name: member.value for member in value}
        elif issubclass(value, msgspec.Struct):
            kinds["structs"][name] = _struct(value)
        else:
            kinds["methods"] |= {f"{name}.{m}": _method(f) for m, f in vars(value).items() if inspect.isfunction(f)}
    return {"version": contract.CONTRACT_VERSION, **{kind: _sorted(kinds[kind]) for kind in sorted(kinds)}}


def _struct(struct: type[msgspec.Struct]) -> dict[str, Any]:
    fields = {field.name: _field(field) for field in msgspec.structs.fields(struct)}
    tag = struct.__struct_config__.tag
    return {"fields": fields, **({} if tag is None else {"tag": tag})}


def _field(field: msgspec.structs.FieldInfo) -> str:
    """A field without a default is required."""
    text = _name(field.type)
    return text if field.default is msgspec.NODEFAULT else f"{text} = {_value(field.default)}"


def _value(value: object) -> str:
    return f"{type(value).__name__}.{value.name}" if isinstance(value, enum.Enum) else repr(value)


def _method(function: types.FunctionType) -> str:
    if function.__name__.startswith("_"):
        return ""
    hints = typing.get_type_hints(function, vars(contract))
    told = [
        f"{'*, ' if p.kind is p.KEYWORD_ONLY else ''}{p.name}: {_name(hints[p.name])}"
        for p in list(inspect.signature(function).parameters.values())[1:]
    ]
    return f"({', '.join(told)}) -> {_name(hints['return'])}"


def _name(annotation: object) -> str:
    if annotation is type(None):
        return "None"
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return " | ".join(_name(part) for part in typing.get_args(annotation))
    arguments = typing.get_args(annotation)
    plain = getattr(typing.get_origin(annotation) or annotation, "__name__", str(annotation))
    inner = ", ".join("..." if part is ... else _name(part) for part in arguments)
    return f"{plain}[{inner}]" if arguments else plain


def _sorted(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: entries[name] for name in sorted(entries) if entries[name] != ""}


def path_of(version: int) -> Path:
    return SNAPSHOTS / f"contract.v{version}.json"


def text_of(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the snapshot of the contract's version.")
    parser.add_argument("--replace", action="store_true", help="the version has not been released: write its file anew")
    replace = parser.parse_args().replace
    path, text = path_of(contract.CONTRACT_VERSION), text_of(snapshot())
    if path.exists() and path.read_text() != text and not replace:
        sys.exit(f"{path.name} says otherwise: raise CONTRACT_VERSION, or use --replace before its release")
    path.write_text(text)
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
