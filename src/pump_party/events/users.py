"""Events of users."""

from typing import ClassVar

import msgspec


class SessionsRevoked(msgspec.Struct, frozen=True):
    """These sessions or API keys are no longer valid; sockets that use them close within two seconds."""

    KIND: ClassVar[str] = "sessions_revoked"

    user_id: str
    session_ids: tuple[str, ...]
    at_ms: int
