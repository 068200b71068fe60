import asyncio
from collections.abc import Sequence
from typing import Any

from tests.domains.aitrading.answers import question

from pump_party.adapters.model_desk import GATHER_S, LoopModelDesk
from pump_party.domains.aitrading.model_client import ModelAnswer, ModelUsage
from pump_party.domains.aitrading.model_desk import Ask
from pump_party.platform.clock import ManualClock

MODEL = "openai:gpt"
TURNS = 5
"""Turns of the loop between making a question ready and its last byte."""


class SlowWriter:
    """A model whose questions take turns of the loop to write, and which answers after as long as it is told."""

    def __init__(self, after_s: Sequence[float]) -> None:
        self.happened: list[tuple[str, int]] = []
        self._after_s = after_s

    def offered(self) -> Sequence[str]:
        return (MODEL,)

    def prepare(self, model: str) -> None:
        pass

    def cost_micros(self, model: str, *, tokens_in: int, tokens_out: int) -> int | None:
        return None

    async def complete(
        self, messages: Any, schema: Any, *, model: str, timeout_ms: int, tokens_max: int
    ) -> ModelAnswer:
        number = tokens_max
        self.happened.append(("made ready", number))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self.happened.append(("written", number))
        await asyncio.sleep(self._after_s[number])
        return ModelAnswer(str(number), {}, ModelUsage(), 0, "stop")


def asked(model: SlowWriter, count: int) -> list[list[int]]:
    """The numbers of the questions that were answered, batch by batch."""
    clock = ManualClock(0)
    desk = LoopModelDesk(model, clock, calls_at_once=count)
    asks = [Ask(f"call/{number}", MODEL, question(), number, 60_000) for number in range(count)]
    return [[one.ask.tokens_max for one in batch] for batch in desk.ask(asks)]


def test_a_question_is_written_while_others_are_still_made_ready():
    model = SlowWriter([0.0] * 100)

    asked(model, 100)

    order = model.happened
    assert order.index(("written", 0)) < order.index(("made ready", 20))
    assert order.index(("written", 50)) < order.index(("made ready", 80))


def test_answers_that_keep_coming_are_handed_over_before_the_last_has_come():
    every_s = GATHER_S / 5
    count = 50
    model = SlowWriter([every_s * number for number in range(count)])

    batches = asked(model, count)

    assert sorted(number for batch in batches for number in batch) == list(range(count))
    assert len(batches) >= 3, "each holds what came within a moment"
    assert max(len(batch) for batch in batches) < count


def test_answers_that_come_together_are_handed_over_together():
    assert len(asked(SlowWriter([0.2] * 20), 20)) < 10
