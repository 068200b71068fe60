import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.adapters.model_server import ANSWERS, Asked, ModelServer, Reply, answering, protocol_of, recorded
from tests.domains.aitrading.answers import both as decided
from tests.domains.aitrading.answers import question

from pump_party.adapters.model_lines import REPLY_BYTES_MAX
from pump_party.adapters.model_providers import BASE_URLS, ModelAccess
from pump_party.adapters.models import PydanticModels
from pump_party.domains.aitrading.model_client import (
    ANSWER_BYTES_MAX,
    ModelAnswer,
    ModelFailed,
    ModelFailure,
    ModelMessage,
)

KEY = "sk-test-canary-4711"
MODELS = {
    "openai": "openai:gpt-5.2",
    "anthropic": "anthropic:claude-sonnet-4-6",
    "google": "google:gemini-2.5-flash",
    "xai": "xai:grok-4",
    "deepseek": "deepseek:deepseek-chat",
    "qwen": "qwen:qwen3-max",
    "openrouter": "openrouter:anthropic/claude-sonnet-4.5",
    "ollama": "ollama:qwen3",
    "vllm": "vllm:meta-llama/Llama-3.3-70B",
    "mine": "mine:whatever",
}
PROTOCOLS = ("openai", "anthropic", "google")
SCHEMA = {
    "type": "object",
    "properties": {"action": {"type": "string", "enum": ["open", "hold"]}},
    "required": ["action"],
    "additionalProperties": False,
}
MESSAGES = (ModelMessage("system", "You trade."), ModelMessage("user", "SOL is at 142."))
IN_TIME_MS = 60_000
SHORT_MS = 300


def ask(
    reply: Callable[[Asked], Reply],
    provider: str,
    *,
    timeout_ms: int = IN_TIME_MS,
    model: str | None = None,
    schema: dict[str, Any] = SCHEMA,
) -> tuple[ModelAnswer | ModelFailed, ModelServer]:
    """Ask the provider's model once, on a server that replies like this."""

    async def run() -> tuple[ModelAnswer | ModelFailed, ModelServer]:
        async with ModelServer(reply).open() as server:
            path = "/v1" if protocol_of_provider(provider) == "openai" else ""
            access = ModelAccess(keys={provider: KEY}, urls={provider: server.url + path})
            client = PydanticModels(access)
            name = model or MODELS[provider]
            client.prepare(name)
            try:
                return await client.complete(
                    MESSAGES, schema, model=name, timeout_ms=timeout_ms, tokens_max=512
                ), server
            except ModelFailed as failed:
                return failed, server
            finally:
                await client.close()

    return asyncio.run(run())


def protocol_of_provider(provider: str) -> str:
    return provider if provider in PROTOCOLS else "openai"


def failing(name: str, status: int, headers: dict[str, str] | None = None) -> Callable[[Asked], Reply]:
    def reply(asked: Asked) -> Reply:
        document = json.dumps(recorded(protocol_of(asked.path), name)).replace("{key}", KEY)
        return Reply(status=status, body=document.encode(), headers=headers or {})

    return reply


@pytest.mark.parametrize("provider", MODELS)
def test_every_provider_is_asked_in_its_protocol_and_answers_by_the_schema(provider: str):
    answer, server = ask(answering('{"action":"hold"}'), provider)

    assert isinstance(answer, ModelAnswer)
    assert answer.parsed == {"action": "hold"}
    assert json.loads(answer.text) == {"action": "hold"}
    assert (answer.usage.tokens_in, answer.usage.tokens_out) == (1200, 80)
    (asked,) = server.asked
    assert protocol_of(asked.path) == protocol_of_provider(provider)
    sent = json.dumps(asked.body)
    assert "You trade." in sent
    assert "SOL is at 142." in sent
    assert '"enum": ["open", "hold"]' in sent
    assert "512" in sent, "the limit of tokens is sent"
    assert KEY in json.dumps(asked.headers)


@pytest.mark.parametrize("model", [*MODELS.values(), "anthropic:claude-haiku-4-0"])
def test_every_provider_can_be_asked_for_a_decision(model: str):
    text = decided()
    answer, server = ask(answering(text), model.partition(":")[0], model=model, schema=question().schema)

    assert isinstance(answer, ModelAnswer), answer
    assert json.loads(answer.text) == json.loads(text)
    sent = json.dumps(server.asked[0].body)
    for told in ("SOL-PERP", "ema(1h,20)", "a plain decimal in USDC", '"null"', '"target_price"'):
        assert told in sent, told


@pytest.mark.parametrize("text", ["<think>Buy?</think>", "<think>\nBuy? {}\n</think>\n\n", " <think></think>"])
def test_thinking_that_a_server_leaves_before_the_answer_is_not_the_answer(text: str):
    answer, _ = ask(answering(text + decided(reason="<think>no</think>")), "mine")
    unended, _ = ask(answering(f"<think>{decided()}"), "mine")

    assert isinstance(answer, ModelAnswer)
    assert answer.text.strip() == decided(reason="<think>no</think>")
    assert isinstance(unended, ModelFailed)


def test_a_known_price_is_charged_in_whole_micros_and_an_unknown_one_is_none():
    priced, _ = ask(answering('{"action":"hold"}'), "anthropic")
    unpriced, _ = ask(answering('{"action":"hold"}'), "ollama")

    # 1,200 tokens in at 3 USD and 80 out at 15 USD a million.
    assert priced.usage.cost_micros == 1_200 * 3 + 80 * 15
    assert priced.usage.price_table.startswith("genai-prices ")
    assert unpriced.usage.cost_micros is None
    assert unpriced.usage.price_table is None


@pytest.mark.parametrize("provider", PROTOCOLS)
def test_what_goes_wrong_has_a_name_and_is_asked_only_once(provider: str):
    # reply                                                  | failure
    cases = [
        (failing("rate_limited", 429, {"retry-after": "7"}), ModelFailure.RATE_LIMITED),
        (failing("failed", 500), ModelFailure.PROVIDER_DOWN),
        (failing("failed", 503), ModelFailure.PROVIDER_DOWN),
        (failing("unauthorised", 403), ModelFailure.NOT_CONFIGURED),
        (failing("unknown_model", 404), ModelFailure.NOT_CONFIGURED),
        (answering("{}", stop="cut_off"), ModelFailure.INVALID_OUTPUT),
        (lambda _: Reply(body=b"<html>bad gateway</html>", headers={"content-type": "text/html"}), None),
        (lambda _: Reply(body=b'{"choices":'), None),
        (lambda _: Reply(body=b"[" * 100_000), None),
        (lambda _: Reply(body=b"{}"), None),
        (lambda asked: Reply(body=answering("{}")(asked).body, cut_at=40), ModelFailure.PROVIDER_DOWN),
    ]
    for reply, failure in cases:
        outcome, server = ask(reply, provider)

        assert isinstance(outcome, ModelFailed), outcome
        assert outcome.failure is (failure or ModelFailure.INVALID_OUTPUT), (failure, outcome.failure, outcome.detail)
        assert KEY not in outcome.detail + outcome.text
        assert len(server.asked) == 1
        if failure is ModelFailure.RATE_LIMITED:
            assert outcome.retry_after_ms == 7_000


@pytest.mark.parametrize("provider", PROTOCOLS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429, 500, 503, 529])
def test_the_words_of_a_provider_are_what_came_and_never_the_detail(provider: str, status: int):
    words = "canary-echo: You trade."

    def echo(asked: Asked) -> Reply:
        told = {"type": "error", "error": {"message": f"{words} {KEY}", "code": status, "type": words, "status": words}}
        return Reply(status=status, body=json.dumps(told).encode(), headers={"x-request-id": words})

    outcome, _ = ask(echo, provider)

    assert isinstance(outcome, ModelFailed)
    assert outcome.detail == f"{provider} answered with status {status}"
    assert words in outcome.text
    assert KEY not in outcome.text


@pytest.mark.parametrize("provider", PROTOCOLS)
@pytest.mark.parametrize(
    "body", [b"canary-echo", b'{"canary-echo":1}', b'{"choices":"canary-echo","content":"canary-echo"}']
)
def test_a_reply_that_is_none_is_not_quoted_in_the_detail(provider: str, body: bytes):
    outcome, _ = ask(lambda _: Reply(body=body), provider)

    assert isinstance(outcome, ModelFailed)
    assert outcome.detail
    assert "canary" not in outcome.detail


@pytest.mark.parametrize("provider", PROTOCOLS)
def test_a_refusal_is_a_refusal_and_not_an_answer(provider: str):
    outcome, _ = ask(lambda asked: Reply(body=json.dumps(recorded(provider, "refusal")).encode()), provider)

    assert isinstance(outcome, ModelFailed)
    assert outcome.failure is ModelFailure.REFUSAL
    assert outcome.usage.tokens_in == 1_200


@pytest.mark.parametrize("provider", PROTOCOLS)
def test_a_slow_answer_is_a_timeout_at_the_deadline(provider: str):
    outcome, _ = ask(answering('{"action":"hold"}', after_s=5), provider, timeout_ms=SHORT_MS)

    assert isinstance(outcome, ModelFailed)
    assert outcome.failure is ModelFailure.TIMEOUT
    assert SHORT_MS <= outcome.latency_ms < 3_000


@pytest.mark.parametrize(
    "text",
    [
        "Buy!",
        '```json\n{"action":"hold"}\n```',
        '[{"action":"hold"}]',
        '"hold"',
        "",
        "null",
        "[" * 10_000,
        "{" * 10_000,
    ],
)
def test_what_is_not_a_json_object_is_kept_and_never_repaired(text: str):
    outcome, _ = ask(answering(text), "openai")

    assert isinstance(outcome, ModelFailed)
    assert outcome.failure is ModelFailure.INVALID_OUTPUT
    assert outcome.text == text
    assert outcome.usage.tokens_out == 80


def test_an_object_of_another_schema_is_handed_on_as_it_is():
    answer, _ = ask(answering('{"action":"withdraw","to":"0xabc"}'), "openai")

    assert isinstance(answer, ModelAnswer)
    assert answer.parsed == {"action": "withdraw", "to": "0xabc"}


def test_a_server_that_leaves_out_what_nobody_needs_is_understood():
    def sparse(asked: Asked) -> Reply:
        document = json.loads(answering('{"action":"hold"}')(asked).body) | {"created": None, "of_its_own": 1}
        del document["choices"][0]["finish_reason"]
        return Reply(body=json.dumps(document).encode())

    answer, _ = ask(sparse, "mine")

    assert isinstance(answer, ModelAnswer), answer
    assert answer.parsed == {"action": "hold"}
    assert answer.usage.tokens_in == 1_200


def test_an_answer_and_a_reply_have_a_longest_length():
    long, _ = ask(answering(json.dumps({"action": "x" * ANSWER_BYTES_MAX})), "openai")
    endless, _ = ask(lambda _: Reply(body=b" " * (REPLY_BYTES_MAX + 1)), "openai")

    assert isinstance(long, ModelFailed)
    assert long.failure is ModelFailure.INVALID_OUTPUT
    assert len(long.text.encode()) == ANSWER_BYTES_MAX
    assert isinstance(endless, ModelFailed)
    assert endless.failure is ModelFailure.INVALID_OUTPUT


def test_a_redirect_is_not_followed():
    outcome, server = ask(lambda _: Reply(status=307, headers={"location": "http://127.0.0.1:9/"}), "openai")

    assert isinstance(outcome, ModelFailed)
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_down():
    async def run() -> ModelFailure:
        client = PydanticModels(ModelAccess(urls={"ollama": "http://127.0.0.1:1/v1"}))
        with pytest.raises(ModelFailed) as raised:
            await client.complete(MESSAGES, SCHEMA, model="ollama:qwen3", timeout_ms=IN_TIME_MS, tokens_max=10)
        await client.close()
        return raised.value.failure

    assert asyncio.run(run()) is ModelFailure.PROVIDER_DOWN


@pytest.mark.parametrize(
    ("model", "names"),
    [("openai:gpt-5.2", "PUMP_PARTY_MODEL_KEYS"), ("nobody:x", "PUMP_PARTY_MODEL_URLS"), ("gpt-5.2", "provider:model")],
)
def test_a_model_without_key_or_url_says_what_to_set(model: str, names: str):
    async def run() -> str:
        with pytest.raises(ModelFailed) as raised:
            await PydanticModels(ModelAccess()).complete(
                MESSAGES, SCHEMA, model=model, timeout_ms=IN_TIME_MS, tokens_max=10
            )
        assert raised.value.failure is ModelFailure.NOT_CONFIGURED
        return raised.value.detail

    assert names in asyncio.run(run())


def test_many_questions_are_in_flight_at_once():
    async def run() -> int:
        async with ModelServer(answering('{"action":"hold"}', after_s=0.5)).open() as server:
            client = PydanticModels(ModelAccess(urls={"mine": f"{server.url}/v1"}))
            client.prepare("mine:model")
            await asyncio.gather(
                *(
                    client.complete(MESSAGES, SCHEMA, model="mine:model", timeout_ms=IN_TIME_MS, tokens_max=10)
                    for _ in range(40)
                )
            )
            await client.close()
            return server.in_flight_most

    assert asyncio.run(run()) == 40


def test_access_does_not_show_its_keys():
    access = ModelAccess(keys={"openai": KEY}, urls={"mine": f"http://user:{KEY}@127.0.0.1/v1"})

    assert KEY not in repr(access)
    assert KEY not in f"{msgspec.structs.replace(access)}"


def test_the_written_down_replies_hold_no_secret():
    for path in sorted(ANSWERS.iterdir()):
        text = path.read_text()
        assert not any(mark in text for mark in ("sk-", "xai-", "AIza", "Bearer ", "x-api-key:"))


def test_all_providers_that_need_only_a_key_are_tested():
    assert set(BASE_URLS) <= set(MODELS)
