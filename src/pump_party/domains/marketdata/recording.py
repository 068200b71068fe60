"""Raw payloads on their way to the object store. Recording never holds up admission: what does not fit is given up."""

import threading
from collections import deque
from typing import Protocol

from pump_party.domains.marketdata.model import RawPayload

WAITING_MAX = 2_000
WAITING_BYTES_MAX = 16 * 1024 * 1024


class PayloadStore(Protocol):
    """Content-addressed objects. Raises when the object could not be stored; storing one twice is fine."""

    def put(self, sha256: str, body: bytes) -> object: ...


class Recording:
    """A bounded queue: the event loop offers, one thread drains."""

    def __init__(self, store: PayloadStore) -> None:
        self._store = store
        self._waiting: deque[RawPayload] = deque()
        self._bytes = 0
        self._given_up = 0
        self._lock = threading.Lock()

    def offer(self, raw: RawPayload) -> None:
        with self._lock:
            if len(self._waiting) >= WAITING_MAX or self._bytes + len(raw.body) > WAITING_BYTES_MAX:
                self._given_up += 1
                return
            self._waiting.append(raw)
            self._bytes += len(raw.body)

    def drain(self) -> int:
        """Store what waits, oldest first. Returns how many payloads were given up since the last drain.

        When the store raises, the payload it could not take stays first in the queue.
        """
        while True:
            with self._lock:
                if not self._waiting:
                    given_up, self._given_up = self._given_up, 0
                    return given_up
                raw = self._waiting[0]
            self._store.put(raw.sha256, raw.body)
            with self._lock:
                self._waiting.popleft()
                self._bytes -= len(raw.body)
