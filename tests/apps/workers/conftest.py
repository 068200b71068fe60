from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.apps.workers.feeding import HZ

from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings


@pytest.fixture(params=["in_process", "redis"])
def services(request: pytest.FixtureRequest, sqlite_path: Path) -> Iterator[Services]:
    redis_url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    settings = Settings(
        data_dir=str(sqlite_path.parent), redis_url=redis_url, price_fan_out_hz=HZ, record_raw=True, log_level="error"
    )
    built = build(settings)
    try:
        yield built
    finally:
        built.close()
