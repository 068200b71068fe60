"""Real services on both storages: SQLite with the cache in this process, Postgres with Redis."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings


@pytest.fixture
def settings(sqlite_path: Path) -> Settings:
    return Settings(data_dir=str(sqlite_path.parent))


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with closing(build(settings)) as built:
        yield built


@pytest.fixture(params=["in_process", "postgres_and_redis"])
def services_on_both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Services]:
    """The same on both storages, one after the other."""
    if request.param == "in_process":
        settings = Settings(data_dir=str(request.getfixturevalue("sqlite_path").parent))
    else:
        database_url, redis_url = (request.getfixturevalue(name) for name in ("postgres_url", "redis_url"))
        settings = Settings(data_dir=str(tmp_path), database_url=database_url, redis_url=redis_url)
    with closing(build(settings)) as built:
        yield built
