import asyncio
import gzip
from collections.abc import Awaitable, Callable, Sequence

import httpx2
import pytest

from pump_party.adapters.model_lines import ModelLines

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWER = HEAD + b"Content-Length: 7\r\n\r\n" + b'{"a":1}'
CLOSE = b""
"""In the place of bytes: the server closes the connection."""

Ask = Callable[[str], Awaitable[httpx2.Response]]


def asked(replies: Sequence[Sequence[bytes]], questions: Callable[[Ask], Awaitable[None]]) -> list[int]:
    """Ask a server that sends these pieces to one question after the other. Returns the connection of each."""
    left = list(replies)
    connections: list[int] = []
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        mine = opened
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await reader.readexactly(int(length.partition(b":")[2]))
                connections.append(mine)
                for piece in left.pop(0):
                    if piece == CLOSE:
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with httpx2.AsyncClient(transport=ModelLines(), timeout=None, trust_env=False) as client:
            await questions(lambda text: client.post(url, content=text))
        server.close()

    asyncio.run(run())
    return connections


async def _bodies(ask: Ask, count: int) -> list[bytes]:
    return [(await ask("{}")).content for _ in range(count)]


@pytest.mark.parametrize(
    "pieces",
    [
        [ANSWER],
        [ANSWER[n : n + 1] for n in range(len(ANSWER))],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b'3\r\n{"a\r\n', b'4\r\n":1}\r\n0\r\n\r\n'],
        [HEAD + b"\r\n", b'{"a"', b":1}", CLOSE],
        [b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER],
        [b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n", b'{"a":1}', CLOSE],
    ],
    ids=["at once", "byte by byte", "in chunks", "until the end", "after a word on the way", "of an old server"],
)
def test_a_reply_is_read_however_it_comes(pieces: list[bytes]):
    async def questions(ask: Ask) -> None:
        response = await ask("{}")
        assert response.status_code == 200
        assert response.content == b'{"a":1}'
        assert response.json() == {"a": 1}

    asked([pieces], questions)


@pytest.mark.parametrize(
    "pieces",
    [
        [CLOSE],
        [ANSWER[:-3], CLOSE],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b'3\r\n{"a\r\n', CLOSE],
        [b"SMTP ready\r\n\r\n"],
        [b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", CLOSE],
    ],
    ids=["nothing", "cut", "cut between chunks", "another protocol", "an upgrade"],
)
def test_what_is_no_whole_reply_is_an_error_of_the_protocol_and_ends_the_connection(pieces: list[bytes]):
    async def questions(ask: Ask) -> None:
        with pytest.raises(httpx2.RemoteProtocolError):
            await ask("{}")
        assert await _bodies(ask, 1) == [b'{"a":1}']

    assert asked([pieces, [ANSWER]], questions) == [1, 2]


def test_a_compressed_reply_is_refused_before_it_can_grow():
    async def questions(ask: Ask) -> None:
        with pytest.raises(httpx2.RemoteProtocolError, match="compressed"):
            await ask("{}")
        assert await _bodies(ask, 1) == [b'{"a":1}']

    grows = gzip.compress(bytes(64 * 1024 * 1024))
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(grows)
    assert asked([[head, grows], [ANSWER]], questions) == [1, 2]


def test_questions_one_after_the_other_share_a_connection_and_those_at_once_do_not():
    async def questions(ask: Ask) -> None:
        await _bodies(ask, 3)
        await asyncio.gather(ask("{}"), ask("{}"))

    connections = asked([[ANSWER]] * 5, questions)
    assert connections[:3] == [1, 1, 1]
    assert sorted(connections[3:]) == [1, 2]


def test_a_connection_that_the_server_closed_is_not_used_again():
    async def questions(ask: Ask) -> None:
        await _bodies(ask, 1)
        await asyncio.sleep(0.1)
        await _bodies(ask, 1)

    assert asked([[ANSWER, CLOSE], [ANSWER]], questions) == [1, 2]


def test_the_connection_of_a_question_that_nobody_waits_for_is_closed():
    async def questions(ask: Ask) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ask("{}")
        assert await _bodies(ask, 1) == [b'{"a":1}']

    assert asked([[ANSWER[:10]], [ANSWER]], questions) == [1, 2]


def test_what_nobody_asked_for_is_not_taken_for_the_next_reply():
    async def questions(ask: Ask) -> None:
        await _bodies(ask, 1)
        await asyncio.sleep(0.1)
        assert await _bodies(ask, 1) == [b'{"a":1}']

    forged = HEAD + b"Content-Length: 7\r\n\r\n" + b'{"a":2}'
    assert asked([[ANSWER, forged], [ANSWER]], questions) == [1, 2]


def test_a_header_cannot_hold_a_line_break():
    async def run() -> None:
        async with httpx2.AsyncClient(transport=ModelLines(), trust_env=False) as client:
            with pytest.raises(httpx2.LocalProtocolError):
                await client.post("http://127.0.0.1:1/", content="", headers={"x": "a\r\nb: c"})

    asyncio.run(run())
