"""Write requirements/*.lock from pyproject.toml: `make lock`. UPGRADE=--upgrade takes the newest allowed versions."""

import subprocess
import sys

from setup import ROOT, VENV, uv_environment

LOCKS = {
    "run.lock": ["pyproject.toml", "--extra", "build"],
    "dev.lock": ["pyproject.toml", "--extra", "build", "--extra", "dev", "-c", "requirements/run.lock"],
    "node.lock": ["requirements/node.in"],
    "bench.lock": ["requirements/bench.in"],
}
COMPILE = [
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-header"),
]


def main() -> None:
    for name, sources in LOCKS.items():
        output = ["-o", f"requirements/{name}"]
        command = [VENV / "bin" / "uv", *COMPILE, *sources, *output, *sys.argv[1:]]
        subprocess.run([str(word) for word in command], cwd=ROOT, env=uv_environment(), check=True)
        print(f"lock: requirements/{name}")


if __name__ == "__main__":
    main()
