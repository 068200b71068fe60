"""Envelope encryption with AES-256-GCM: data keys of clones, wrapped with platform keys from a setting or a file.

A sealed text is a format byte, a random nonce, the ciphertext and its tag.
"""

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pump_party.domains.clones.model import SealedKey
from pump_party.domains.clones.sealing import KeyMissing, OneKeyMissing, SealBroken
from pump_party.kernel.errors import Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = b"\x01"
KEY_ID_BYTES = 4
KEYS_MAX = 32
"""Platform keys that are kept at once."""

PRIVATE_MODE = 0o600

_KEY = re.compile(r"(?P<id>[a-z0-9][a-z0-9_-]{0,31}):(?P<hex>[0-9a-fA-F]{64})", re.ASCII)
_HEADING = "# Seals the strategies in the database. The newest key is first. Lost keys are lost strategies.\n"

PlatformKey = tuple[str, bytes]


class PlatformKeys:
    """The keys that wrap data keys, the newest first: those of the setting, else those of a file that only we may read.

    The file is read when a key is first needed, and again when one is missing, so that a rotation needs no restart.
    """

    def __init__(self, setting: str, file: Path, *, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._setting = setting
        self._file = file
        self._randomness = randomness
        self._keys: tuple[PlatformKey, ...] = ()

    def newest(self) -> PlatformKey | None:
        keys = self._keys or self.load()
        return keys[0] if keys else None

    def find(self, key_id: str) -> bytes:
        """Raises KeyMissing."""
        found = dict(self._keys).get(key_id) or dict(self.load()).get(key_id)
        if found is None:
            kind = OneKeyMissing if self._keys else KeyMissing
            raise kind(
                f"the strategies are sealed with the platform key {key_id}, which is neither in "
                f"PUMP_PARTY_STRATEGY_KEYS nor in {self._file.name} of the data folder: bring it back"
            )
        return found

    def load(self) -> tuple[PlatformKey, ...]:
        """Raises Unavailable for a file that is not what it should be."""
        text = self._setting.replace(",", "\n") if self._setting else self._read()
        lines = [line.strip() for line in text.splitlines()]
        matches = [_KEY.fullmatch(line) for line in lines if line and not line.startswith("#")]
        if len(matches) > KEYS_MAX or None in matches:
            raise Unavailable(f"{self._file} must hold at most {KEYS_MAX} lines id:64 hex digits", code="bad_key_file")
        self._keys = tuple((match["id"], bytes.fromhex(match["hex"])) for match in matches if match is not None)
        if len(dict(self._keys)) < len(self._keys):
            raise Unavailable("two platform keys have the same id", code="bad_key_file")
        return self._keys

    def add(self) -> str:
        """Put a new key before the others of the file and return its id. Raises Unavailable when a setting rules."""
        if self._setting:
            raise Unavailable(
                "the keys come from PUMP_PARTY_STRATEGY_KEYS: put a new one first there, then run this again",
                code="keys_are_a_setting",
            )
        self._file.parent.mkdir(parents=True, exist_ok=True)
        key = self._randomness(KEY_ID_BYTES).hex(), self._randomness(KEY_BYTES)
        with _turn_in(self._file.parent):
            self._write((key, *self.load()))
            self.load()
        newest = self.newest()
        assert newest is not None
        return newest[0]

    def is_setting(self) -> bool:
        return bool(self._setting)

    def _read(self) -> str:
        try:
            with self._file.open() as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise Unavailable(f"others may read {self._file}: chmod 600 it", code="key_file_open")
                return file.read()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"cannot read {self._file}: {error}", code="bad_key_file") from error

    def _write(self, keys: tuple[PlatformKey, ...]) -> None:
        """Whole or not at all."""
        beside = self._file.with_name(f"{self._file.name}.{self._randomness(8).hex()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(_HEADING + "".join(f"{key_id}:{key.hex()}\n" for key_id, key in keys))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._file)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def _turn_in(folder: Path) -> Iterator[None]:
    """Wait for other processes that change files of this folder: a key that two of them overwrite would be lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class AesGcmSealing:
    """Implements `domains.clones.sealing.Sealing`. Safe to call from threads."""

    def __init__(self, keys: PlatformKeys, *, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._keys = keys
        self._randomness = randomness

    def new_key(self, bound_to: bytes, *, first: bool) -> SealedKey:
        newest = self._keys.newest()
        if newest is None:
            if not first:
                raise KeyMissing(
                    "the strategies of this database are sealed with a platform key that this process has not: set "
                    "PUMP_PARTY_STRATEGY_KEYS, or bring the key file of the data folder"
                )
            self._keys.add()
            newest = self._keys.newest()
            assert newest is not None
        key_id, platform_key = newest
        return SealedKey(key_id, self._encrypt(platform_key, self._randomness(KEY_BYTES), bound_to))

    def seal(self, key: SealedKey, content: bytes, *, key_bound_to: bytes, bound_to: bytes) -> bytes:
        return self._encrypt(self._unwrap(key, key_bound_to), content, bound_to)

    def open(self, key: SealedKey, sealed: bytes, *, key_bound_to: bytes, bound_to: bytes) -> bytes:
        return _decrypt(self._unwrap(key, key_bound_to), sealed, bound_to)

    def check(self, key: SealedKey, bound_to: bytes) -> None:
        self._unwrap(key, bound_to)

    def rewrap(self, key: SealedKey, bound_to: bytes) -> SealedKey | None:
        newest = self._keys.newest()
        if newest is None or newest[0] == key.key_id:
            self._unwrap(key, bound_to)
            return None
        return SealedKey(newest[0], self._encrypt(newest[1], self._unwrap(key, bound_to), bound_to))

    def _unwrap(self, key: SealedKey, bound_to: bytes) -> bytes:
        return _decrypt(self._keys.find(key.key_id), key.wrapped, bound_to)

    def _encrypt(self, key: bytes, content: bytes, bound_to: bytes) -> bytes:
        nonce = self._randomness(NONCE_BYTES)
        return FORMAT + nonce + _cipher(key).encrypt(nonce, content, bound_to)


def _decrypt(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    head = len(FORMAT) + NONCE_BYTES
    if not sealed.startswith(FORMAT) or len(sealed) < head:
        raise SealBroken("a stored strategy has been changed: it is not in the form it was sealed in")
    try:
        return _cipher(key).decrypt(sealed[len(FORMAT) : head], sealed[head:], bound_to)
    except InvalidTag as error:
        raise SealBroken("a stored strategy has been changed, moved, or sealed with another key") from error


def _cipher(key: bytes) -> "AESGCM":
    # Imported when a strategy is first sealed: OpenSSL's bindings cost a start that needs none of them.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
