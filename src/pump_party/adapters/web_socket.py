"""One outbound WebSocket: subscribe, hand every message over, notice silence. Knows no source."""

import asyncio
from collections.abc import Callable, Sequence

from picows import WSError, WSFrame, WSInvalidURL, WSListener, WSMsgType, WSTransport, ws_connect

from pump_party.adapters.reporting import SourceFailed

CONNECT_TIMEOUT_S = 5.0
MESSAGE_BYTES_MAX = 1024 * 1024
SILENCE_MAX_S = 8.0
"""Less than the silence that halts a market, so that a dead connection is replaced before anyone notices."""

KEEPALIVE_S = 20.0
WATCH_STEP_S = 0.25


async def listen(
    url: str,
    *,
    hello: Sequence[bytes],
    keepalive: bytes | None,
    on_message: Callable[[bytes], object],
    silence_max_s: float = SILENCE_MAX_S,
) -> None:
    """Connect, send `hello`, then pass each message to `on_message` until the connection ends.

    `keepalive` is sent every KEEPALIVE_S; WebSocket pings are answered. Whatever `on_message` raises ends the
    connection. Raises SourceFailed for everything that can go wrong with a peer.
    """
    loop = asyncio.get_running_loop()
    listener = _Listener(on_message, loop.time)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            transport, _ = await ws_connect(
                lambda: listener,
                url,
                websocket_handshake_timeout=CONNECT_TIMEOUT_S,
                max_frame_size=MESSAGE_BYTES_MAX,
                max_redirects=0,
            )
    except TimeoutError as error:
        raise SourceFailed(f"no answer within {CONNECT_TIMEOUT_S:g} s") from error
    except (OSError, WSError, WSInvalidURL) as error:
        raise SourceFailed(f"cannot connect: {_reason(error)}") from error

    try:
        for message in hello:
            transport.send(WSMsgType.TEXT, message)
        await _watch(transport, listener, keepalive, silence_max_s)
    finally:
        transport.disconnect(False)
    if listener.failure is not None:
        raise listener.failure


async def _watch(transport: WSTransport, listener: "_Listener", keepalive: bytes | None, silence_max_s: float) -> None:
    clock = asyncio.get_running_loop().time
    next_keepalive_s = clock() + KEEPALIVE_S
    closed = asyncio.ensure_future(transport.wait_disconnected())
    try:
        while True:
            await asyncio.wait((closed,), timeout=min(WATCH_STEP_S, silence_max_s / 4))
            if closed.done() or listener.failure is not None:
                return
            if clock() - listener.heard_s > silence_max_s:
                raise SourceFailed(f"silent for {silence_max_s:g} s")
            if keepalive is not None and clock() >= next_keepalive_s:
                transport.send(WSMsgType.TEXT, keepalive)
                next_keepalive_s = clock() + KEEPALIVE_S
    finally:
        closed.cancel()


class _Listener(WSListener):
    def __init__(self, on_message: Callable[[bytes], object], clock: Callable[[], float]) -> None:
        super().__init__()
        self._on_message = on_message
        self._clock = clock
        self._parts = bytearray()
        self.heard_s = clock()
        self.failure: Exception | None = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            try:
                self._take(frame)
            except Exception as failure:  # noqa: BLE001 - raised again by `listen`; here it would only be logged
                self.failure = failure
                transport.disconnect(False)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def _take(self, frame: WSFrame) -> None:
        if self.failure is not None:
            return
        if len(self._parts) + frame.payload_size > MESSAGE_BYTES_MAX:
            raise SourceFailed(f"a message of more than {MESSAGE_BYTES_MAX} bytes")
        self._parts += frame.get_payload_as_memoryview()
        if frame.fin:
            message = bytes(self._parts)
            self._parts.clear()
            self.heard_s = self._clock()
            self._on_message(message)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
