"""Postgres or Redis gone for ten seconds: refused with 503 while it lasts, working again by itself (R6, R7)."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests import services
from tests.product import COMMAND, Client, Product, Trader, assert_nothing_lost_or_doubled

AWAY_S = 10
ANSWERED_WITHIN_S = 3
HEALED_WITHIN_S = 10
NOT_OK = {"postgres": ["database", "migrations"], "redis": ["cache"]}
"""The checks of /v1/health/ready that fail while a service is away."""

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_the_product_refuses_while_a_service_is_away_and_heals_when_it_is_back(service: str, tmp_path: Path) -> None:
    with services.Postgres() as postgres, services.Redis() as redis:
        product = Product(tmp_path, database_url=postgres.url, redis_url=redis.url)
        product.start()
        trader = Trader(product, 1)
        trader.start()
        product.wait_until(lambda: len(trader.acknowledged) >= 10, within_s=20)

        away = postgres if service == "postgres" else redis
        away.stop()
        time.sleep(1)
        probe = Client(product.port, trader.token)
        path = f"/v1/accounts/{trader.account_id}/orders"
        order = {"market": "SOL-USDC", "side": "buy", "quantity": "0.1"}
        ended = time.monotonic() + AWAY_S
        tries = 0
        while time.monotonic() < ended:
            started = time.monotonic()
            status, problem = probe.request("POST", path, order, key="while-away")
            assert (status, problem["status"]) == (503, 503), problem
            assert problem["code"]
            assert "127.0.0.1" not in problem["detail"], "where it is away is for operators alone"
            assert time.monotonic() - started < ANSWERED_WITHIN_S
            assert product.get("/v1/health/live") == {"status": "ok"}
            tries += 1
            time.sleep(0.2)
        assert tries > 3
        status, ready = _ready(product)
        assert status == 503
        assert [name for name, outcome in ready["checks"].items() if outcome != "ok"] == NOT_OK[service]
        assert "127.0.0.1" not in str(ready)

        away.start()
        product.wait_until(lambda: _ready(product)[0] == 200, within_s=HEALED_WITHIN_S)
        answered = len(trader.acknowledged)
        product.wait_until(lambda: len(trader.acknowledged) > answered + 10, within_s=HEALED_WITHIN_S)
        trader.finish()
        assert_nothing_lost_or_doubled([trader])
        assert product.stop() == 0
        assert product.check()["problems"] == []


def _ready(product: Product) -> tuple[int, dict[str, Any]]:
    return Client(product.port).request("GET", "/v1/health/ready")


@pytest.mark.parametrize("name", ["database_url", "redis_url"])
def test_a_start_without_postgres_or_redis_fails_at_once_and_says_which(name: str, tmp_path: Path) -> None:
    scheme = "postgresql" if name == "database_url" else "redis"
    url = f"{scheme}://127.0.0.1:9/0"
    started = subprocess.run(
        [COMMAND, "up", "--data-dir", tmp_path],
        env=os.environ | {f"PUMP_PARTY_{name.upper()}": url, "PUMP_PARTY_PORT": str(services.free_port())},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert started.returncode == 2
    assert "127.0.0.1" in started.stderr
    assert "refused" in started.stderr
    assert "Traceback" not in started.stderr
