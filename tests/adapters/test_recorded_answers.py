"""Texts that real models wrote, as replies of every protocol, come to what judging the text alone comes to."""

import asyncio
import gzip
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from tests.adapters.model_server import Asked, ModelServer, Reply, answering
from tests.adapters.test_models import MODELS, PROTOCOLS, protocol_of_provider
from tests.domains.aitrading.answers import decision, opening, question
from tests.domains.aitrading.worlds import (
    BTC_PERP,
    ETH_PERP,
    SOL_PERP,
    account,
    decider,
    plan,
    prompt_strategy,
    seen,
    snapshot,
)

from pump_party.adapters.model_providers import ModelAccess
from pump_party.adapters.models import PydanticModels
from pump_party.domains.aitrading.model import (
    REASON_CHARS_MAX,
    Decided,
    Proposal,
    ProposalAction,
    Unusable,
    UnusableCode,
    VerdictCode,
)
from pump_party.domains.aitrading.model_client import ModelAnswer, ModelFailed, ModelFailure, ModelMessage
from pump_party.domains.aitrading.proposal import ANSWER_CHARS_MAX
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8

COINS = {"BTC": BTC_PERP, "ETH": ETH_PERP, "SOL": SOL_PERP}
MIDS_E8 = {BTC_PERP: 113_000 * E8, ETH_PERP: 4_050 * E8, SOL_PERP: 200 * E8}
"""About where the markets were then."""

QUESTION = question(tuple(COINS.values()))
AT_ONCE = 16
IN_TIME_MS = 60_000
NUMBER = re.compile(r"question #(\d+)")

Come = ModelAnswer | ModelFailed


class Written(NamedTuple):
    """What a model wrote, and what it thought before."""

    text: str
    reasoning: str = ""
    pieces: int = 1


def ask_all(provider: str, written: Sequence[Written]) -> list[Come]:
    """What the product's client makes of each, as a reply in the provider's protocol."""
    replies = [answering(one.text, reasoning=one.reasoning, pieces=one.pieces) for one in written]

    def reply(asked: Asked) -> Reply:
        found = NUMBER.search(json.dumps(asked.body))
        assert found is not None
        return replies[int(found[1])](asked)

    async def ask(client: PydanticModels, number: int, places: asyncio.Semaphore) -> Come:
        messages = (ModelMessage("system", "You trade."), ModelMessage("user", f"question #{number}"))
        async with places:
            try:
                return await client.complete(
                    messages, QUESTION.schema, model=MODELS[provider], timeout_ms=IN_TIME_MS, tokens_max=4_000
                )
            except ModelFailed as failed:
                return failed

    async def run() -> list[Come]:
        async with ModelServer(reply).open() as server:
            path = "/v1" if protocol_of_provider(provider) == "openai" else ""
            client = PydanticModels(ModelAccess(keys={provider: "sk"}, urls={provider: server.url + path}))
            client.prepare(MODELS[provider])
            places = asyncio.Semaphore(AT_ONCE)
            try:
                return await asyncio.gather(*(ask(client, number, places) for number in range(len(written))))
            finally:
                await client.close()

    return asyncio.run(run())


def judged(text: str) -> tuple[Proposal, ...] | Unusable:
    return decider().read(QUESTION, text)


def decided(proposals: Sequence[Proposal]) -> Decided:
    strategy = prompt_strategy("", markets=tuple(COINS.values()), max_leverage=20)
    at = seen(*[snapshot(market, mid_e8=mid) for market, mid in MIDS_E8.items()], account=account(mids=MIDS_E8))
    return decider().conclude(plan(strategy), at, proposals)


def check(provider: str, written: Sequence[Written]) -> None:
    """A text is handed on to the byte and judged alike; what is no object is refused with its bytes kept."""
    for one, come in zip(written, ask_all(provider, written), strict=True):
        assert come.text == one.text
        if isinstance(come, ModelFailed):
            assert come.failure is ModelFailure.INVALID_OUTPUT
            assert isinstance(judged(one.text), Unusable)
        else:
            assert judged(come.text) == judged(one.text)


@pytest.fixture(scope="module")
def talks(recorded_data: Path) -> list[dict[str, Any]]:
    packed = (recorded_data / "data/alpha_arena/conversations.json.gz").read_bytes()
    found: list[dict[str, Any]] = msgspec.json.decode(gzip.decompress(packed))["conversations"]
    return found


def texts_of(talk: dict[str, Any]) -> tuple[str, str]:
    """What the model wrote in a talk: its answer and its reasoning."""
    told = (talk["llm_response"], talk["cot_trace"])
    answer, reasoning = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, indent=2) for one in told)
    return answer, reasoning


def dressed(talk: dict[str, Any]) -> tuple[str, str]:
    """Its answer as models like to hand it over."""
    answer, reasoning = texts_of(talk)
    return f"```json\n{answer}\n```", f"{reasoning}\n\n{answer}"


def in_our_form(talk: dict[str, Any]) -> str:
    """Its positions as a model would write them that was asked as we ask, with its own words as the reason."""
    positions = talk["llm_response"]
    wanted = [_wanted(positions.get(coin), market, words_of(talk)) for coin, market in COINS.items()]
    return json.dumps({"decisions": wanted}, ensure_ascii=False, indent=2)


def words_of(talk: dict[str, Any]) -> str:
    """The end of its reasoning, where that is text."""
    told = talk["cot_trace"] if isinstance(talk["cot_trace"], str) else talk["cot_trace_summary"]
    return told[-REASON_CHARS_MAX:]


def _wanted(position: Any, market: Market, reason: str) -> dict[str, Any]:
    if not isinstance(position, dict):
        return decision(market, reason=reason)
    return opening(
        market,
        side="long" if float(position["quantity"]) > 0 else "short",
        share="0.1",
        leverage=position["leverage"],
        stop_price=str(position["stop_loss"]),
        target_price=str(position["profit_target"]),
        confidence=str(position["confidence"]),
        reason=reason,
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_real_models_wrote_to_another_prompt_is_refused_over_every_protocol(
    protocol: str, talks: list[dict[str, Any]]
) -> None:
    texts = [text for talk in talks for text in texts_of(talk)]
    written = [Written(text) for text in (*texts, *(text for talk in talks[::5] for text in dressed(talk)))]
    assert len(written) == 240
    assert max(len(one.text) for one in written) > 10_000
    assert any(not one.text.isascii() for one in written)
    check(protocol, written)
    codes = {found.code for found in (judged(one.text) for one in written) if isinstance(found, Unusable)}
    assert {UnusableCode.NOT_JSON, UnusableCode.WRONG_SHAPE} <= codes
    assert not any(isinstance(judged(one.text), tuple) for one in written)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_real_positions_and_words_in_our_form_become_proposals_and_verdicts_over_every_protocol(
    protocol: str, talks: list[dict[str, Any]]
) -> None:
    written = [
        Written(in_our_form(talk), reasoning=str(talk["cot_trace"]), pieces=1 + number % 3)
        for number, talk in enumerate(talks)
    ]
    proposed: list[tuple[Proposal, ...]] = []
    for one, come in zip(written, ask_all(protocol, written), strict=True):
        assert isinstance(come, ModelAnswer), come
        assert come.text == one.text
        found = judged(come.text)
        assert found == judged(one.text)
        assert isinstance(found, tuple), found
        proposed.append(found)
    reasons = {one.reason for proposals in proposed for one in proposals}
    assert reasons == set(map(words_of, talks))
    assert not all(reason.isascii() for reason in reasons)
    assert {one.action for proposals in proposed for one in proposals} == {ProposalAction.OPEN, ProposalAction.HOLD}
    verdicts = {verdict.code for proposals in proposed for verdict in decided(proposals).verdicts}
    assert {VerdictCode.ALLOWED, VerdictCode.HOLD, VerdictCode.EXIT_ON_WRONG_SIDE} <= verdicts


@pytest.mark.parametrize("provider", [*PROTOCOLS, "deepseek"])
def test_the_longest_answers_and_odd_characters_come_through_to_the_byte(
    provider: str, talks: list[dict[str, Any]]
) -> None:
    whole = in_our_form(talks[0])
    odd = "’–—≈ 🚀 \u00a0\ufffd <think>no</think> </think> <thinking>x</thinking> <think> ```json ``` {{}}"
    said = json.loads(whole)
    said["decisions"][0]["reason"] = odd
    strange = json.dumps(said, ensure_ascii=False)
    texts = [
        whole.ljust(ANSWER_CHARS_MAX),
        whole.ljust(ANSWER_CHARS_MAX + 1),
        strange,
        json.dumps(said),
        f"\n\t {strange}\r\n",
        f"{strange[:-1]}<think>]</think>{strange[-1]}",
        f"{strange}<think>",
        f"\ufeff{strange}",
    ]
    check(provider, [Written(text, reasoning=odd) for text in texts])
    assert [isinstance(judged(text), tuple) for text in texts] == [True, False, True, True, True, False, False, False]
