import hashlib

import pytest

from pump_party.domains.clones.commitment import SALT_BYTES, commitment

CONTENT = hashlib.sha256(b"strategy").hexdigest()


def test_a_commitment_is_the_hash_of_salt_and_content_hash():
    salt = bytes(range(SALT_BYTES))
    assert commitment(salt=salt, sha256=CONTENT) == hashlib.sha256(salt + bytes.fromhex(CONTENT)).hexdigest()


def test_the_same_strategy_has_another_commitment_under_another_salt():
    assert commitment(salt=bytes(SALT_BYTES), sha256=CONTENT) != commitment(salt=b"\x01" * SALT_BYTES, sha256=CONTENT)


def test_a_short_salt_or_hash_is_a_bug():
    for salt, content in ((b"", CONTENT), (bytes(SALT_BYTES), "ab")):
        with pytest.raises(AssertionError):
            commitment(salt=salt, sha256=content)
