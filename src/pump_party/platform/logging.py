"""One structured line per use case: what happened, whose, how it ended, how long it took.

Never a token, a body, a signature or a secret. Pure files do not log.
"""

import logging
import sys
from typing import Any, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
SECRET_KEYS = frozenset({"token", "key", "signature", "authorization", "cookie", "body", "csrf_token", "ticket"})


def configure_logging(level: str, form: str, stream: TextIO | None = None) -> None:
    """Set up logging of this process: `form` is json, console or auto (console on a terminal). Default: stderr."""
    output = stream or sys.stderr
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
        logger_factory=structlog.PrintLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    _adopt_library_logs(LEVELS[level])


def get_logger(component: str) -> FilteringBoundLogger:
    """A logger whose lines say which part of the product wrote them."""
    return cast("FilteringBoundLogger", structlog.get_logger(component=component))


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
