"""What one socket may do, and how each thing it may not do is answered."""

import asyncio
from typing import Any

import msgspec
import pytest
from picows import WSMsgType
from tests.apps.ws.stage import SOL, Stage, run

from pump_party.apps.ws import session
from pump_party.bootstrap.services import Services
from pump_party.domains.users.contract import Scope

# --- signing in


def test_a_ticket_opens_one_socket(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        ticket = await stage.user().ticket()
        first, second = await stage.connect(), await stage.connect()
        assert (await first.ask(type="authenticate", ticket=ticket))["type"] == "authenticated"
        answer = await second.ask(type="authenticate", ticket=ticket)
        assert (answer["code"], answer["status"]) == ("ticket_invalid", 401)
        assert await second.until_closed() == session.UNAUTHENTICATED
        again = await first.ask(type="authenticate", ticket=ticket)
        assert (again["code"], first.closed) == ("already_authenticated", None)

    run(services, scenario)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "ping"},
        {"type": "subscribe", "channel": "price", "market": SOL},
        {"type": "place_order", "account_id": "0" * 36, "idempotency_key": "k", "market": SOL, "side": "buy"},
        {"type": "nonsense"},
        {"type": "authenticate", "ticket": "made-up"},
    ],
    ids=lambda frame: frame["type"],
)
def test_nothing_is_answered_before_a_good_ticket(services: Services, frame: dict[str, Any]) -> None:
    async def scenario(stage: Stage) -> None:
        client = await stage.connect()
        answer = await client.ask(**frame)
        assert answer["type"] == "error"
        assert await client.until_closed() == session.UNAUTHENTICATED

    run(services, scenario)


def test_a_socket_without_a_ticket_is_closed_in_time(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SIGN_IN_S", 0.2)

    async def scenario(stage: Stage) -> None:
        silent, user = await stage.connect(), stage.user()
        signed_in = await stage.signed_in(user)
        assert await silent.until_closed() == session.UNAUTHENTICATED
        assert (await signed_in.ask(type="ping"))["type"] == "pong"

    run(services, scenario)


def test_frames_sent_without_waiting_for_the_sign_in_are_carried_out_in_order(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.connect()
        client.send({"type": "authenticate", "ticket": await user.ticket()})
        client.send({"type": "subscribe", "channel": "price", "market": SOL})
        client.send(user.order("early"))
        result = await client.until(lambda frame: frame.get("id") == "early")
        assert [frame["type"] for frame in client.frames[:2]] == ["authenticated", "subscribed"]
        assert result["type"] == "order_result"

    run(services, scenario)


# --- frames


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("", "json_malformed", None),
        ("{", "json_malformed", None),
        (b'{"type":"ping","id":"\xff"}', "json_malformed", None),
        ("[1]", "unknown_frame", "type"),
        ("{}", "unknown_frame", "type"),
        ('{"type":"dance"}', "unknown_frame", "type"),
        ('{"type":["ping"]}', "unknown_frame", "type"),
        ('{"type":"ping","extra":1}', "unknown_field", "extra"),
        ('{"type":"ping","id":7}', "invalid_value", "id"),
        ('{"type":"ping","id":"' + "x" * 65 + '"}', "invalid_value", "id"),
        ('{"type":"subscribe"}', "missing_field", "channel"),
        ('{"type":"subscribe","channel":"news"}', "invalid_value", "channel"),
        ('{"type":"subscribe","channel":"price"}', "missing_field", "markets"),
        ('{"type":"subscribe","channel":"price","markets":[]}', "missing_field", "markets"),
        ('{"type":"subscribe","channel":"price","market":"NOPE-USDC"}', "market_unknown", "market"),
        ('{"type":"subscribe","channel":"account"}', "missing_field", "account_id"),
        ('{"type":"subscribe","channel":"account","account_id":"' + "x" * 36 + '"}', "account_not_found", "account_id"),
        ('{"type":"subscribe","channel":"account","account_id":"x","after_seq":-1}', "invalid_value", "account_id"),
        ('{"type":"unsubscribe","channel":"account"}', "missing_field", "account_id"),
    ],
)
def test_a_bad_frame_is_answered_and_the_socket_lives(
    services: Services, text: str | bytes, code: str, field: str | None
) -> None:
    async def scenario(stage: Stage) -> None:
        client = await stage.signed_in(stage.user())
        client.send(text)
        answer = await client.until(lambda frame: frame["type"] == "error")
        assert (answer["code"], answer.get("field")) == (code, field)
        assert (await client.ask(type="ping"))["type"] == "pong"

    run(services, scenario)


def test_a_ping_frame_tells_the_server_s_time(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        client = await stage.signed_in(stage.user())
        before_ms = services.clock.now_ms()
        assert before_ms <= (await client.ask(type="ping"))["server_ms"] <= services.clock.now_ms()

    run(services, scenario)


def test_a_message_may_come_in_fragments_up_to_the_limit(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        client = await stage.signed_in(stage.user())
        client.transport.send(WSMsgType.TEXT, b'{"type":"pi', fin=False)
        client.transport.send(WSMsgType.PING, b"between")
        client.transport.send(WSMsgType.CONTINUATION, b'ng","id":"f"}')
        await client.until(lambda frame: frame.get("id") == "f")

        client.transport.send(WSMsgType.TEXT, b" " * 10_000, fin=False)
        client.transport.send(WSMsgType.CONTINUATION, b" " * 10_000)
        assert await client.until_closed() == session.TOO_BIG

    run(services, scenario)


def test_messages_that_are_too_large_or_not_text_close_the_socket(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        large, binary, stray = [await stage.signed_in(user) for _ in range(3)]
        large.send(b" " * (session.MESSAGE_BYTES_MAX + 1))
        binary.transport.send(WSMsgType.BINARY, b"{}")
        stray.transport.send(WSMsgType.CONTINUATION, b"{}")
        closed = [await client.until_closed() for client in (large, binary, stray)]
        assert closed == [session.TOO_BIG, session.UNSUPPORTED, session.PROTOCOL_ERROR]

    run(services, scenario)


@pytest.mark.parametrize("kind", [WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG])
def test_a_flood_closes_the_socket(services: Services, kind: WSMsgType) -> None:
    async def scenario(stage: Stage) -> None:
        client = await stage.signed_in(stage.user())
        for _ in range(session.FRAMES_PER_SOCKET.burst + 1):
            client.transport.send(kind, b'{"type":"ping"}')
        assert await client.until_closed() == session.TOO_MANY

    run(services, scenario)


def test_a_flood_is_let_through_when_limits_are_off(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        client = await stage.signed_in(stage.user())
        for _ in range(3 * session.FRAMES_PER_SOCKET.burst):
            client.send('{"type":"ping"}')
            await asyncio.sleep(0)
        assert (await client.ask(type="ping"))["type"] == "pong"

    run(services, scenario, settings=msgspec.structs.replace(services.settings, rate_limits=False))


def test_a_close_is_answered_with_a_close(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        client = await stage.signed_in(stage.user())
        client.transport.send_close(1000, b"bye")  # type: ignore[arg-type]
        assert await client.until_closed() == 1000

    run(services, scenario)


# --- accounts


def test_a_stranger_s_account_looks_like_none_at_all(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner, stranger = stage.user(1), stage.user(2)
        client = await stage.signed_in(stranger)
        follow = await client.ask(type="subscribe", channel="account", account_id=owner.account_id)
        order = await client.ask(**{**owner.order("theft"), "id": None})
        assert {follow["code"], order["code"]} == {"account_not_found"}
        mine = await stage.signed_in(owner)
        mine.send(owner.order("mine"))
        await mine.until(lambda frame: frame["type"] == "order_result")
        await asyncio.sleep(0.2)
        assert client.of("order_fill", "portfolio_update") == []

    run(services, scenario)


def test_a_key_does_only_what_its_scopes_allow(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        full = user.principal
        for scopes, refused in [({Scope.READ}, "place_order"), ({Scope.TRADE}, "subscribe")]:
            user.principal = msgspec.structs.replace(full, scopes=frozenset(scopes))
            client = await stage.signed_in(user)
            answers = {
                "subscribe": await client.ask(type="subscribe", channel="account", account_id=user.account_id),
                "place_order": await client.ask(**{**user.order("once"), "id": None}),
            }
            codes = {kind: answer.get("code") for kind, answer in answers.items()}
            assert codes == dict.fromkeys(answers) | {refused: "scope_missing"}

    run(services, scenario)


def test_unsubscribing_ends_the_private_frames_and_subscribing_again_resumes(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.following(user)
        client.send(user.order("one"))
        await client.until(lambda frame: frame.get("seq") == 2 and frame["type"] == "portfolio_update")
        await client.ask(type="unsubscribe", channel="account", account_id=user.account_id)
        client.send(user.order("two"))
        await client.until(lambda frame: frame.get("id") == "two")
        await asyncio.sleep(0.2)
        assert len(client.of("portfolio_update")) == 1
        await client.ask(type="subscribe", channel="account", account_id=user.account_id, after_seq=2)
        await client.until(lambda frame: frame.get("seq") == 4 and frame["type"] == "portfolio_update")
        assert [frame["seq"] for frame in client.of("order_fill", "portfolio_update")] == [1, 2, 3, 4]

    run(services, scenario)


def test_a_seq_from_the_future_is_refused(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.signed_in(user)
        answer = await client.ask(type="subscribe", channel="account", account_id=user.account_id, after_seq=1)
        assert (answer["code"], answer["status"]) == ("seq_ahead", 409)

    run(services, scenario)


def test_a_client_is_told_when_what_it_missed_is_no_longer_kept(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.signed_in(user)
        for number in range(3):
            await client.ask(**{**user.order(f"o{number}"), "id": None})
        while services.outbox.unsent(limit=1):
            await asyncio.sleep(0.02)
        services.outbox.prune(sent_before_ms=services.clock.now_ms() + 1)
        await client.ask(type="subscribe", channel="account", account_id=user.account_id, after_seq=0)
        await client.until(lambda frame: frame.get("code") == "replay_expired")
        await client.until(lambda frame: frame.get("seq") == 6 and frame["type"] == "portfolio_update")

    run(services, scenario)
