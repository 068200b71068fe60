"""Style, types, boundaries, dependencies and the web app's own checks: `make check`."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setup import ROOT, WEB, node_environment

BIN = ROOT / ".venv" / "bin"
AT_ONCE_MAX = 2

PYTHON_FOLDERS = ["src", "tests", "scripts", "benchmarks", "hatch_build.py"]
CHECKS: dict[str, list[str | Path]] = {
    "mypy --strict": [BIN / "mypy", "-p", "pump_party"],
    "web: biome and tsc": ["npm", "run", "--silent", "check"],
    "web: wire types": ["npm", "run", "--silent", "generate", "--", "--check"],
    "ruff check": [BIN / "ruff", "check", *PYTHON_FOLDERS],
    "ruff format": [BIN / "ruff", "format", "--check", *PYTHON_FOLDERS],
    "import contracts": [BIN / "lint-imports"],
    "dependencies": [BIN / "deptry", "src"],
}


def main() -> None:
    print(f"check: {', '.join(CHECKS)}", flush=True)
    with ThreadPoolExecutor(AT_ONCE_MAX) as pool:
        passed = list(pool.map(run_check, CHECKS))
    if not all(passed):
        sys.exit("check: failed; `.venv/bin/ruff check --fix` and `.venv/bin/ruff format` mend most of style")


def run_check(name: str) -> bool:
    """Run one check; its output is shown only when it fails."""
    started = time.monotonic()
    web = name.startswith("web")
    environment = {**(node_environment() if web else os.environ), "NO_COLOR": "1"}
    result = subprocess.run(
        [str(word) for word in CHECKS[name]],
        cwd=WEB if web else ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "ok" if result.returncode == 0 else "FAILED"
    output = "" if result.returncode == 0 else f"\n{result.stdout.rstrip()}"
    print(f"check: {name}: {verdict} in {time.monotonic() - started:.0f} s{output}", flush=True)
    return result.returncode == 0


if __name__ == "__main__":
    main()
