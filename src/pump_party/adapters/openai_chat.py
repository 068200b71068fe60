"""Chat completions of OpenAI's SDK, sent and read straight. Importing this imports the SDK.

The SDK walks through every field of a request for those that want another form, copies its options twice and makes
headers and URL anew: two thirds of what asking costs. Here messages, numbers and a schema are JSON as they are.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import httpx2
import msgspec
from openai import APIStatusError, AsyncOpenAI, NotGiven, Omit
from openai.resources.chat import AsyncChat, AsyncCompletions
from openai.types.chat import ChatCompletion

_encode = msgspec.json.Encoder().encode


class StraightOpenAI(AsyncOpenAI):
    """A client that asks once, without streams and without a time of its own: the limits are those of `http`."""

    def __init__(self, *, key: str, url: str, http: httpx2.AsyncClient) -> None:
        super().__init__(api_key=key, base_url=url, http_client=http, max_retries=0)
        self.http = http

    @cached_property
    def chat(self) -> AsyncChat:
        return _Chat(self)


class _Chat(AsyncChat):
    def __init__(self, client: StraightOpenAI) -> None:
        super().__init__(client)
        self._straight = _Completions(client)

    @property
    def completions(self) -> AsyncCompletions:
        return self._straight


class _Completions(AsyncCompletions):
    def __init__(self, client: StraightOpenAI) -> None:
        super().__init__(client)
        self._http = client.http
        self._url = client.base_url.join("chat/completions")
        headers = {**client.default_headers, **client.auth_headers}
        self._headers = {name: value for name, value in headers.items() if isinstance(value, str)}

    async def create(  # type: ignore[override]
        self,
        *,
        extra_headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **body: Any,
    ) -> ChatCompletion:
        given = {name: value for name, value in body.items() if not isinstance(value, (Omit, NotGiven))}
        request = httpx2.Request(
            "POST",
            self._url,
            headers=self._headers | dict(extra_headers or {}),
            content=_encode(given | dict(extra_body or {})),
        )
        response = await self._http.send(request)
        if not response.is_success:
            raise _refused(response)
        try:
            return ChatCompletion.model_validate_json(response.content)
        except ValueError:
            # Servers that are only like OpenAI's leave out what it promises; whoever reads it says what is missing.
            return ChatCompletion.construct(**json.loads(response.content))


def _refused(response: httpx2.Response) -> APIStatusError:
    try:
        body = json.loads(response.content)
    except ValueError:
        body = response.text
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message") if isinstance(error, dict) else None
    return APIStatusError(f"Error code: {response.status_code} - {message}", response=response, body=error)
