"""House rules that imports and ruff cannot see: budgets, tables, integers, docstrings, nothing unfinished."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture.sources import ROOT, parse, project_files, python_files, read, text_files

PYTHON_LINES_MAX = 400
TYPESCRIPT_LINES_MAX = 250
FUNCTION_LINES_MAX = 50

GENERATED = {Path("web/src/api/schema.d.ts")}
WAIVERS = {
    "src/pump_party/platform/metrics.py::__init__": "a list of declarations, one per metric",
}
"""Path, or path::function, over its budget, and why it is still one thing."""

DOMAIN_PREFIXES = ("users", "marketdata", "prop", "clones", "aitrading", "backtests")
PLATFORM_PREFIX = "platform"
TABLE_NAME = re.compile(rf"\b({'|'.join((*DOMAIN_PREFIXES, PLATFORM_PREFIX))})_[a-z0-9_]+\b")


def test_no_file_is_longer_than_its_budget_without_a_reason():
    budgets = {".py": PYTHON_LINES_MAX, ".ts": TYPESCRIPT_LINES_MAX, ".tsx": TYPESCRIPT_LINES_MAX}
    long = {
        str(path): lines
        for path in project_files()
        if path.suffix in budgets and path not in GENERATED
        if (lines := len(read(path).splitlines())) > budgets[path.suffix]
    }
    assert {path: lines for path, lines in long.items() if path not in WAIVERS} == {}


def test_no_function_is_longer_than_its_budget_without_a_reason():
    long = dict(_long_functions())
    assert {name: lines for name, lines in long.items() if name not in WAIVERS} == {}


def test_no_waiver_has_outlived_its_reason():
    over_budget = {name for name, _ in _long_functions()}
    over_budget |= {str(path) for path in python_files() if len(read(path).splitlines()) > PYTHON_LINES_MAX}
    assert set(WAIVERS) - over_budget == set()


def _long_functions() -> Iterator[tuple[str, int]]:
    """Functions over the budget. Migrations are left out: they are lists of columns, and never edited."""
    for path in python_files():
        if path.is_relative_to("src/pump_party/db/migrations"):
            continue
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    yield f"{path}::{node.name}", lines


@pytest.mark.parametrize("path", python_files("src/pump_party/db"), ids=str)
def test_a_database_file_names_only_the_tables_of_its_domain(path: Path):
    allowed = {_prefix_of(path), PLATFORM_PREFIX}
    named = {
        match[0]: match[1]
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for match in TABLE_NAME.finditer(node.value)
        if match[0] in _all_tables()
    }
    assert {table for table, prefix in named.items() if prefix not in allowed} == set()


@pytest.mark.parametrize("path", python_files("src/pump_party/db"), ids=str)
def test_a_database_file_imports_only_its_domain_and_the_platform(path: Path):
    imported = {
        (node.module or "").removeprefix("pump_party.db.")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pump_party.db.")
    }
    foreign = {name for name in imported if _prefix_of(Path(f"{name}.py")) not in (_prefix_of(path), PLATFORM_PREFIX)}
    assert foreign == set()


def test_every_table_carries_the_prefix_of_the_file_that_declares_it():
    declared = {str(path): _declared_tables(path) for path in python_files("src/pump_party/db")}
    assert any(declared.values())
    for path, tables in declared.items():
        assert {t for t in tables if not t.startswith(f"{_prefix_of(Path(path))}_")} == set(), path


def _prefix_of(path: Path) -> str:
    first = re.sub(r"^\d+_", "", path.stem).split("_")[0]
    return first if first in DOMAIN_PREFIXES else PLATFORM_PREFIX


def _all_tables() -> set[str]:
    return {table for path in python_files("src/pump_party/db") for table in _declared_tables(path)}


def _declared_tables(path: Path) -> set[str]:
    return {
        node.args[0].value
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
        if (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id) in ("Table", "create_table")
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


@pytest.mark.parametrize("path", python_files("src/pump_party/domains", "src/pump_party/kernel"), ids=str)
def test_product_logic_computes_with_integers_only(path: Path):
    floats = [
        f"line {node.lineno}"
        for node in ast.walk(parse(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id in ("float", "round"))
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
    ]
    assert floats == []


@pytest.mark.parametrize("path", [p for p in python_files("src") if p.name == "__init__.py"], ids=str)
def test_every_package_says_what_it_is_for(path: Path):
    docstring = ast.get_docstring(parse(path)) or ""
    assert docstring
    is_domain = path.parts[2] == "domains" and len(path.parts) == 5
    if is_domain:
        assert [word for word in ("Owns:", "State:", "Must not:") if word not in docstring] == []
        assert len(parse(path).body) == 1, "a domain's __init__ holds no code"


@pytest.mark.parametrize("path", python_files("src", "scripts"), ids=str)
def test_every_module_says_what_it_decides(path: Path):
    assert ast.get_docstring(parse(path))


def test_nothing_is_skipped_stubbed_or_left_for_later():
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "xf" + "ail", r"pytest\.sk" + r"ip", r"mark\.sk" + "ip")
    more = (r"Not" + "ImplementedError", r"\b(it|test|describe)\.(sk" + r"ip|only|to" + r"do)\b", "assert " + "True")
    unfinished = re.compile("|".join((*marks, *more)))
    assert _lines_with(unfinished, text_files()) == []


def test_nothing_speaks_of_the_machine_it_was_written_on():
    homes = re.compile(rf"(?<![\w.])(/ho[m]e/\w+|/User[s]/\w+|/roo[t]/|{re.escape(str(ROOT))}\b)")
    assert _lines_with(homes, text_files()) == []


def test_lock_files_carry_versions_and_hashes_but_no_addresses():
    locks = [path for path in project_files() if path.suffix == ".lock" or path.name == "package-lock.json"]
    assert len(locks) >= 4
    address = re.compile(r'"resolved"|^\s*(-i|-f|--(extra-)?index-url|--find-links)\b| @ \w+://')
    assert _lines_with(address, locks) == []
    for path in locks:
        hashed = '"integrity": "sha512-' if path.suffix == ".json" else "--hash=sha256:"
        assert hashed in read(path), path


def test_the_web_lock_is_of_the_web_manifest():
    manifest = json.loads(read(Path("web/package.json")))
    root = json.loads(read(Path("web/package-lock.json")))["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        assert root[kind] == manifest[kind]


def _lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in paths
        for number, line in enumerate(read(path).splitlines(), 1)
        if pattern.search(line)
    ]
