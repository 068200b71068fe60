"""The OpenAPI document is the API: every route is in it, and generated requests find no answer it does not describe."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.apps.api.stage import SOL, Api, Person
from tests.apps.api.test_access import routes

from pump_party.apps.api.openapi import openapi_document

ROOT = Path(__file__).parents[3]
UNDOCUMENTED = {("GET", "/metrics"), ("GET", "/v1/openapi.json")}
ENDS_THE_SESSION = ("DELETE",)
EXAMPLES_PER_ROUTE = 10

DOCUMENT = openapi_document()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [found.ok() for found in SCHEMA.exclude(method=list(ENDS_THE_SESSION)).get_all_operations()]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_the_document_describes_exactly_the_routes():
    documented = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert documented == set(routes()) - UNDOCUMENTED


def test_operations_have_names_of_their_own_and_inputs_refuse_what_they_do_not_know():
    names = [operation["operationId"] for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))
    for item in DOCUMENT["paths"].values():
        body = item.get("post", {}).get("requestBody")
        if body is not None:
            reference = body["content"]["application/json"]["schema"]["$ref"]
            assert DOCUMENT["components"]["schemas"][reference.rsplit("/", 1)[-1]]["additionalProperties"] is False


def test_the_document_is_served(api: Api):
    assert api.client.get("/v1/openapi.json").json() == json.loads(json.dumps(DOCUMENT))


def test_the_reference_pages_are_fresh():
    check = [sys.executable, ROOT / "scripts" / "write_reference.py", "--check"]
    ran = subprocess.run(check, check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def trader(api: Api) -> Person:
    api.set_price(150)
    return api.sign_in()


@pytest.fixture(scope="module")
def account_id(trader: Person) -> str:
    return trader.open_account()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_generated_requests_get_documented_answers(api: Api, trader: Person, account_id: str, operation):
    @given(case=st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))
    @settings(
        max_examples=EXAMPLES_PER_ROUTE,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def every_answer_is_documented(case):
        if "account_id" in case.path_parameters:
            case.path_parameters["account_id"] = account_id
        if "market" in case.path_parameters:
            case.path_parameters["market"] = SOL
        case.call_and_validate(
            base_url=f"http://127.0.0.1:{api.port}",
            headers={"Authorization": f"Bearer {trader.token}"},
            checks=CHECKS,
        )

    every_answer_is_documented()
