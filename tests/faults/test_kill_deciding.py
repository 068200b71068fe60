"""kill -9 at named steps of a clone's decision: the next process brings it to one outcome with one batch of orders."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from tests.apps.api.stage import Api, Person
from tests.domains.clones.strategies import rule, sound, target
from tests.leaping_product import command_by, leap_to_next_slot, make_clock_file
from tests.product import Product

STEPS = (
    "after_artifact:0",
    "before_commit:0",
    "after_commit:0",
    "before_commit:1",
    "after_commit:1",
    "after_commit:2",
)
"""Of a decision by rules: what it saw, run and next slot, the orders, the end. `tests/db/test_decision_crashes.py` ends
one at every step there is, in one process.
"""

DIES_WITHIN_S = 30
FINISHED_WITHIN_S = 60
BUY = sound(decider=rule({"when": {"kind": "always"}, "then": target(100_000)}))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_a_decision_that_was_killed_at_a_step_has_one_outcome_and_one_batch(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    make_clock_file(clock)
    product = Product(tmp_path)
    product.start(command_by(clock, STEPS[0]))
    api = Api(cast(Any, None), product.port, asyncio.new_event_loop())
    try:
        with api.client:
            owner = api.sign_in()
            for number, following in enumerate((*STEPS[1:], "never")):
                clone_id = owner.published_clone(BUY, f"Cat {number}")
                made = owner.post(f"/v1/clones/{clone_id}/deployment", {})
                assert made.status_code == 201, made.text
                leap_to_next_slot(clock)
                product.expect_death(within_s=DIES_WITHIN_S)
                product.start(command_by(clock, following))
                expect_one_outcome(product, owner, clone_id, made.json()["account_id"])
                assert owner.post(f"/v1/clones/{clone_id}/deployment/stop").status_code == 200
    finally:
        assert product.stop() == 0
    assert product.check()["problems"] == []


def expect_one_outcome(product: Product, owner: Person, clone_id: str, account_id: str) -> None:
    def runs() -> list[Any]:
        found = owner.get(f"/v1/clones/{clone_id}/decisions").json()["items"]
        return [run for run in found if run["finished_ms"] is not None]

    product.wait_until(runs, within_s=FINISHED_WITHIN_S)
    (run,) = runs()
    assert run["state"] == "executed", run
    (order_id,) = run["decisions"][0]["order_ids"]

    def orders() -> list[Any]:
        return list(owner.get(f"/v1/accounts/{account_id}/orders").json()["items"])

    product.wait_until(orders, within_s=FINISHED_WITHIN_S)
    assert [order["order_id"] for order in orders()] == [order_id]
    assert owner.get(f"/v1/accounts/{account_id}/orders?status=open").json()["items"] == []
