"""What a backtest's own process does: read the order, play, and say how far it is and what came of it."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import BinaryIO

import msgspec

from pump_party.adapters.backtest_player import AskedModels, Order, PlayRefused, Progressed, Said, Told, WasPlayed
from pump_party.bootstrap.backtests import NamedStrategy, play, read_strategy
from pump_party.bootstrap.database import open_existing
from pump_party.bootstrap.tapes import build_shelf
from pump_party.config import Settings
from pump_party.domains.backtests.played import write_played
from pump_party.domains.backtests.thinking import Answers, Asked, KeptAnswer
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.errors import Refusal, Unavailable

POLITENESS = 10
"""Orders and prices come first: the machine gives this process what they leave."""


def work_for_player(order: BinaryIO, answers: BinaryIO) -> None:
    """Play one order. Ends with BrokenPipeError when nobody listens any more."""
    os.nice(POLITENESS)

    def say(said: Said) -> None:
        answers.write(msgspec.json.encode(said) + b"\n")
        answers.flush()

    try:
        body = _play(msgspec.json.decode(order.readline(), type=Order), say, _Relayed(order, say))
    except Refusal as refusal:
        say(PlayRefused(refusal.code, refusal.detail, refusal.field, isinstance(refusal, Unavailable)))
    else:
        say(WasPlayed(msgspec.Raw(body)))


class _Relayed:
    """Implements `thinking.Answers` by asking whoever started this process."""

    def __init__(self, lines: BinaryIO, say: Callable[[Said], None]) -> None:
        self._lines = lines
        self._say = say

    def of(self, asked: Sequence[Asked]) -> Sequence[KeptAnswer] | None:
        self._say(AskedModels(tuple(asked)))
        line = self._lines.readline()
        if not line:
            raise BrokenPipeError
        return msgspec.json.decode(line, type=Told).answers


def _play(order: Order, say: Callable[[Said], None], answers: Answers) -> bytes:
    from pump_party.adapters.indicators import TaLibIndicators

    settings = msgspec.json.decode(order.settings, type=Settings)
    request, registry = order.request, load_registry()
    strategy = NamedStrategy(request.name, read_strategy(bytes(request.strategy), registry))
    with closing(open_existing(settings)) as database:
        shelf = build_shelf(settings, database, registry)
        tape = shelf.open(request.tape, TaLibIndicators(), to_ms=request.to_ms, tell=lambda *_: say(Progressed(0)))
    played = play(
        [strategy],
        tape,
        registry,
        from_ms=request.from_ms,
        to_ms=request.to_ms,
        rule_set=request.rule_set,
        tell=lambda done, _total: say(Progressed(done)),
        answers=answers,
        prompt_tokens_max=settings.model_prompt_tokens,
    )
    return write_played(played)
