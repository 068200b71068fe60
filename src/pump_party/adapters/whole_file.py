"""A gzip file that gets its name only when it is complete and on disk."""

import gzip
import os
from pathlib import Path
from typing import IO


class WholeFile:
    """Write, then `finish`. Until then only a hidden `.part` file exists, which no tape reads."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self._part = target.with_name(f".{target.name}.part")
        self._raw: IO[bytes] = self._part.open("wb")
        self._gzip = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0)

    def write(self, data: bytes) -> None:
        self._gzip.write(data)

    def finish(self) -> None:
        self._gzip.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        self._part.rename(self.target)
