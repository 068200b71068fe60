"""Set up what a make command needs, and only what is missing: python3 scripts/setup.py run|test|web|bench.

Runs on the machine's own python3 with its standard library. Every step is skipped when a stamp shows that its inputs
have not changed, so a second run takes a moment. Whatever fails says what to do next.
"""

from __future__ import annotations

import argparse
import configparser
import fcntl
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CACHE = ROOT / ".cache"
LOG = CACHE / "setup.log"
WEB = ROOT / "web"
ASSETS = ROOT / "src" / "pump_party" / "apps" / "api" / "assets"
NODE_VENV = CACHE / "node"
BENCH_VENV = CACHE / "bench"

PYTHON_MIN = (3, 11)
NODE_RULE = "^20.19 or >=22.12"
STILL_AT_IT_SECONDS = 15
LOG_LINES_SHOWN = 25
WEB_SOURCES = ("src", "public", "index.html", "vite.config.ts", "tsconfig.json", "package.json", "package-lock.json")


class SetupError(Exception):
    """Stops the set-up. Its text says what to do next."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("goal", choices=["run", "test", "web", "bench"])
    goal = parser.parse_args().goal
    CACHE.mkdir(exist_ok=True)
    try:
        with one_at_a_time():
            check_python()
            if goal != "web":
                set_up_python("run" if goal == "run" else "test")
            if goal in ("test", "bench") or not os.environ.get("SKIP_WEB"):
                set_up_web()
            if goal in ("test", "bench"):
                set_up_services()
            if goal == "bench":
                set_up_peer()
    except SetupError as error:
        sys.exit(f"\nsetup stopped: {error}")


# --- Python --------------------------------------------------------------------------------------


def check_python() -> None:
    if sys.version_info[:2] < PYTHON_MIN:
        raise SetupError(
            "Pump Party needs Python 3.11 or newer and this is "
            f"{sys.version.split()[0]}. Name another one: make run PYTHON=python3.12"
        )


def set_up_python(goal: str) -> None:
    """Install the locked packages and this checkout. The test set holds the run set, so it serves both."""
    locks = {"run": ROOT / "requirements" / "run.lock", "test": ROOT / "requirements" / "dev.lock"}
    stamp_file = VENV / "pump-party-setup.json"
    wanted = {name: sys.version + digest([lock, ROOT / "pyproject.toml"]) for name, lock in locks.items()}
    done = read_stamp(stamp_file) if works([VENV / "bin" / "python", "-c", "import pump_party"]) else {}
    if done.get("test") == wanted["test"] or done.get(goal) == wanted[goal]:
        return

    if not works([VENV / "bin" / "python", "-c", ""]):
        make_venv()
    environment = uv_environment()
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        with step("installing uv"):
            install_uv(locks["run"])
    count = len(re.findall(r"^[a-z0-9].*==", locks[goal].read_text(), re.MULTILINE))
    with step(f"installing {count} Python packages"):
        # Compiled at once, the product starts in seconds the first time too; tests compile what they import.
        compiled = ["--compile-bytecode"] if goal == "run" else []
        run([uv, "pip", "sync", "--require-hashes", *compiled, locks[goal]], env=environment)
        run([uv, "pip", "install", "--no-deps", "--no-build-isolation", "-e", ROOT], env=environment)
    write_stamp(stamp_file, {goal: wanted[goal]})


def make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    # With a pip on the machine the environment needs none of its own, which saves most of the time.
    without_pip = ["--without-pip"] if works([sys.executable, "-m", "pip", "--version"]) else []
    if not without_pip and not works([sys.executable, "-c", "import ensurepip"]):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        apt_install([f"python{version}-venv"], why="this Python cannot make virtual environments")
    with step("making a virtual environment in .venv"):
        run([sys.executable, "-m", "venv", *without_pip, VENV])


def install_uv(lock: Path) -> None:
    """Install the uv that the lock names, with its hashes, by whichever pip there is."""
    block = re.search(r"^uv==.*?(?=^\S|\Z)", lock.read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    only_uv = CACHE / "uv.lock"
    only_uv.write_text(re.sub(r"^ *#.*\n", "", block.group(0), flags=re.MULTILINE))
    inside = VENV / "bin" / "pip"
    pip = [inside] if inside.exists() else [sys.executable, "-m", "pip", "--python", VENV / "bin" / "python"]
    run([*pip, "install", "--no-deps", "--require-hashes", "-r", only_uv])


def uv_environment() -> dict[str, str]:
    """What uv must know of this machine's package index: it reads UV_* variables, pip's own settings it does not."""
    environment = {**trusting_environment(), "VIRTUAL_ENV": str(VENV)}
    if any(name.startswith("UV_") and "INDEX" in name for name in environment):
        return environment
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "trusted-host": "UV_INSECURE_HOST",
        "cert": "SSL_CERT_FILE",
    }
    settings = pip_settings()
    for pip_name, uv_name in names.items():
        if settings.get(pip_name):
            environment.setdefault(uv_name, " ".join(settings[pip_name].split()))
    # Like pip, look at every index; the hashes decide what is taken.
    environment["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return environment


def pip_settings() -> dict[str, str]:
    """pip's settings for `install`, from its files and PIP_* variables, in pip's order."""
    home = Path.home()
    parser = configparser.RawConfigParser()
    parser.read(
        [
            "/etc/xdg/pip/pip.conf",
            "/etc/pip.conf",
            home / ".pip" / "pip.conf",
            Path(os.environ.get("XDG_CONFIG_HOME", home / ".config")) / "pip" / "pip.conf",
            Path(sys.prefix) / "pip.conf",
            os.environ.get("PIP_CONFIG_FILE", os.devnull),
        ]
    )
    settings: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            settings |= {name.replace("_", "-"): value for name, value in parser.items(section)}
    prefix = "PIP_"
    for name, value in os.environ.items():
        if name.startswith(prefix):
            settings[name[len(prefix) :].lower().replace("_", "-")] = value
    return settings


# --- web -----------------------------------------------------------------------------------------


def set_up_web() -> None:
    """Install the web packages and build the app when their sources have changed."""
    sources = digest([WEB / name for name in WEB_SOURCES])
    stamp_file = CACHE / "web.json"
    packages = digest([WEB / "package.json", WEB / "package-lock.json"])
    packages_stamp = WEB / "node_modules" / ".pump-party-setup.json"
    installed = read_stamp(packages_stamp).get("packages") == packages
    built = (ASSETS / "index.html").exists() and read_stamp(stamp_file).get("sources") == sources
    if installed and built:
        return

    environment = node_environment()
    if not installed:
        with step("installing the web packages"):
            shutil.rmtree(WEB / "node_modules", ignore_errors=True)
            # Versions and hashes come from the lock, as with `npm ci`, which however refuses a lock without packages
            # for other platforms that a filtered registry does not carry.
            run(["npm", "install", "--no-save", "--no-audit", "--no-fund"], cwd=WEB, env=environment)
        write_stamp(packages_stamp, {"packages": packages})
    if not built:
        with step("building the web app"):
            run(["npm", "run", "build"], cwd=WEB, env=environment)
        write_stamp(stamp_file, {"sources": sources})


def node_environment() -> dict[str, str]:
    """The environment with a `node` and an `npm` that can build the app, from the machine or from PyPI."""
    if shutil.which("npm") and node_is_new_enough("node"):
        return trusting_environment()
    lock = ROOT / "requirements" / "node.lock"
    stamp_file = NODE_VENV / "pump-party-setup.json"
    if read_stamp(stamp_file).get("lock") != digest([lock]):
        uv = VENV / "bin" / "uv"
        if not uv.exists():
            raise SetupError(f"the web app needs Node.js {NODE_RULE} with npm: install it, or run `make run` first")
        with step(f"installing Node.js, as the machine has none that is {NODE_RULE}"):
            run([uv, "venv", "--clear", "--python", sys.executable, NODE_VENV])
            environment = {**uv_environment(), "VIRTUAL_ENV": str(NODE_VENV)}
            run([uv, "pip", "sync", "--require-hashes", lock], env=environment)
        write_stamp(stamp_file, {"lock": digest([lock])})
    return {**trusting_environment(), "PATH": f"{NODE_VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def set_up_peer() -> None:
    """Install what the benchmarks measure the product against, apart from the product's own packages."""
    lock = ROOT / "requirements" / "bench.lock"
    stamp_file = BENCH_VENV / "pump-party-setup.json"
    if read_stamp(stamp_file).get("lock") == digest([lock]):
        return
    uv = VENV / "bin" / "uv"
    with step("installing the peers of the benchmarks"):
        run([uv, "venv", "--clear", "--python", sys.executable, BENCH_VENV])
        environment = {**uv_environment(), "VIRTUAL_ENV": str(BENCH_VENV)}
        run([uv, "pip", "sync", "--require-hashes", lock], env=environment)
    write_stamp(stamp_file, {"lock": digest([lock])})


def node_is_new_enough(node: str) -> bool:
    if not shutil.which(node):
        return False
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", text)
    if not found:
        return False
    version = (int(found[1]), int(found[2]))
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


# --- services for the tests ----------------------------------------------------------------------


def set_up_services() -> None:
    """Install Chromium and what drives it; Postgres and Redis where the wheels of the dev lock do not bring them."""
    missing = []
    finders = "from tests import services; services.find_{}()"
    for service, package in (("postgres", "postgresql"), ("redis_server", "redis-server"), ("chromium", "chromium")):
        if not works([VENV / "bin" / "python", "-c", finders.format(service)], cwd=ROOT):
            missing.append(package)
    if not works([VENV / "bin" / "python", "-m", "playwright", "--version"]):
        missing.append("libatomic1")
    if missing:
        apt_install(missing, why="the tests drive the real thing")


def apt_install(packages: Sequence[str], *, why: str) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        raise SetupError(f"{why}: install {' and '.join(packages)} with your package manager, then run this again")
    if os.geteuid() != 0:
        raise SetupError(f"{why}. Run this, then try again:\n\n    sudo {' '.join(command)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {' and '.join(packages)} from Debian, as {why}"):
        try:
            run(command, env=environment)
        except SetupError:
            run(["apt-get", "update"], env=environment)
            run(command, env=environment)


def trusting_environment() -> dict[str, str]:
    """The environment in which uv and npm trust the certificates that the machine trusts, as pip and curl do."""
    environment = dict(os.environ)
    bundle = ssl.get_default_verify_paths().openssl_cafile
    for candidate in (bundle, "/etc/ssl/certs/ca-certificates.crt"):
        if Path(candidate).is_file():
            environment.setdefault("UV_SYSTEM_CERTS", "true")
            environment.setdefault("NODE_EXTRA_CA_CERTS", candidate)
            break
    return environment


# --- running and remembering ---------------------------------------------------------------------


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done and how long it took."""
    print(f"setup: {what} ...", flush=True)
    started = time.monotonic()
    yield
    print(f"setup: {what}: done in {time.monotonic() - started:.0f} s", flush=True)


def run(command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, its output in the log; when it fails, show the last lines."""
    words = [str(word) for word in command]
    with LOG.open("a") as log:
        print(f"\n$ {' '.join(words)}", file=log, flush=True)
        started_at = log.tell()
        process = subprocess.Popen(words, cwd=cwd, env=env, stdout=log, stderr=subprocess.STDOUT)
        started = time.monotonic()
        code = None
        while code is None:
            try:
                code = process.wait(STILL_AT_IT_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"setup:   still at it after {time.monotonic() - started:.0f} s ({words[0]})", flush=True)
    if code != 0:
        with LOG.open() as log:
            log.seek(started_at)
            lines = log.read().splitlines()[-LOG_LINES_SHOWN:]
        shown = "\n".join(f"    {line}" for line in lines)
        raise SetupError(f"`{' '.join(words)}` failed with {code}:\n\n{shown}\n\nThe whole output is in {LOG}.")


def works(command: Sequence[str | Path], *, cwd: Path = ROOT) -> bool:
    """Tell whether a command exists and succeeds, quietly."""
    try:
        return subprocess.run([str(w) for w in command], cwd=cwd, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def digest(paths: Sequence[Path]) -> str:
    """One hash over the names and contents of files and folders."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            total.update(f"{file.relative_to(ROOT)}\0".encode())
            total.update(file.read_bytes() if file.exists() else b"")
    return total.hexdigest()


def read_stamp(path: Path) -> dict[str, Any]:
    try:
        stamp: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return stamp


def write_stamp(path: Path, content: Mapping[str, str]) -> None:
    path.write_text(json.dumps(content))


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two `make` commands in one checkout take turns."""
    with (CACHE / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: waiting for another setup in this checkout ...", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
