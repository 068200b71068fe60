"""Every test, on both cores: the web app's, then Python's on SQLite, Postgres, Redis and Chromium: `make test`.

Arguments go to pytest and leave the web app's tests out: `make test ONLY="tests/domains -k ledger"`.
"""

import os
import subprocess
import sys
import time

from setup import ROOT, WEB, node_environment

PYTEST = [sys.executable, "-m", "pytest", "--durations=12", "--durations-min=2"]


def main() -> None:
    chosen = sys.argv[1:]
    if chosen:
        sys.exit(run("chosen tests", [*PYTEST, *chosen]))
    failed = [name for name, command in suites().items() if run(name, command) != 0]
    if failed:
        sys.exit(f"test: FAILED: {', '.join(failed)}")
    print("test: all passed")


def suites() -> dict[str, list[str]]:
    """What runs, in order. Tests that kill servers or drive a browser come last, so that nothing waits for them."""
    cores = str(os.cpu_count() or 1)
    return {
        "web app": ["npm", "run", "--silent", "test"],
        "Python": [*PYTEST, "-n", cores, "--dist", "worksteal", "-m", "not browser and not faults"],
        "browser and faults": [*PYTEST, "-n", cores, "--dist", "worksteal", "-m", "browser or faults"],
    }


def run(name: str, command: list[str]) -> int:
    print(f"test: {name}: {' '.join(command)}", flush=True)
    started = time.monotonic()
    web = command[0] == "npm"
    code = subprocess.run(
        command, cwd=WEB if web else ROOT, env=node_environment() if web else None, check=False
    ).returncode
    print(f"test: {name}: {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True)
    return code


if __name__ == "__main__":
    main()
