"""kill -9 at random moments under clients that retry with keys: nothing lost, nothing doubled (reliability R1)."""

import time
from pathlib import Path
from random import Random

import pytest
from tests.product import Product, Trader, assert_nothing_lost_or_doubled

CYCLES = 20
CLIENTS = 32

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_nothing_acknowledged_is_lost_or_doubled_when_the_process_is_killed(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgres" else ""
    # Every order here is a trader's: house clones would trade as well.
    product = Product(tmp_path, database_url=url, house_clones="false")
    product.start()
    traders = [Trader(product, number) for number in range(CLIENTS)]
    for trader in traders:
        trader.start()
    random = Random(9)
    try:
        for _ in range(CYCLES):
            time.sleep(random.uniform(0.05, 0.8))
            product.kill()
            product.start()
        for trader in traders:
            trader.finish()
        orders = assert_nothing_lost_or_doubled(traders)
    finally:
        assert product.stop() == 0
    report = product.check()
    assert report["problems"] == []
    assert report["orders"] == orders > CYCLES * CLIENTS
