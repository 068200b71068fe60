"""What tests of the engine's stores may ask for."""

from collections.abc import Callable
from itertools import count

import msgspec
import pytest
from tests.db.desk import Desk, Venue
from tests.domains.prop_engine.markets import SOL, rule_sets

from pump_party.db.engine import Database
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.risk import RiskRules
from pump_party.domains.prop_interface.contract import AccountKind
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

OpenDesk = Callable[..., Desk]


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def venue(request: pytest.FixtureRequest) -> Venue:
    """An empty store: the test runs on SQLite, on Postgres and in memory."""
    if request.param == "memory":
        return MemoryStore()
    opened: Venue = request.getfixturevalue(f"{request.param}_database")
    return opened


@pytest.fixture
def latest(venue: Venue, clock: ManualClock) -> Desk:
    """Orders fill at once."""
    return Desk(venue, clock, "practice-v2")


@pytest.fixture
def desk(venue: Venue, clock: ManualClock) -> Desk:
    """Under contest rules: nothing fills on a price that could have been seen."""
    return Desk(venue, clock, "practice-next-v1")


@pytest.fixture
def trader(database: Database, clock: ManualClock) -> OpenDesk:
    """Opens an account under the rules of an audition or a race, or practice rules with limits of a test's own."""
    numbers = count()

    def open_desk(rule_set: str = "audition-v1", market: Market = SOL, **limits: object) -> Desk:
        if not limits:
            return Desk(database, clock, rule_set, market, kind=AccountKind.CONTEST)
        risk, name = RiskRules(**limits), f"limited-{next(numbers)}"  # type: ignore[arg-type]
        rules = msgspec.structs.replace(rule_sets()["practice-v2"], name=name, risk=risk)
        return Desk(database, clock, name, market, rules={name: rules})

    return open_desk
