"""The contract others build on: any change of it is seen, and has a version."""

import json
import re
from pathlib import Path
from types import UnionType
from typing import TypeVar

from scripts.write_contract import path_of, snapshot, text_of

from pump_party.domains.prop_interface import commands, contract, rule_views, views, words
from pump_party.domains.prop_interface.contract import CONTRACT_VERSION

HERE = Path(__file__).parent


def test_the_contract_is_the_one_its_version_promises():
    """After a change: raise CONTRACT_VERSION, then `.venv/bin/python scripts/write_contract.py`."""
    assert text_of(snapshot()) == path_of(CONTRACT_VERSION).read_text()


def test_the_snapshots_are_of_this_version_and_earlier_ones():
    versions = {int(re.fullmatch(r"contract\.v(\d+)\.json", p.name)[1]): p for p in HERE.glob("contract.*.json")}
    assert max(versions) == CONTRACT_VERSION
    assert {version: json.loads(p.read_text())["version"] for version, p in versions.items()} == {
        v: v for v in versions
    }


def test_the_snapshot_sees_fields_types_defaults_members_limits_and_methods():
    seen = snapshot()
    assert seen["structs"]["PlaceOrder"]["fields"]["quantity_nanos"] == "int | None = None"
    assert seen["structs"]["CloseAction"] == {
        "fields": {"action_id": "str", "market": "Market"},
        "tag": "close_position",
    }
    assert seen["enums"]["Side"] == {"BUY": "buy", "SELL": "sell"}
    assert seen["limits"]["ACTIONS_PER_BATCH_MAX"] == 20
    assert seen["unions"]["Action"] == "PlaceAction | CancelAction | CloseAction | ExitsAction"
    assert seen["methods"]["PropTrading.submit_actions"] == "(batch: SubmitActions) -> Sequence[ActionOutcome]"


def test_all_that_the_package_declares_can_be_named_from_the_contract():
    declared = {
        name
        for module in (words, commands, views, rule_views)
        for name, value in vars(module).items()
        if name.isupper() or isinstance(value, UnionType) or getattr(value, "__module__", "") == module.__name__
        if not isinstance(value, TypeVar)
    }
    assert len(declared) > 50
    assert declared - set(contract.__all__) == set()
