"""The language models that the settings name."""

import asyncio

import msgspec

from pump_party.adapters.model_providers import ModelAccess
from pump_party.adapters.models import PydanticModels
from pump_party.config import Settings
from pump_party.domains.aitrading.model_client import ModelFailed, ModelFailure, ModelMessage

CHECK_TIMEOUT_MS = 30_000
CHECK_TOKENS_MAX = 1_024
"""Room for models that think before they answer."""

WORDS_CHARS_MAX = 300
"""Of what came instead of an answer: it can quote nobody's prompt but ours."""

QUESTION = (
    ModelMessage("system", "You answer with JSON only."),
    ModelMessage("user", "This is a test of the connection. Answer with ready set to true."),
)
SCHEMA = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}},
    "required": ["ready"],
    "additionalProperties": False,
}

NEXT_STEPS = {
    ModelFailure.REFUSAL: "the model answers, but refused a harmless question: choose another model",
    ModelFailure.TIMEOUT: "the provider took the question and did not answer in time: try again, or a faster model",
    ModelFailure.PROVIDER_DOWN: "nothing usable came from the provider's address: check PUMP_PARTY_MODEL_URLS and the "
    "network, then the provider's status page",
    ModelFailure.RATE_LIMITED: "the key works but has no requests or credit left: wait, or raise its limit",
    ModelFailure.INVALID_OUTPUT: "the model does not keep to a JSON schema: choose one that does, or check that the "
    "URL is that of its API",
    ModelFailure.NOT_CONFIGURED: "set or correct the key in PUMP_PARTY_MODEL_KEYS, or the name in PUMP_PARTY_MODELS",
}


class ModelCheck(msgspec.Struct, frozen=True):
    """What one question to a model came to. `next_step` is what to do about a failure."""

    model: str
    answered: bool
    latency_ms: int
    tokens_in: int
    tokens_out: int
    cost_micros: int | None
    failure: ModelFailure | None = None
    detail: str | None = None
    next_step: str | None = None


def build_models(settings: Settings) -> PydanticModels:
    """Loads nothing yet and asks nobody."""
    return PydanticModels(_access(settings))


def check_models(settings: Settings) -> list[ModelCheck]:
    """Ask every model that is offered one small question, all at once."""
    return asyncio.run(_check(build_models(settings)))


async def _check(models: PydanticModels) -> list[ModelCheck]:
    for model in models.offered():
        models.prepare(model)
    try:
        return await asyncio.gather(*(_ask(models, model) for model in models.offered()))
    finally:
        await models.close()


async def _ask(models: PydanticModels, model: str) -> ModelCheck:
    try:
        answer = await models.complete(
            QUESTION, SCHEMA, model=model, timeout_ms=CHECK_TIMEOUT_MS, tokens_max=CHECK_TOKENS_MAX
        )
    except ModelFailed as failed:
        return _failed(model, failed)
    if answer.parsed != {"ready": True}:
        wrong = ModelFailed(
            ModelFailure.INVALID_OUTPUT,
            "the answer does not fit the schema",
            usage=answer.usage,
            latency_ms=answer.latency_ms,
        )
        return _failed(model, wrong)
    usage = answer.usage
    return ModelCheck(model, True, answer.latency_ms, usage.tokens_in, usage.tokens_out, usage.cost_micros)


def _failed(model: str, failed: ModelFailed) -> ModelCheck:
    usage, failure = failed.usage, failed.failure
    words = failed.text.strip().partition("\n")[0][:WORDS_CHARS_MAX]
    return ModelCheck(
        model,
        False,
        failed.latency_ms,
        usage.tokens_in,
        usage.tokens_out,
        usage.cost_micros,
        failure,
        f"{failed.detail}: {words}" if words else failed.detail,
        NEXT_STEPS[failure],
    )


def _access(settings: Settings) -> ModelAccess:
    offered = tuple(filter(None, settings.models.split(",")))
    return ModelAccess(offered, _pairs(settings.model_keys), _pairs(settings.model_urls))


def _pairs(text: str) -> dict[str, str]:
    items = (item.partition("=") for item in text.split(",") if item)
    return {name: value for name, _, value in items}
