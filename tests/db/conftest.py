"""What tests of the engine's stores may ask for."""

import pytest
from tests.db.desk import Venue

from pump_party.domains.prop_engine.memory_store import MemoryStore


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def venue(request: pytest.FixtureRequest) -> Venue:
    """An empty store: the test runs on SQLite, on Postgres and in memory."""
    if request.param == "memory":
        return MemoryStore()
    opened: Venue = request.getfixturevalue(f"{request.param}_database")
    return opened
