"""The project's own files, as the architecture tests see them: what is tracked, or would be."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pump_party"
TEXT_SUFFIXES = {
    ".py",
    ".ts",
    ".tsx",
    ".css",
    ".html",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
    ".json",
    ".lock",
    ".in",
    ".sql",
}
TEXT_NAMES = {"Makefile", "Dockerfile", ".gitignore", ".editorconfig", ".dockerignore", "run"}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file git knows or would add, relative to the root, in order."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(sorted(Path(name) for name in set(listed.split("\0")) if name and (ROOT / name).is_file()))


def text_files() -> list[Path]:
    return [path for path in project_files() if path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES]


def python_files(*folders: str) -> list[Path]:
    """Python files below the named folders, or all of them."""
    found = [path for path in project_files() if path.suffix == ".py"]
    return [path for path in found if not folders or any(path.is_relative_to(folder) for folder in folders)]


@cache
def read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(read(path), str(path))
