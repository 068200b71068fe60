"""One structured line per use case: what happened, whose, how it ended, how long it took.

Never a token, a body, a signature or a secret. Pure files do not log.

Lines of routine leave together, at most GATHER_S after the first of them: one system call each, with Python's lock
given up and taken back, cost a request more than all the rest of its line. Warnings and errors leave at once, and
take along what waits.
"""

import atexit
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
SECRET_KEYS = frozenset({"token", "key", "signature", "authorization", "cookie", "body", "csrf_token", "ticket"})

GATHER_S: Final = 0.1
LINES_WAITING_MAX: Final = 1_000


def configure_logging(level: str, form: str, stream: TextIO | None = None) -> Callable[[], None]:
    """Set up logging of this process: `form` is json, console or auto (console on a terminal). Default: stderr.

    A person who watches sees every line at once. Returns what writes the lines that wait; the end of the process does.
    """
    output = stream or sys.stderr
    lines = _Lines(output, gather_s=0 if output.isatty() else GATHER_S)
    atexit.register(lines.flush)
    console = form == "console" or (form == "auto" and output.isatty())
    renderer = (
        structlog.dev.ConsoleRenderer(colors=output.isatty())
        if console
        else structlog.processors.JSONRenderer(serializer=_to_json)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _hide_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    _adopt_library_logs(LEVELS[level])
    return lines.flush


def get_logger(component: str) -> FilteringBoundLogger:
    """A logger whose lines say which part of the product wrote them."""
    return cast("FilteringBoundLogger", structlog.get_logger(component=component))


class _Lines:
    """Where rendered lines go, by the names that structlog calls. Safe to call from threads."""

    def __init__(self, output: TextIO, *, gather_s: float) -> None:
        self._output = output
        self._gather_s = gather_s
        self._lock = threading.Lock()
        self._waiting: list[str] = []

    def info(self, line: str) -> None:
        with self._lock:
            self._waiting.append(line)
            count = len(self._waiting)
        if self._gather_s == 0 or count >= LINES_WAITING_MAX:
            self.flush()
        elif count == 1:
            later = threading.Timer(self._gather_s, self.flush)
            later.daemon = True
            later.start()

    def error(self, line: str) -> None:
        with self._lock:
            self._waiting.append(line)
        self.flush()

    def flush(self) -> None:
        with self._lock:
            text = "".join(f"{line}\n" for line in self._waiting)
            self._waiting.clear()
            if text:
                self._output.write(text)
                self._output.flush()

    debug = info
    warning = critical = error


def _adopt_library_logs(level: int) -> None:
    """Libraries log through the standard library: their warnings become lines of the same kind."""
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(max(level, logging.WARNING))


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        line = structlog.get_logger(component=record.name)
        line.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def _hide_secrets(_logger: Any, _method: str, line: EventDict) -> EventDict:
    for name in SECRET_KEYS & line.keys():
        line[name] = "(hidden)"
    return line


def _to_json(line: Any, **_options: Any) -> str:
    return msgspec.json.encode(line, enc_hook=repr).decode()
