"""Perpetuals over HTTP: the estimate before an order, the position after it, and the rules of both."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.apps.api.stage import Api, Person, running_api

from pump_party.config import Settings

PERP = "SOL-PERP"
LONG = {"market": PERP, "side": "buy", "quantity": "10", "leverage": 5}


@pytest.fixture(scope="module")
def api(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    shutil.copy(sqlite_template, folder / "pump_party.sqlite3")
    with running_api(Settings(data_dir=str(folder), rate_limits=False)) as api:
        yield api


@pytest.fixture
def person(api: Api) -> Person:
    api.set_price(150, market=PERP)
    return api.sign_in()


def test_the_estimate_of_an_order_is_what_the_position_then_is(person: Person) -> None:
    path = f"/v1/accounts/{person.open_account()}"
    preview = person.post(f"{path}/orders/preview", LONG).json()
    assert (preview["status"], preview["leverage"], preview["held"]) == ("filled", 5, "0")
    fill = person.post(f"{path}/orders", LONG).json()["fill"]
    (position,) = person.get(path).json()["perps"]
    expected = {
        "market": PERP,
        "side": "long",
        "quantity": "10",
        "leverage": 5,
        "margin": preview["margin"],
        "liquidation_price": preview["liquidation_price"],
        "entry_price": fill["price"],
        "fees": fill["fee"],
        "mark": "150",
    }
    assert {name: position[name] for name in expected} == expected
    told = {"event": "open", "side": "long", "position_quantity": "10"}
    assert {name: fill["perp"][name] for name in told} == told
    (listed,) = person.get(f"{path}/fills").json()["items"]
    assert listed["perp"] == fill["perp"]


def test_the_estimate_of_a_short_that_waits_tells_what_it_would_set_aside(person: Person) -> None:
    path = f"/v1/accounts/{person.open_account('practice-next-v1')}"
    short = LONG | {"side": "sell"}
    preview = person.post(f"{path}/orders/preview", short).json()
    placed = person.post(f"{path}/orders?wait_ms=0", short).json()
    assert preview["status"] == placed["status"] == "accepted"
    assert (preview["held"], preview["held_asset"]) == (placed["held"], "USDC")
    assert preview["position_after"] == "-10"
    assert float(preview["liquidation_price"]) > 150


def test_rule_sets_tell_how_fills_are_priced_and_how_much_leverage_each_size_may_have(api: Api) -> None:
    listed = {one["name"]: one for one in api.client.get("/v1/rule-sets").json()["items"]}
    assert [listed[f"practice-{name}"]["price_mode"] for name in ("v2", "next-v1", "book-v1")] == [
        *("oracle", "oracle"),
        "book",
    ]
    assert listed["practice-v1"]["perps"] == []
    perps: dict[str, Any] = {one["pricing"]["market"]: one for one in listed["practice-v2"]["perps"]}
    assert perps[PERP]["tiers"] == [{"lower": "0", "max_leverage": 20}, {"lower": "70000000", "max_leverage": 10}]
    assert (perps[PERP]["pricing"]["taker_fee_ppm"], perps[PERP]["maker_fee_ppm"]) == (450, 150)
