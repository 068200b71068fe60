"""The servers of the tests leave nothing behind, however the process that started them ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import services
from tests.architecture.sources import ROOT

STARTS_BOTH = """
import os, signal
from tests import services
servers = [services.Postgres(), services.Redis()]
print(*(server.process_id for server in servers), *(server.folder for server in servers), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
GONE_SECONDS_MAX = 10


def test_servers_end_with_the_process_that_started_them_even_by_kill_9():
    started = subprocess.run(
        [sys.executable, "-c", STARTS_BOTH], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert started.returncode == -signal.SIGKILL, started.stderr
    *process_ids, postgres_folder, redis_folder = started.stdout.split()
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while any(Path(f"/proc/{process_id}").exists() for process_id in process_ids):
        assert time.monotonic() < deadline, "a server outlived its starter"
        time.sleep(0.05)

    services.remove_left_folders()
    assert not Path(postgres_folder).exists()
    assert not Path(redis_folder).exists()


def test_a_stopped_server_comes_back_with_its_data_on_the_same_url():
    import psycopg

    with services.Postgres() as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (id int)")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url, connect_timeout=1)
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_missing_program_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(services.shutil, "which", lambda _: None)
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(services.ServiceMissing, match="apt-get install chromium"):
        services.find_chromium()
    monkeypatch.setenv("CHROMIUM", os.devnull + "/nothing")
    with pytest.raises(services.ServiceMissing, match="CHROMIUM names"):
        services.find_chromium()
