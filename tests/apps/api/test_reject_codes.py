"""Every reject code over HTTP."""

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.apps import reject_cases
from tests.apps.api.stage import Api, Person, running_api
from tests.apps.clock import LeapingClock, leaping_clock
from tests.apps.reject_cases import BY_CODE, arrange

from pump_party.config import Settings
from pump_party.domains.prop_interface.contract import RejectCode


@pytest.fixture(scope="module")
def clock() -> Iterator[LeapingClock]:
    with leaping_clock() as clock:
        yield clock


@pytest.fixture(scope="module")
def api(clock: LeapingClock, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    shutil.copy(sqlite_template, folder / "pump_party.sqlite3")
    with running_api(Settings(data_dir=str(folder), rate_limits=False), matching=True) as api:
        yield api


def test_every_code_has_its_case():
    assert {case.code for case in BY_CODE.values()} == set(RejectCode)


@pytest.mark.parametrize("code", BY_CODE)
def test_an_order_is_refused_with_its_code(api: Api, clock: LeapingClock, person: Person, code: str) -> None:
    case = BY_CODE[code]
    account_id = arrange(api.services, person.user_id, case)  # type: ignore[arg-type]
    path = f"/v1/accounts/{account_id}/orders"
    body = reject_cases.BUY | case.order | ({} if case.kind is None else {"type": case.kind})
    with ThreadPoolExecutor(1) as pool:
        placing = pool.submit(person.post, path, body, key="once")
        if case.leap_ms:
            started = time.monotonic()
            while not person.get(f"{path}?status=open").json()["items"]:
                assert time.monotonic() - started < 10
            clock.leap(case.leap_ms)
            if case.book is not None:
                reject_cases.show_book(api.services, *case.book)
                api.tick(150)
        answer = placing.result()
    if case.again is not None:
        answer = person.post(path, body | case.again, key="once")
        assert (answer.status_code, answer.json()["code"]) == (422, code.lower())
        return
    order = answer.json()
    assert (answer.status_code, order["status"], order["reject_code"]) == (201, "rejected", code)
    assert person.get(f"{path}/{order['order_id']}").json() == order
    assert person.post(path, body, key="once").json() == order
