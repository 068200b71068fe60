import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.apps.order_wire import OrderBody, parse_idempotency_key, parse_order, render_order
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_interface.contract import (
    OrderKind,
    OrderStatus,
    OrderTerms,
    OrderView,
    PlaceOrder,
    RejectCode,
    Side,
    TimeInForce,
)
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId, Market, OrderId, UserId
from pump_party.kernel.money import INT64_MAX, format_micros, format_nanos


def parsed(**fields: object) -> PlaceOrder:
    body = msgspec.convert({"market": "SOL-USDC", "side": "buy"} | fields, OrderBody)
    return parse_order(body, load_registry(), user_id=UserId("u"), account_id="a", idempotency_key="k")


def recorded(command: PlaceOrder) -> OrderView:
    return OrderView(
        OrderId("o"), AccountId("a"), command.client_order_id, command.market, command.side, command.quantity_nanos,
        command.quote_micros, command.max_slippage_ppm, OrderStatus.REJECTED, RejectCode.LOT_SIZE, 1, None,
    )  # fmt: skip


@given(st.integers(0, min(INT64_MAX, 10**15 * 10**9 - 1)), st.none() | st.integers(0, 10_000))
def test_what_is_sent_is_what_is_answered(nanos: int, bps: int | None) -> None:
    command = parsed(quantity=format_nanos(nanos), max_slippage_bps=bps, client_order_id="mine")
    assert command.quantity_nanos == nanos
    answer = render_order(recorded(command))
    assert (answer.quantity, answer.quote_amount, answer.max_slippage_bps) == (format_nanos(nanos), None, bps)
    assert (answer.client_order_id, answer.side, answer.market) == ("mine", Side.BUY, Market("SOL-USDC"))


@pytest.mark.parametrize(
    ("fields", "terms"),
    [
        ({"type": "limit", "limit_price": "149.5"}, OrderTerms(kind=OrderKind.LIMIT, limit_price_e8=14_950_000_000)),
        ({"type": "stop", "trigger_price": "1"}, OrderTerms(kind=OrderKind.STOP, trigger_price_e8=10**8)),
        ({"leverage": 50, "stop_price": "1"}, OrderTerms(leverage=50, stop_price_e8=10**8)),
        ({"time_in_force": "ioc"}, OrderTerms(time_in_force=TimeInForce.IOC)),
        ({"target_price": "2"}, OrderTerms(target_price_e8=2 * 10**8)),
        ({"reduce_only": True}, OrderTerms(reduce_only=True)),
    ],
)  # fmt: skip
def test_terms_are_read_in_units_and_answered_as_they_were_sent(fields: dict[str, object], terms: OrderTerms) -> None:
    command = parsed(quantity="1", **fields)
    assert command.terms == terms
    answer = msgspec.to_builtins(render_order(msgspec.structs.replace(recorded(command), terms=command.terms)))
    assert {name: answer[name] for name in fields} == fields


def test_a_plain_market_order_has_no_terms_however_much_of_them_is_spelt_out() -> None:
    spelt_out = {"type": "market", "time_in_force": "gtc", "reduce_only": False, "leverage": None, "limit_price": None}
    assert parsed(quantity="1", **spelt_out) == parsed(quantity="1")
    assert parsed(quantity="1").terms is None


def test_an_order_that_reduces_may_leave_its_size_to_the_position() -> None:
    command = parsed(side="sell", reduce_only=True, type="stop", trigger_price="1")
    assert (command.quantity_nanos, command.quote_micros) == (None, None)


@given(st.integers(0, 10**15))
def test_a_budget_is_read_in_micros(micros: int) -> None:
    command = parsed(quote_amount=format_micros(micros))
    assert (command.quote_micros, command.quantity_nanos) == (micros, None)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "quantity_or_quote_amount"),
        ({"quantity": "1", "quote_amount": "1"}, "quantity_or_quote_amount"),
        ({"quantity": "01"}, "not_a_decimal"),
        ({"quantity": "1."}, "not_a_decimal"),
        ({"quantity": ".5"}, "not_a_decimal"),
        ({"quantity": "١"}, "not_a_decimal"),
        ({"quantity": "1\n"}, "not_a_decimal"),
        ({"quote_amount": "1.0000001"}, "too_many_decimals"),
        ({"quantity": "9223372036.854775808"}, "too_large"),
        ({"quantity": "1", "client_order_id": "mine\n"}, "client_order_id_invalid"),
        ({"quantity": "1", "type": "limit"}, "limit_price_and_type"),
        ({"quantity": "1", "limit_price": "1"}, "limit_price_and_type"),
        ({"quantity": "1", "type": "stop"}, "trigger_price_and_type"),
        ({"quantity": "1", "type": "take_profit"}, "trigger_price_and_type"),
        ({"quantity": "1", "type": "limit", "limit_price": "1", "trigger_price": "1"}, "trigger_price_and_type"),
        ({"quote_amount": "1", "type": "limit", "limit_price": "1"}, "quote_amount_and_type"),
        ({"type": "stop", "trigger_price": "1"}, "quantity_or_quote_amount"),
        ({"quantity": "1", "type": "limit", "limit_price": "1e3"}, "not_a_decimal"),
        ({"quantity": "1", "type": "limit", "limit_price": "0.000000001"}, "too_many_decimals"),
        ({"quantity": "1", "stop_price": ""}, "not_a_decimal"),
        ({"quantity": "1", "target_price": "999999999999"}, "too_large"),
    ],
)
def test_what_is_no_order_is_refused_with_its_code(fields: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parsed(**fields)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_missing"),
        ("x" * 65, "idempotency_key_invalid"),
        ("a b", "idempotency_key_invalid"),
        ("a\n", "idempotency_key_invalid"),
        ("ä", "idempotency_key_invalid"),
    ],
)
def test_a_key_is_short_and_plain(key: str | None, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_idempotency_key(key)
    assert refusal.value.code == code
    assert parse_idempotency_key("A-z_0.9:") == "A-z_0.9:"
