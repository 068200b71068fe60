"""What makes a request the same request: every command is repeated by its key, and answered once."""

import msgspec


class RequestKey(msgspec.Struct, frozen=True):
    """Names a repeatable request. Another `request_sha256` under the same key is a mistake of the caller."""

    scope: str
    """Whose request, and which operation: keys of different scopes are different."""

    key: str
    request_sha256: str
    """Hex, of what was asked."""
