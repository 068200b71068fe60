"""The providers of language models, by the name that stands before the colon in "provider:model"."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import httpx2
import msgspec

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

BASE_URLS: Mapping[str, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
    "xai": "https://api.x.ai/v1",
    "deepseek": "https://api.deepseek.com",
    "qwen": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "openrouter": "https://openrouter.ai/api/v1",
}
"""Providers that need only a key. Any other name is an OpenAI-compatible server and needs only a URL."""

NO_TAGS = ("\ud800", "\ud800")
"""No text has them. With tags that one may have, the SDK cuts what is between them out of the middle of an answer."""

NO_KEY = "none"
"""Sent to servers of one's own, which ask for none."""


class AccessMissing(Exception):
    """What this model needs is not set. The text says what to set."""


class ModelAccess(msgspec.Struct, frozen=True):
    """What the operator configured: the models strategies may name, keys and base URLs by provider."""

    offered: Sequence[str] = ()
    keys: Mapping[str, str] = {}
    urls: Mapping[str, str] = {}

    def known(self) -> frozenset[str]:
        """The providers that can be asked."""
        return frozenset({name for name in self.keys if name in BASE_URLS} | set(self.urls))

    def without_secrets(self, text: str) -> str:
        """A provider may quote the key it was sent."""
        for key in self.keys.values():
            text = text.replace(key, "(hidden)")
        return text

    def __repr__(self) -> str:
        return f"ModelAccess(offered={list(self.offered)}, providers={sorted(self.known())})"


def speaks_openai(name: str) -> bool:
    """Whether the model of a name is asked over OpenAI's protocol: all but those that have their own."""
    return name.partition(":")[0] not in ("anthropic", "google")


def build_model(name: str, access: ModelAccess, http: httpx2.AsyncClient) -> "Model":
    """The model of a name such as "openai:gpt-5.2". Raises AccessMissing with what to set."""
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise AccessMissing(f"{name!r} is not provider:model")
    url = access.urls.get(provider) or BASE_URLS.get(provider)
    if url is None:
        raise AccessMissing(f"{provider} has no URL: add {provider}=http://... to PUMP_PARTY_MODEL_URLS")
    key = access.keys.get(provider)
    if key is None and provider not in access.urls:
        raise AccessMissing(f"{provider} has no key: add {provider}=KEY to PUMP_PARTY_MODEL_KEYS")
    key = key or NO_KEY
    match provider:
        case "anthropic":
            return _anthropic(model, url, key, http)
        case "google":
            return _google(model, url, key, http)
        case _:
            return _openai_like(provider, model, url, key, http)


def _anthropic(model: str, url: str, key: str, http: httpx2.AsyncClient) -> "Model":
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    return AnthropicModel(model, provider=AnthropicProvider(api_key=key, base_url=url, http_client=http))


def _google(model: str, url: str, key: str, http: httpx2.AsyncClient) -> "Model":
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(model, provider=GoogleProvider(api_key=key, base_url=url, http_client=http))


def _openai_like(name: str, model: str, url: str, key: str, http: httpx2.AsyncClient) -> "Model":
    from pydantic_ai.models.openai import OpenAIChatModel

    from pump_party.adapters.openai_chat import StraightOpenAI

    provider = _openai_provider(name, StraightOpenAI(key=key, url=url, http=http))
    return OpenAIChatModel(model, provider=provider, profile={"thinking_tags": NO_TAGS})


def _openai_provider(name: str, client: "AsyncOpenAI") -> "Provider[AsyncOpenAI]":
    """The provider that knows what the models of this name can do, such as answering by a schema."""
    match name:
        case "openai":
            from pydantic_ai.providers.openai import OpenAIProvider

            return OpenAIProvider(openai_client=client)
        case "deepseek":
            from pydantic_ai.providers.deepseek import DeepSeekProvider

            return DeepSeekProvider(openai_client=client)
        case "qwen":
            from pydantic_ai.providers.alibaba import AlibabaProvider

            return AlibabaProvider(openai_client=client)
        case "openrouter":
            from pydantic_ai.providers.openrouter import OpenRouterProvider

            return OpenRouterProvider(openai_client=client)
        case "ollama":
            from pydantic_ai.providers.ollama import OllamaProvider

            return OllamaProvider(openai_client=client)
        case "xai":
            from pydantic_ai.profiles.grok import grok_model_profile
            from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

            return OpenAICompatibleProvider(name, openai_client=client, profile=grok_model_profile)
        case _:
            from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

            return OpenAICompatibleProvider(name, openai_client=client)
