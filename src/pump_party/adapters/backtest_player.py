"""Plays a backtest in a process of its own: a long one holds up no order, and one that goes wrong takes nothing along.

The request goes to the process as one line, and lines come back: how far it is, what it asks models, then the result or
the refusal. It asks nobody itself: the answers go to it as lines. A process that nobody reads from any more ends.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO

import msgspec

from pump_party.domains.backtests.store import PlayerEnded, PlayRequest
from pump_party.domains.backtests.thinking import Answers, Asked, KeptAnswer
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


class AskedModels(msgspec.Struct, frozen=True, tag_field="kind", tag="asked"):
    """A decision's questions. The process waits for the `Told` of them."""

    questions: tuple[Asked, ...]


class Told(msgspec.Struct, frozen=True):
    """The answers, in order; None where one is missing. Goes to the process as a line."""

    answers: tuple[KeptAnswer, ...] | None


Said = Progressed | PlayRefused | AskedModels | WasPlayed


class Order(msgspec.Struct, frozen=True):
    """What the process is told. `settings` are those of the process that starts it."""

    settings: msgspec.Raw
    request: PlayRequest


Line = bytes | Exception
"""What the process says; empty at its end. Or why its questions cannot be answered."""

_read = msgspec.json.Decoder(Said).decode
_encode = msgspec.json.encode


class ProcessPlayer:
    """Implements `domains.backtests.store.Player`."""

    def __init__(self, command: Sequence[str], settings: bytes) -> None:
        self._command = command
        self._settings = settings

    def play(self, request: PlayRequest, tell: Callable[[int], bool], answers: Answers) -> bytes | None:
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            lines: SimpleQueue[Line] = SimpleQueue()
            threading.Thread(target=_drain, args=(process.stdout, lines), daemon=True).start()
            try:
                _send(process.stdin, Order(msgspec.Raw(self._settings), request))
            except BrokenPipeError as error:
                raise PlayerEnded("its process did not start") from error
            return _Following(process, process.stdin, lines, answers).follow(tell)
        finally:
            process.kill()
            process.wait(END_S)
            with suppress(BrokenPipeError):
                process.stdin.close()


def _drain(stream: IO[bytes], lines: "SimpleQueue[Line]") -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(b"")


def _send(stream: IO[bytes], said: Order | Told) -> None:
    stream.write(_encode(said) + b"\n")
    stream.flush()


class _Following:
    """A process under way. Questions are answered beside it, so that the one who waits is told how far it is."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", stdin: IO[bytes], lines: "SimpleQueue[Line]", answers: Answers
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._lines = lines
        self._answers = answers
        self._done = 0

    def follow(self, tell: Callable[[int], bool]) -> bytes | None:
        told_s = 0.0
        while True:
            if time.monotonic() - told_s >= TELL_EVERY_S:
                told_s = time.monotonic()
                if not tell(self._done):
                    return None
            try:
                line = self._lines.get(timeout=max(0.0, told_s + TELL_EVERY_S - time.monotonic()))
            except Empty:
                continue
            if isinstance(line, Exception):
                raise line
            if not line:
                raise PlayerEnded(f"its process ended with code {self._process.wait(END_S)}")
            body = self._take(_read(line))
            if body is not None:
                return body

    def _take(self, said: Said) -> bytes | None:
        match said:
            case WasPlayed():
                return bytes(said.body)
            case PlayRefused():
                refused = Unavailable if said.unavailable else Invalid
                raise refused(said.detail, code=said.code, field=said.field)
            case AskedModels():
                threading.Thread(target=self._answer, args=(said.questions,), daemon=True).start()
            case Progressed():
                self._done = said.minutes_done
        return None

    def _answer(self, questions: Sequence[Asked]) -> None:
        try:
            found = self._answers.of(questions)
            _send(self._stdin, Told(None if found is None else tuple(found)))
        except (BrokenPipeError, ValueError):
            # Nobody waits for it any more: the process was ended meanwhile.
            return
        except Exception as error:  # noqa: BLE001 - raised where the process is followed
            self._lines.put(error)
