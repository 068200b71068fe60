"""How strategies are kept from whoever reads the database: the port, and what a ciphertext is bound to."""

from typing import Protocol

from pump_party.domains.clones.model import SealedKey
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import CloneId, UserId


class Unreadable(Unavailable):
    """What is sealed of one clone cannot be opened, or its key not used. Of other clones nothing follows from it."""

    code = "seal_broken"


class SealBroken(Unreadable):
    """What was stored is not what was sealed here: changed, moved from another clone, or sealed with another key."""

    code = "seal_broken"


class KeyMissing(Unavailable):
    """This process has not the platform key that a strategy is sealed with, or none at all."""

    code = "strategy_key_missing"


class OneKeyMissing(KeyMissing, Unreadable):
    """It has others: what is sealed with those opens."""


class Sealing(Protocol):
    """Envelope encryption: each clone has a data key, and platform keys wrap data keys.

    `adapters/sealing.py` implements it. `bound_to` is authenticated with the ciphertext: opening it with anything else
    raises SealBroken. Every method raises KeyMissing.
    """

    def new_key(self, bound_to: bytes, *, first: bool) -> SealedKey:
        """A fresh data key, wrapped with the newest platform key. Only for the `first` is a platform key made."""
        ...

    def seal(self, key: SealedKey, content: bytes, *, key_bound_to: bytes, bound_to: bytes) -> bytes: ...

    def open(self, key: SealedKey, sealed: bytes, *, key_bound_to: bytes, bound_to: bytes) -> bytes: ...

    def check(self, key: SealedKey, bound_to: bytes) -> None:
        """Raise KeyMissing or SealBroken when this process cannot use a data key."""
        ...

    def rewrap(self, key: SealedKey, bound_to: bytes) -> SealedKey | None:
        """The same data key under the newest platform key; None when it is already."""
        ...


def key_binding(user_id: UserId, clone_id: CloneId) -> bytes:
    """What a data key is bound to: the owner and the clone."""
    return _joined("clone-key/1", user_id, clone_id)


def draft_binding(user_id: UserId, clone_id: CloneId, revision: int) -> bytes:
    """What a draft is bound to: an older one cannot be put in its place."""
    return _joined("clone-draft/1", user_id, clone_id, str(revision))


def version_binding(user_id: UserId, clone_id: CloneId, number: int) -> bytes:
    """What a version is bound to: another one cannot be put in its place."""
    return _joined("clone-version/1", user_id, clone_id, str(number))


def artifact_binding(user_id: UserId, clone_id: CloneId, name: str) -> bytes:
    """What an artifact of a decision is bound to: another one cannot be put in its place. Its hash is its name."""
    return _joined("clone-artifact/1", user_id, clone_id, name)


def _joined(*parts: str) -> bytes:
    assert all(part and "|" not in part for part in parts)
    return "|".join(parts).encode()
