"""Objects by the hash of their content: a local folder, S3, or memory. Written once, never changed.

What is sealed has another hash each time: it is kept at a place that its plain content fixes.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, from_url

from pump_party.kernel.errors import Invalid, NotFound, Unavailable

OBJECT_BYTES_MAX = 16 * 1024 * 1024
RETRIES_MAX = 2
RETRY_TIMEOUT = timedelta(seconds=15)

_SHA256_CHARACTERS = 64


class ObjectStore:
    """Opens `file:///folder`, a plain folder path, `memory://` or `s3://bucket/prefix`. Blocking: call from a thread.

    S3 credentials come from the machine's own AWS configuration. Raises Invalid for a URL that cannot be opened.
    """

    def __init__(self, url: str) -> None:
        try:
            if url.startswith("memory:"):
                self._store: obstore.store.ObjectStore = MemoryStore()
            elif "://" not in url or url.startswith("file://"):
                folder = Path(url.removeprefix("file://"))
                self._store = LocalStore(prefix=folder, mkdir=True)
            else:
                self._store = from_url(
                    url,
                    retry_config={"max_retries": RETRIES_MAX, "retry_timeout": RETRY_TIMEOUT},
                )
        except (BaseError, OSError, ValueError) as error:
            raise Invalid(
                f"cannot open the object store: {_first_line(error)}", code="object_store_unusable"
            ) from error

    def put(self, sha256: str, body: bytes) -> bool:
        """Keep a body under its hash. Returns False when it was there already. Raises Unavailable."""
        assert hashlib.sha256(body).hexdigest() == sha256
        return self.put_at(sha256, body)

    def get(self, sha256: str) -> bytes:
        """The body with this hash, checked. Raises NotFound or Unavailable."""
        body = self.get_at(sha256)
        if hashlib.sha256(body).hexdigest() != sha256:
            raise Unavailable(f"object {sha256} is damaged", code="object_damaged")
        return body

    def put_at(self, place: str, body: bytes) -> bool:
        """Keep a body at 64 hex digits that follow from what is in it. Else like `put`."""
        assert len(body) <= OBJECT_BYTES_MAX
        try:
            obstore.put(self._store, _key(place), body, mode="create")
        except AlreadyExistsError:
            return False
        except (BaseError, OSError) as error:
            raise Unavailable(f"the object store refused: {_first_line(error)}") from error
        return True

    def get_at(self, place: str) -> bytes:
        """Raises NotFound or Unavailable."""
        try:
            return bytes(obstore.get(self._store, _key(place)).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"no object {place}") from error
        except (BaseError, OSError) as error:
            raise Unavailable(f"the object store refused: {_first_line(error)}") from error

    def delete_at(self, places: Sequence[str]) -> None:
        """For good; a place where nothing is, is none. Raises Unavailable."""
        for place in places:
            try:
                obstore.delete(self._store, _key(place))
            except (NotFoundError, FileNotFoundError):
                continue
            except (BaseError, OSError) as error:
                raise Unavailable(f"the object store refused: {_first_line(error)}") from error


def _key(place: str) -> str:
    # Two levels of folders, so that no folder of a local store grows without end.
    assert len(place) == _SHA256_CHARACTERS
    assert set(place) <= set("0123456789abcdef")
    return f"{place[:2]}/{place[2:4]}/{place}"


def _first_line(error: Exception) -> str:
    # What follows it is the library's view of itself.
    return str(error).partition("\n")[0]
