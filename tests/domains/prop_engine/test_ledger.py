from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.prop_engine.markets import CONF_E8, MID_E8, PRACTICE, SOL, practice_account

from pump_party.domains.prop_engine.execution import price_spot
from pump_party.domains.prop_engine.ledger import (
    close_postings,
    fill_postings,
    open_postings,
    read_postings,
    write_postings,
    write_record,
)
from pump_party.domains.prop_engine.model import MarketOrder, Position, Posting, RecordKind, SpotFill
from pump_party.domains.prop_engine.portfolio import apply_fill, empty_position, value_micros
from pump_party.domains.prop_engine.record_line import RecordLine
from pump_party.domains.prop_interface.contract import Side

PARAMS = PRACTICE.spot[SOL]


def test_the_postings_of_a_fill_are_those_of_the_vectors(recorded_data: Path) -> None:
    vectors = msgspec.json.decode((recorded_data / "spec/vectors.json").read_bytes())["ledger"]
    account, position = practice_account(), empty_position(practice_account().account_id, SOL)
    position = msgspec.structs.replace(position, quantity_nanos=5 * 10**9, cost_micros=750 * 10**6)
    for vector, side in zip(vectors, (Side.BUY, Side.SELL), strict=True):
        fill = _fill(side, 10**9)
        after, _ = apply_fill(position, fill, fill_ms=1)
        postings = fill_postings(fill, account=account, position=after)
        assert [(p.ledger_account, p.asset, p.amount) for p in postings] == [
            (p["account"], p["asset"], p["amount"]) for p in vector["postings"]
        ]


def test_the_line_of_a_record_is_its_canonical_form() -> None:
    names = [field for field in RecordLine.__struct_fields__ if field != "postings"]
    line = RecordLine(**{name: f'{name} "ü" \\n' for name in names}, postings=msgspec.Raw(b'[["a"]]'))
    assert msgspec.json.encode(line) == msgspec.json.encode(
        {name: getattr(line, name) for name in names} | {"postings": [["a"]]}, order="sorted"
    )
    bare = msgspec.json.encode(RecordLine(account_id="a", at_ms="1", kind="open", record_id="r", version="1"))
    assert b"null" not in bare


@given(st.lists(st.builds(Posting, st.text(), st.text(), st.integers(), st.integers())))
def test_postings_are_read_as_they_were_written(postings: list[Posting]) -> None:
    assert read_postings(write_postings(postings)) == tuple(postings)


def test_an_unbalanced_or_overdrawn_transfer_is_never_written() -> None:
    account = practice_account()
    for postings in (
        (Posting("user:cash", "USDC", 5, 5), Posting("venue:cash", "USDC", -4, -4)),
        (Posting("user:cash", "USDC", -5, -5), Posting("venue:cash", "USDC", 5, 5)),
        (Posting("user:sol", "SOL", 5, 5), Posting("venue:cash", "USDC", -5, -5)),
    ):
        with pytest.raises(AssertionError):
            write_record(account, "r", RecordKind.OPEN, at_ms=1, postings=postings)


def test_a_transfer_is_one_version_later_and_hashes_over_all_it_says() -> None:
    account = practice_account()
    first = write_record(account, "r", RecordKind.OPEN, at_ms=1, postings=open_postings(100))
    later = write_record(account, "r", RecordKind.OPEN, at_ms=2, postings=open_postings(100))
    more = write_record(account, "r", RecordKind.OPEN, at_ms=1, postings=open_postings(101))
    assert first.version == account.version + 1
    assert len({first.sha256, later.sha256, more.sha256}) == 3


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 200_000)), max_size=25))
def test_whatever_is_traded_the_identity_holds_and_closing_brings_every_balance_to_zero(
    trades: list[tuple[Side, int]],
) -> None:
    account = practice_account()
    position = empty_position(account.account_id, SOL)
    balances: dict[tuple[str, str], int] = {}
    _post(balances, open_postings(account.start_micros))
    for side, lots in trades:
        fill = _fill(side, lots * PARAMS.lot_nanos, position)
        if fill is None or account.cash_micros + fill.cash_change_micros < 0:
            continue
        position, realised = apply_fill(position, fill, fill_ms=1)
        account = msgspec.structs.replace(
            account,
            cash_micros=account.cash_micros + fill.cash_change_micros,
            realised_pnl_micros=account.realised_pnl_micros + realised,
            fees_micros=account.fees_micros + fill.fee_micros,
        )
        _post(balances, fill_postings(fill, account=account, position=position))

    value = value_micros(position.quantity_nanos, MID_E8)
    unrealised = value - position.cost_micros
    assert account.cash_micros + value == (
        account.start_micros + account.realised_pnl_micros + unrealised - account.fees_micros
    )
    assert position.quantity_nanos > 0 or position.cost_micros == 0
    _post(balances, close_postings(account, [position]))
    assert set(balances.values()) <= {0}


def _post(balances: dict[tuple[str, str], int], postings: tuple[Posting, ...]) -> None:
    for posting in postings:
        key = (posting.ledger_account, posting.asset)
        balances[key] = balances.get(key, 0) + posting.amount
        assert balances[key] == posting.balance_after, posting


def _fill(side: Side, nanos: int, position: Position | None = None) -> SpotFill | None:
    if position is not None and side is Side.SELL and nanos > position.quantity_nanos:
        return None
    fill = price_spot(
        MarketOrder(side, nanos, None, None),
        mid_e8=MID_E8,
        conf_e8=CONF_E8,
        publish_ms=1,
        pressure=empty_position(practice_account().account_id, SOL).buy_pressure,
        params=PARAMS,
        fill_ms=1,
    )
    return fill if isinstance(fill, SpotFill) else None
