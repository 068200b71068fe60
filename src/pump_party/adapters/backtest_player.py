"""Plays a backtest in a process of its own: a long one holds up no order, and one that goes wrong takes nothing along.

The request goes to the process as one line, and lines come back: how far it is, then the result or the refusal. A
process that nobody reads from any more ends by itself.
"""

import subprocess
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import IO

import msgspec

from pump_party.domains.backtests.store import PlayerEnded, PlayRequest
from pump_party.kernel.errors import Invalid, Unavailable

TELL_EVERY_S = 1.0
END_S = 10.0


class Progressed(msgspec.Struct, frozen=True, tag_field="kind", tag="progressed"):
    minutes_done: int


class PlayRefused(msgspec.Struct, frozen=True, tag_field="kind", tag="refused"):
    """`unavailable` is worth another try, anything else is not."""

    code: str
    detail: str
    field: str | None
    unavailable: bool


class WasPlayed(msgspec.Struct, frozen=True, tag_field="kind", tag="played"):
    body: msgspec.Raw


Said = Progressed | PlayRefused | WasPlayed


class Order(msgspec.Struct, frozen=True):
    """What the process is told. `settings` are those of the process that starts it."""

    settings: msgspec.Raw
    request: PlayRequest


_read = msgspec.json.Decoder(Said).decode
_encode = msgspec.json.encode


class ProcessPlayer:
    """Implements `domains.backtests.store.Player`."""

    def __init__(self, command: Sequence[str], settings: bytes) -> None:
        self._command = command
        self._settings = settings

    def play(self, request: PlayRequest, tell: Callable[[int], bool]) -> bytes | None:
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            lines: SimpleQueue[bytes] = SimpleQueue()
            threading.Thread(target=_drain, args=(process.stdout, lines), daemon=True).start()
            try:
                process.stdin.write(_encode(Order(msgspec.Raw(self._settings), request)) + b"\n")
                process.stdin.close()
            except BrokenPipeError as error:
                raise PlayerEnded("its process did not start") from error
            return _follow(lines, process, tell)
        finally:
            process.kill()
            process.wait(END_S)


def _drain(stream: IO[bytes], lines: "SimpleQueue[bytes]") -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(b"")


def _follow(
    lines: "SimpleQueue[bytes]", process: "subprocess.Popen[bytes]", tell: Callable[[int], bool]
) -> bytes | None:
    done = 0
    while True:
        if not tell(done):
            return None
        try:
            line = lines.get(timeout=TELL_EVERY_S)
            while line:
                said = _read(line)
                if isinstance(said, WasPlayed):
                    return bytes(said.body)
                if isinstance(said, PlayRefused):
                    refused = Unavailable if said.unavailable else Invalid
                    raise refused(said.detail, code=said.code, field=said.field)
                done = said.minutes_done
                line = lines.get_nowait()
        except Empty:
            continue
        raise PlayerEnded(f"its process ended with code {process.wait(END_S)}")
