"""Documentation that can be checked: links lead somewhere, named files and commands exist, decisions are complete."""

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.architecture.sources import PACKAGE, ROOT, project_files, read

from pump_party.db.engine import Database

ADR = Path("docs/adr")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+\.(?:py|toml|md|ts|tsx|lock))?)`")
MAKE_COMMAND = re.compile(r"\bmake ([a-z]+)\b")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATHS_START_AT = (ROOT, PACKAGE, ROOT / "web" / "src")


def documents() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".md"]


def test_every_link_leads_to_a_file_and_a_heading():
    assert [f"{document}: {target}" for document, target in _broken_links()] == []


def _broken_links() -> Iterator[tuple[Path, str]]:
    for document in documents():
        for target in LINK.findall(_without_code(read(document))):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (ROOT / document.parent / path) if path else ROOT / document
            if not file.exists() or (anchor and anchor not in _anchors(file)):
                yield document, target


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchors(file: Path) -> set[str]:
    headings = HEADING.findall(file.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_file_a_document_names_exists():
    missing = [
        f"{document}: {name}"
        for document in documents()
        for name in NAMED_FILE.findall(_without_code(read(document)))
        if not any((start / name).exists() for start in (*PATHS_START_AT, ROOT / document.parent))
        if not name.startswith(("data/", "../"))
    ]
    assert missing == []


def test_every_make_command_a_document_names_exists():
    targets = set(re.findall(r"^([a-z]+):", read(Path("Makefile")), re.MULTILINE))
    named = {
        (str(document), command) for document in documents() for command in re.findall(MAKE_COMMAND, _code(document))
    }
    assert {(document, command) for document, command in named if command not in targets} == set()


def _code(document: Path) -> str:
    return "\n".join(re.findall(r"`[^`]+`|^```.*?^```$", read(document), re.MULTILINE | re.DOTALL))


def test_decisions_are_numbered_without_gaps_and_say_what_they_cost():
    decisions = [path for path in documents() if path.parent == ADR]
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        assert read(path).startswith(f"# {int(path.name[:4])}. "), path
        for part in ("**Context.**", "**Decision.**", "**Cost.**", "**Alternatives.**"):
            assert part in read(path), (path, part)


def test_every_domain_has_its_page():
    domains = {path.parent.name for path in PACKAGE.glob("domains/*/__init__.py")}
    assert domains - {path.stem for path in documents() if path.parent == Path("docs/domains")} == set()


def test_the_map_names_every_package_and_worker():
    text = read(Path("docs/ARCHITECTURE.md"))
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    workers = {path.name for path in PACKAGE.glob("apps/workers/*.py") if path.name != "__init__.py"}
    assert {name for name in packages if f"{name}/" not in text} == set()
    assert {name for name in workers if name not in text} == set()


def test_ci_runs_the_command_that_the_readme_gives():
    assert "make test" in _code(Path("README.md"))
    assert "exec make test" in read(Path(".ci/run"))


def test_the_backup_command_of_the_runbook_copies_a_database_that_is_in_use(sqlite_path: Path, tmp_path: Path):
    command = re.search(r"```sh\n(python3 - .*?END)\n```", read(Path("docs/runbooks/restore-a-backup.md")), re.DOTALL)
    assert command is not None
    (tmp_path / "data").mkdir()
    original = Path(shutil.copy(sqlite_path, tmp_path / "data" / "pump_party.sqlite3"))
    with closing(Database(f"sqlite:///{original}")) as database, database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE newest (id INTEGER) STRICT")
        connection.exec_driver_sql("INSERT INTO newest VALUES (7)")
        connection.commit()
        assert original.with_name("pump_party.sqlite3-wal").stat().st_size > 0, "the newest commit is not in the file"
        subprocess.run(["sh", "-c", command[1]], cwd=tmp_path, check=True)

    (tmp_path / "proof").mkdir()
    copy = shutil.copy(tmp_path / "backup.sqlite3", tmp_path / "proof" / "pump_party.sqlite3")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT id FROM newest").fetchall() == [(7,)]
    check = [Path(sys.executable).parent / "pump-party", "db", "check", "--data-dir", tmp_path / "proof"]
    assert "everything balances" in subprocess.run(check, capture_output=True, text=True, check=True).stdout
