"""Binds an owner to a strategy without showing it: the commitment is public, the salt stays private until revealed."""

import hashlib

SALT_BYTES = 32


def commitment(*, salt: bytes, sha256: str) -> str:
    """Hex of sha256(salt + content hash). Without the salt nobody can try strategies against it."""
    assert len(salt) == SALT_BYTES
    content = bytes.fromhex(sha256)
    assert len(content) == hashlib.sha256().digest_size
    return hashlib.sha256(salt + content).hexdigest()
