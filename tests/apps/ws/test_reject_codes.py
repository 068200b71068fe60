"""Every reject code over the socket."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.apps import reject_cases
from tests.apps.clock import LeapingClock, leaping_clock
from tests.apps.reject_cases import BY_CODE, arrange
from tests.apps.ws.stage import Stage, run

from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.kernel.money import E8


@pytest.fixture
def clock() -> Iterator[LeapingClock]:
    with leaping_clock() as clock:
        yield clock


@pytest.fixture
def services(clock: LeapingClock, settings: Settings) -> Iterator[Services]:
    with closing(build(settings)) as built:
        yield built


@pytest.mark.parametrize("code", BY_CODE)
def test_an_order_is_refused_with_its_code_in_its_answer_or_when_it_has_waited(
    services: Services, clock: LeapingClock, code: str
) -> None:
    case = BY_CODE[code]

    async def scenario(stage: Stage) -> None:
        user = stage.user()
        user.account_id = arrange(services, user.principal.user_id, case)
        client = await stage.following(user)
        kind = {} if case.kind is None else {"order_type": case.kind}
        frame = user.order("once", **(reject_cases.BUY | case.order | kind)) | {"id": None}
        answer = await client.ask(**frame)
        if case.again is not None:
            answer = await client.ask(**(frame | case.again))
            assert (answer["type"], answer["code"], answer["status"]) == ("error", code.lower(), 422)
            return
        order = answer["order"]
        if case.leap_ms:
            assert order["status"] == "accepted"
            clock.leap(case.leap_ms)
            if case.book is not None:
                reject_cases.show_book(services, *case.book)
                await stage.price(mid_e8=150 * E8)
        told = await client.until(lambda frame: frame["type"] == "order_reject")
        assert (told["order_id"], told["reject_code"]) == (order["order_id"], code)
        if not case.leap_ms:
            assert (order["status"], order["reject_code"]) == ("rejected", code)

    run(services, scenario, matching=True)
