"""What a follower of an account is shown when the outbox holds what this version cannot read."""

from collections.abc import Callable

import msgspec
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs
from tests.apps.ws.stage import Stage, User, run

from pump_party.bootstrap.services import Services
from pump_party.db.outbox import outbox

LATER_FIELDS = ("market", "side", "version", "cash_micros", "held_micros")


def without_later_fields(services: Services, user: User) -> None:
    event = msgspec.json.decode(_stored(services, user))
    first = {name: value for name, value in event.items() if name not in LATER_FIELDS}
    _change(services, user, payload=msgspec.json.encode(first).decode())


def of_a_kind_to_come(services: Services, user: User) -> None:
    _change(services, user, kind="order_reconsidered")


@pytest.mark.parametrize("spoil", [without_later_fields, of_a_kind_to_come])
def test_an_event_that_cannot_be_read_leaves_a_gap_and_is_logged_once(
    services: Services, spoil: Callable[[Services, User], None]
) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        trader = await stage.signed_in(user)
        for key, quantity in (("first", "1"), ("too-much", "1000"), ("second", "1")):
            await trader.ask(**user.order(key, quantity=quantity))
        spoil(services, user)

        with capture_logs() as logged:
            followers = [await stage.following(user, after_seq=0) for _ in range(2)]
            for client in followers:
                await client.until(lambda frame: frame.get("seq") == 5 and frame["type"] == "portfolio_update")
            await trader.ask(**user.order("third"))
            for client in followers:
                await client.until(lambda frame: frame.get("seq") == 7 and frame["type"] == "portfolio_update")

        for client in followers:
            shown = client.of("order_fill", "order_reject", "portfolio_update")
            assert [frame["seq"] for frame in shown] == [1, 2, 4, 5, 6, 7]
        [line] = [line for line in logged if line["event"] == "event_unreadable"]
        assert (line["subject"], line["seq"]) == (user.account_id, 3)

    run(services, scenario)


def _stored(services: Services, user: User) -> str:
    with services.database.read() as connection:
        return connection.execute(sa.select(outbox.c.payload).where(_rejection(user))).scalar_one()


def _change(services: Services, user: User, **values: str) -> None:
    with services.database.write() as connection:
        connection.execute(sa.update(outbox).where(_rejection(user)).values(**values))


def _rejection(user: User) -> sa.ColumnElement[bool]:
    return (outbox.c.subject == user.account_id) & (outbox.c.kind == "order_rejected")
