import io
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import structlog

from pump_party.platform.logging import LINES_WAITING_MAX, SECRET_KEYS, configure_logging, get_logger


@pytest.fixture
def stream():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def eventually(read: Callable[[], str]) -> str:
    """What is read once there is something."""
    deadline = time.monotonic() + 5
    while not read() and time.monotonic() < deadline:
        time.sleep(0.01)
    return read()


def test_lines_of_routine_leave_together_a_moment_later(stream):
    configure_logging("info", "json", stream)
    get_logger("x").info("first")
    get_logger("x").info("second")
    assert stream.getvalue() == ""
    eventually(stream.getvalue)
    assert [line["event"] for line in lines(stream)] == ["first", "second"]


def test_a_warning_leaves_at_once_behind_what_waited(stream):
    configure_logging("info", "json", stream)
    get_logger("x").info("first")
    get_logger("x").warning("careful")
    assert [line["event"] for line in lines(stream)] == ["first", "careful"]


def test_no_more_than_so_many_lines_wait(stream):
    configure_logging("info", "json", stream)
    for number in range(LINES_WAITING_MAX + 1):
        get_logger("x").info("line", number=number)
    assert len(lines(stream)) == LINES_WAITING_MAX


def test_a_person_who_watches_sees_every_line_at_once():
    terminal = Terminal()
    configure_logging("info", "console", terminal)
    get_logger("x").info("ready")
    assert "ready" in terminal.getvalue()


def test_what_waits_is_written_when_the_process_ends():
    script = (
        "from pump_party.platform.logging import configure_logging, get_logger;"
        "configure_logging('info', 'json'); get_logger('x').info('last words')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert json.loads(done.stderr)["event"] == "last words"


def test_a_line_is_one_json_object_with_level_time_and_component(stream):
    flush = configure_logging("info", "json", stream)
    get_logger("http").info("request", status=201, duration_ms=1.5, user_id=None)
    flush()
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["component"], line["status"]) == ("request", "info", "http", 201)
    assert str(line["time"]).endswith("Z")


def test_lines_below_the_level_are_not_written(stream):
    configure_logging("warning", "json", stream)
    get_logger("x").info("quiet")
    get_logger("x").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_secrets_are_hidden_whoever_logs_them(stream):
    configure_logging("info", "json", stream)
    get_logger("x").warning("mistake", **dict.fromkeys(SECRET_KEYS, "hunter2"))
    (line,) = lines(stream)
    assert {line[name] for name in SECRET_KEYS} == {"(hidden)"}


def test_an_exception_is_part_of_its_line(stream):
    configure_logging("info", "json", stream)
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError as error:
        get_logger("x").error("failed", exc_info=error)
    (line,) = lines(stream)
    assert "ZeroDivisionError: by zero" in str(line["exception"])


def test_warnings_of_libraries_become_lines_and_their_chatter_does_not(stream):
    configure_logging("info", "json", stream)
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("careful: %s", 7)
    (line,) = lines(stream)
    assert (line["component"], line["event"], line["level"]) == ("library", "careful: 7", "warning")


def test_what_json_does_not_know_is_still_written(stream):
    configure_logging("info", "json", stream)
    get_logger("x").warning("odd", value=object)
    assert lines(stream)[0]["value"] == "<class 'object'>"


def test_auto_is_json_unless_a_person_watches(stream):
    configure_logging("info", "auto", stream)
    get_logger("x").warning("event")
    assert lines(stream)[0]["event"] == "event"
    stream.truncate(0)
    stream.seek(0)
    configure_logging("info", "console", stream)
    get_logger("x").warning("event")
    assert "event" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
