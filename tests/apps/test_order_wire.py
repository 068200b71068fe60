import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.apps.order_wire import OrderBody, parse_idempotency_key, parse_order, render_order
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_interface.contract import OrderStatus, OrderView, PlaceOrder, RejectCode, Side
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
