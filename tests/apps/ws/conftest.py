"""Real services on both storages: SQLite with the cache in this process, Postgres with Redis."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pump_party.bootstrap import Services, build
from pump_party.config import Settings


@pytest.fixture
def settings(sqlite_path: Path) -> Settings:
    return Settings(data_dir=str(sqlite_path.parent))


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with closing(build(settings)) as built:
        yield built
