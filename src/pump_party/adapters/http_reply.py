"""Outbound HTTP with limits: time, size, no redirects, and a plain reason when it fails."""

from typing import Any

import httpx2

from pump_party.adapters.reporting import SourceFailed

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 8.0
REPLY_BYTES_MAX = 1024 * 1024
RETRY_AFTER_DEFAULT_S = 60.0


def http_client(read_timeout_s: float = READ_TIMEOUT_S) -> httpx2.AsyncClient:
    timeout = httpx2.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S)
    return httpx2.AsyncClient(timeout=timeout, follow_redirects=False)


async def fetch(client: httpx2.AsyncClient, method: str, url: str, **request: Any) -> bytes:
    """The body of a 200 reply. Raises SourceFailed for everything else, with Retry-After where the source gave it."""
    try:
        async with client.stream(method, url, **request) as reply:
            check_status(reply)
            body = bytearray()
            async for chunk in reply.aiter_bytes():
                body += chunk
                if len(body) > REPLY_BYTES_MAX:
                    raise SourceFailed(f"a reply of more than {REPLY_BYTES_MAX} bytes")
            return bytes(body)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SourceFailed(reason_of(error)) from error


def check_status(reply: httpx2.Response) -> None:
    if reply.status_code == httpx2.codes.OK:
        return
    wait_s = 0.0
    if reply.status_code == httpx2.codes.TOO_MANY_REQUESTS:
        text = reply.headers.get("retry-after", "")
        wait_s = float(text) if text.isascii() and text.isdigit() and len(text) < 6 else RETRY_AFTER_DEFAULT_S
    raise SourceFailed(f"status {reply.status_code}", retry_after_s=wait_s)


def reason_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
