"""Session tokens, API keys and CSRF tokens: 256 random bits, shown once, remembered only as SHA-256."""

import base64
import hashlib
import hmac

TOKEN_CHARS = 43
KEY_MARK = "pp_"
KEY_PREFIX_CHARS = 8
KEY_CHARS = len(KEY_MARK) + KEY_PREFIX_CHARS + 1 + TOKEN_CHARS


def token_text(random: bytes) -> str:
    """A session token, safe in a header and a cookie."""
    return _text(random)


def api_key_text(*, prefix: bytes, secret: bytes) -> str:
    """An API key `pp_<prefix>_<secret>`. The prefix tells keys apart in lists and is not secret."""
    return f"{KEY_MARK}{prefix.hex()[:KEY_PREFIX_CHARS]}_{_text(secret)}"


def api_key_prefix(key: str) -> str:
    return key[: len(KEY_MARK) + KEY_PREFIX_CHARS]


def fingerprint(secret: str) -> bytes:
    """What is stored and looked up in place of a token or key."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_token(session_token: str) -> str:
    """The CSRF token of a session: derived, so it needs no storage; the session token cannot be found from it."""
    return _text(hmac.digest(session_token.encode(), b"csrf", "sha256"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
