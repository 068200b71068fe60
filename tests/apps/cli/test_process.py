"""How a process of parts starts, fails and stops; each in an interpreter of its own, for the signals."""

import resource
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from pump_party.apps.cli import process
from pump_party.apps.cli.process import Part, run_process

async def good(services, stop, ready):
    ready()
    await stop.wait()

async def stubborn(services, stop, ready):
    ready()
    await asyncio.sleep(60)

async def failing(services, stop, ready):
    ready()
    raise ValueError("broken part")

async def crowded(services, stop, ready):
    import socket
    held = [socket.socket() for _ in range(200)]
    ready()
    await stop.wait()

async def ending(services, stop, ready):
    ready()

process.SHUTDOWN_S = {shutdown_s}
parts = [Part(name=part.__name__, run=part) for part in ({parts},)]
raise SystemExit(run_process(None, parts, lambda: print("ready", flush=True)))
"""


def start(parts: str, *, shutdown_s: float = 5, files: tuple[int, int] | None = None) -> subprocess.Popen[str]:
    code = PROGRAM.format(parts=parts, shutdown_s=shutdown_s)
    if files is not None:
        code = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, {files})\n{code}"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_part_and_the_process_ends_well(number):
    process = start("good")
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "stopping; once more to stop at once\n")


def test_a_second_signal_ends_the_process_at_once():
    process = start("good, stubborn", shutdown_s=60)
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("stopping")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGINT


def test_a_part_that_does_not_stop_is_cut_off_and_the_process_says_so():
    process = start("good, stubborn", shutdown_s=0.2)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "did not stop in time" in out


@pytest.mark.parametrize(("part", "said"), [("failing", "broken part"), ("ending", "ended by itself")])
def test_a_part_that_fails_or_ends_stops_the_others(part, said):
    process = start(f"good, {part}")
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said in out


def test_a_process_takes_as_many_open_files_as_its_machine_allows():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    process = start("good, crowded", files=(64, most))
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == "stopping; once more to stop at once\n"
    assert process.returncode == 0
