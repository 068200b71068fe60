import io
import json
import logging

import pytest
import structlog

from pump_party.platform.logging import SECRET_KEYS, configure_logging, get_logger


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


def test_a_line_is_one_json_object_with_level_time_and_component(stream):
    configure_logging("info", "json", stream)
    get_logger("http").info("request", status=201, duration_ms=1.5, user_id=None)
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
    get_logger("x").info("mistake", **dict.fromkeys(SECRET_KEYS, "hunter2"))
    assert "hunter2" not in stream.getvalue()


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
    get_logger("x").info("odd", value=object)
    assert lines(stream)[0]["value"] == "<class 'object'>"


def test_auto_is_json_unless_a_person_watches(stream):
    configure_logging("info", "auto", stream)
    get_logger("x").info("event")
    assert lines(stream)[0]["event"] == "event"
    stream.truncate(0)
    stream.seek(0)
    configure_logging("info", "console", stream)
    get_logger("x").info("event")
    assert "event" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
