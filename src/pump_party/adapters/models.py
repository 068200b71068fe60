"""Asks language models over the providers' own protocols, once, within a deadline, and says by name what went wrong.

`pydantic_ai` speaks the protocols. It takes seconds to import, so only a model that is really asked makes that happen.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

import httpx2
import msgspec

from pump_party.adapters import model_prices
from pump_party.adapters.model_lines import ModelLines, ReplyTooLong
from pump_party.adapters.model_providers import AccessMissing, ModelAccess, build_model, speaks_openai
from pump_party.domains.aitrading.model_client import (
    ANSWER_BYTES_MAX,
    ModelAnswer,
    ModelFailed,
    ModelFailure,
    ModelMessage,
    ModelUsage,
)
from pump_party.kernel.json_depth import is_nested_beyond

if TYPE_CHECKING:
    from pydantic_ai.exceptions import AgentRunError
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model, ModelRequestParameters

E = TypeVar("E", bound=Exception)

ANSWER_DEPTH_MAX = 16
WORDS_CHARS_MAX = 1_000
"""Of what a provider says when it does not answer."""

STUMBLES = (AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the SDKs raise over a reply that is JSON and nothing else they know."""

THINKING = ("<think>", "</think>")

FORMS_MAX = 512
"""Schemas of answers that are kept as a model wants them."""

ANSWER_NAME = "decision"
"""What the schema is called in the request: providers show it to the model."""


class PydanticModels:
    """Implements `domains.aitrading.model_client.ModelClient`. Belongs to one event loop; `close` ends it."""

    def __init__(self, access: ModelAccess) -> None:
        self._access = access
        self._http: httpx2.AsyncClient | None = None
        self._models: dict[str, _Opened] = {}

    def offered(self) -> Sequence[str]:
        return self._access.offered

    def prepare(self, model: str) -> None:
        provider = model.partition(":")[0]
        if provider in self._access.known():
            import pydantic_ai.direct

            model_prices.load()

            if provider == "anthropic":
                import pydantic_ai.models.anthropic
            elif provider == "google":
                import pydantic_ai.models.google
            else:
                import pydantic_ai.models.openai  # noqa: F401

                import pump_party.adapters.openai_chat  # noqa: F401

    def cost_micros(self, model: str, *, tokens_in: int, tokens_out: int) -> int | None:
        return model_prices.cost_micros(model, tokens_in=tokens_in, tokens_out=tokens_out)

    async def complete(
        self,
        messages: Sequence[ModelMessage],
        schema: Mapping[str, Any],
        *,
        model: str,
        timeout_ms: int,
        tokens_max: int,
    ) -> ModelAnswer:
        opened = self._open(model)
        from pydantic_ai.exceptions import AgentRunError

        started = time.monotonic()
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                response = await _request(opened, messages, schema, timeout_ms=timeout_ms, tokens_max=tokens_max)
        except TimeoutError:
            _fail(ModelFailure.TIMEOUT, f"no answer within {timeout_ms} ms", started)
        except (httpx2.HTTPError, ReplyTooLong) as error:
            _raise_transport(error, started)
        except STUMBLES as error:
            _fail(ModelFailure.INVALID_OUTPUT, f"the reply cannot be read: {type(error).__name__}", started)
        except AgentRunError as error:
            _raise_named(error, model, self._access, started)
        return _read(response, opened, latency_ms=_since_ms(started))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None
            self._models.clear()

    def _open(self, model: str) -> "_Opened":
        if model not in self._models:
            if self._http is None:
                self._http = httpx2.AsyncClient(
                    transport=ModelLines(), timeout=None, trust_env=False, follow_redirects=False
                )
            try:
                built = build_model(model, self._access, self._http)
                self._models[model] = _Opened(built, model)
            except AccessMissing as error:
                raise ModelFailed(ModelFailure.NOT_CONFIGURED, str(error)) from error
        return self._models[model]


class _Form(NamedTuple):
    """How a model is asked to answer by a schema."""

    parameters: "ModelRequestParameters"
    extra_body: dict[str, Any] | None


class _Opened:
    """A model with the forms of answers it was asked for: making one costs more than everything else of a request."""

    def __init__(self, model: "Model", name: str) -> None:
        self.model = model
        self.name = name
        self.speaks_openai = speaks_openai(name)
        self._forms: dict[bytes, _Form] = {}

    def form(self, schema: Mapping[str, Any]) -> _Form:
        key = msgspec.json.encode(schema)
        found = self._forms.get(key)
        if found is None:
            if len(self._forms) >= FORMS_MAX:
                self._forms.clear()
            found = self._forms[key] = _form(self, schema)
        return found


def _form(opened: _Opened, schema: Mapping[str, Any]) -> _Form:
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    model = opened.model
    if opened.name.startswith("anthropic:"):
        schema = _without_lists_of_types(schema)
    if not model.profile.get("supports_json_schema_output", False):
        tool = ToolDefinition(name=ANSWER_NAME, parameters_json_schema=dict(schema))
        by_tool = ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)
        return _Form(by_tool, None)
    wanted = OutputObjectDefinition(json_schema=dict(schema), name=ANSWER_NAME, strict=True)
    native = ModelRequestParameters(output_mode="native", output_object=wanted)
    if not opened.speaks_openai or model.profile.get("native_output_requires_schema_in_instructions", False):
        return _Form(native, None)
    # Given as it is to be sent, the schema is not made anew, checked and copied by the SDK for every request.
    made = model.customize_request_parameters(native).output_object
    assert made is not None
    named: dict[str, Any] = {"name": ANSWER_NAME, "schema": made.json_schema}
    if model.profile.get("openai_supports_strict_tool_definition", True):
        named["strict"] = True
    return _Form(ModelRequestParameters(), {"response_format": {"type": "json_schema", "json_schema": named}})


def _without_lists_of_types(schema: Any) -> Any:
    """The same schema as Anthropic's SDK takes it: what may be of several types is any of several schemas."""
    if isinstance(schema, list):
        return [_without_lists_of_types(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {name: _without_lists_of_types(value) for name, value in schema.items()}
    if isinstance(found.get("type"), list) and "enum" not in found:
        found["anyOf"] = [{"type": one} for one in found.pop("type")]
    return found


async def _request(
    opened: _Opened,
    messages: Sequence[ModelMessage],
    schema: Mapping[str, Any],
    *,
    timeout_ms: int,
    tokens_max: int,
) -> "ModelResponse":
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest, ModelRequestPart, SystemPromptPart, UserPromptPart
    from pydantic_ai.settings import ModelSettings

    parts: list[ModelRequestPart] = [
        SystemPromptPart(message.text) if message.role == "system" else UserPromptPart(message.text)
        for message in messages
    ]
    form = opened.form(schema)
    settings = ModelSettings(max_tokens=tokens_max)
    if not opened.speaks_openai:
        # Our client of OpenAI's protocol has neither: whoever asks waits no longer than its time.
        settings["timeout"] = timeout_ms / 1000
        settings["max_retries"] = 0
    if form.extra_body is not None:
        settings["extra_body"] = form.extra_body
    return await model_request(
        opened.model, [ModelRequest(parts=parts)], model_settings=settings, model_request_parameters=form.parameters
    )


def _read(response: "ModelResponse", opened: _Opened, *, latency_ms: int) -> ModelAnswer:
    tokens_in, tokens_out = response.usage.input_tokens, response.usage.output_tokens
    cost = model_prices.cost_micros(opened.name, tokens_in=tokens_in, tokens_out=tokens_out)
    usage = ModelUsage(tokens_in, tokens_out, cost, None if cost is None else model_prices.table())
    finish = response.finish_reason or "unknown"
    text = _text_of(response)
    if opened.speaks_openai:
        text = _after_thinking(text)

    def fail(failure: ModelFailure, detail: str) -> NoReturn:
        kept = text.encode()[:ANSWER_BYTES_MAX].decode(errors="ignore")
        raise ModelFailed(failure, detail, text=kept, usage=usage, latency_ms=latency_ms)

    if finish == "content_filter":
        fail(ModelFailure.REFUSAL, "the model refused to answer")
    if finish == "length":
        fail(ModelFailure.INVALID_OUTPUT, "the answer was cut off at its limit of tokens")
    if len(text.encode()) > ANSWER_BYTES_MAX:
        fail(ModelFailure.INVALID_OUTPUT, f"the answer has more than {ANSWER_BYTES_MAX} bytes")
    if is_nested_beyond(text.encode(), ANSWER_DEPTH_MAX):
        fail(ModelFailure.INVALID_OUTPUT, f"the answer is nested more than {ANSWER_DEPTH_MAX} deep")
    try:
        parsed = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        fail(ModelFailure.INVALID_OUTPUT, "the answer is not a JSON object")
    return ModelAnswer(text, parsed, usage, latency_ms, finish)


def _text_of(response: "ModelResponse") -> str:
    """What the model wrote, to the byte: the arguments of the one call it was asked for, or else its text."""
    from pydantic_ai.messages import TextPart, ToolCallPart

    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    if len(calls) == 1 and isinstance(calls[0].args, str):
        return calls[0].args
    if calls:
        return calls[0].args_as_json_str() if len(calls) == 1 else ""
    return "".join(part.content for part in response.parts if isinstance(part, TextPart))


def _after_thinking(text: str) -> str:
    """Servers of one's own may leave what a model thought before its answer: that is not the answer."""
    if text.lstrip().startswith(THINKING[0]) and THINKING[1] in text:
        return text.partition(THINKING[1])[2]
    return text


def _raise_transport(error: Exception, started: float) -> NoReturn:
    if isinstance(error, ReplyTooLong):
        _fail(ModelFailure.INVALID_OUTPUT, str(error), started)
    _fail(ModelFailure.PROVIDER_DOWN, type(error).__name__, started)


def _raise_named(error: "AgentRunError", model: str, access: ModelAccess, started: float) -> NoReturn:
    """Give what the library raises one of our names; the provider's words, which may quote the prompt, stay apart."""
    from pydantic_ai import exceptions as named

    too_long = _cause_of(error, ReplyTooLong)
    if too_long is not None:
        _raise_transport(too_long, started)
    retry_ms = None
    match error:
        case named.ModelTimeoutError() | named.ModelRequestTimeout():
            failure = ModelFailure.TIMEOUT
        case named.ModelRateLimitError() | named.ModelQuotaExceededError():
            failure = ModelFailure.RATE_LIMITED
            retry_ms = None if error.retry_after is None else max(0, round(error.retry_after * 1000))
        case named.ModelAuthenticationError() | named.ModelNotFoundError():
            failure = ModelFailure.NOT_CONFIGURED
        case named.ContentFilterError():
            failure = ModelFailure.REFUSAL
        case (
            named.ModelServerError()
            | named.ModelUnavailableError()
            | named.ModelConnectionError()
            | named.ModelRequestRejectedError()
        ):
            failure = ModelFailure.PROVIDER_DOWN
        case _:
            failure = ModelFailure.INVALID_OUTPUT
    provider = model.partition(":")[0]
    status = error.status_code if isinstance(error, named.ModelHTTPError) else None
    detail = f"{provider}: {type(error).__name__}" if status is None else f"{provider} answered with status {status}"
    _fail(failure, detail, started, text=access.without_secrets(str(error))[:WORDS_CHARS_MAX], retry_after_ms=retry_ms)


def _cause_of(error: BaseException, kind: type[E]) -> E | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kind):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _fail(
    failure: ModelFailure, detail: str, started: float, *, text: str = "", retry_after_ms: int | None = None
) -> NoReturn:
    raise ModelFailed(failure, detail, text=text, latency_ms=_since_ms(started), retry_after_ms=retry_after_ms)


def _since_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
