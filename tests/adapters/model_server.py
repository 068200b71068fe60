"""A local server that answers as a provider of language models would, in any of three protocols, well or badly."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent / "model_answers"


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    chunks: int = 1
    cut_at: int | None = None
    """Announce the whole body and close the connection after so many bytes."""


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class ModelServer:
    """Answers every request with what `reply` makes of it, and keeps what it was asked."""

    reply: Callable[[Asked], Reply]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    in_flight: int = 0
    in_flight_most: int = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["ModelServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(head[0].split(" ")[1], headers, json.loads(body))
        self.asked.append(asked)
        self.in_flight += 1
        self.in_flight_most = max(self.in_flight_most, self.in_flight)
        try:
            reply = self.reply(asked)
            await asyncio.sleep(reply.after_s)
        finally:
            self.in_flight -= 1
        lines = {"content-type": "application/json", "content-length": str(len(reply.body)), **reply.headers}
        writer.write(f"HTTP/1.1 {reply.status} X\r\n".encode())
        writer.writelines(f"{name}: {value}\r\n".encode() for name, value in lines.items())
        writer.write(b"\r\n" + reply.body[: reply.cut_at])
        await writer.drain()
        return reply.cut_at is None


def protocol_of(path: str) -> str:
    if path.endswith("/chat/completions"):
        return "openai"
    return "anthropic" if path.endswith("/v1/messages") else "google"


def recorded(protocol: str, name: str) -> dict[str, Any]:
    """A reply of this protocol as it was written down."""
    loaded: dict[str, Any] = json.loads((ANSWERS / f"{protocol}.json").read_text())[name]
    return loaded


def answering(
    text: str, *, after_s: float = 0.0, stop: str = "answer", reasoning: str = "", pieces: int = 1
) -> Callable[[Asked], Reply]:
    """Replies whose model wrote this text, whatever the protocol. `stop` names the recorded reply to put it into.

    With reasoning beside it, where the protocol has a place for it, and in pieces where it may come in several.
    """

    @cache
    def body(protocol: str, as_call: bool) -> bytes:
        document = recorded(protocol, stop)
        _put(document, protocol, text, as_call=as_call)
        if reasoning or pieces > 1:
            _spread(document, protocol, reasoning, pieces)
        return json.dumps(document, ensure_ascii=False).encode()

    def reply(asked: Asked) -> Reply:
        return Reply(body=body(protocol_of(asked.path), bool(asked.body.get("tools"))), after_s=after_s)

    return reply


def _put(document: dict[str, Any], protocol: str, text: str, *, as_call: bool) -> None:
    match protocol:
        case "openai":
            message = document["choices"][0]["message"]
            message["content"] = None if as_call else text
            if as_call:
                call = {"id": "call_1", "type": "function", "function": {"name": "decision", "arguments": text}}
                message["tool_calls"] = [call]
        case "anthropic":
            call = (
                {"type": "tool_use", "id": "toolu_1", "name": "decision", "input": json.loads(text)} if as_call else {}
            )
            document["content"] = [call or {"type": "text", "text": text}]
        case _:
            document["candidates"][0]["content"]["parts"] = [{"text": text}]


def _spread(document: dict[str, Any], protocol: str, reasoning: str, pieces: int) -> None:
    match protocol:
        case "openai":
            document["choices"][0]["message"]["reasoning_content"] = reasoning
        case "anthropic":
            thinking = {"type": "thinking", "thinking": reasoning, "signature": "c2lnbmVk"}
            document["content"] = [thinking, *_cut(document["content"], pieces)]
        case _:
            content = document["candidates"][0]["content"]
            content["parts"] = [{"text": reasoning, "thought": True}, *_cut(content["parts"], pieces)]


def _cut(parts: list[dict[str, Any]], pieces: int) -> list[dict[str, Any]]:
    (whole,) = parts
    text, size = whole["text"], -(-len(whole["text"]) // pieces)
    return [whole | {"text": text[start : start + size]} for start in range(0, len(text), size)]
