"""Events of users."""

import msgspec


class SessionsRevoked(msgspec.Struct, frozen=True):
    """These sessions or API keys are no longer valid; sockets that use them close within two seconds."""

    user_id: str
    session_ids: tuple[str, ...]
    at_ms: int
