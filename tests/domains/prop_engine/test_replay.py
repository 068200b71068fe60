"""Positions from an account's own records. Histories come from the exchange in memory."""

import msgspec
import pytest
from tests.db.desk import ONE_SOL, Desk
from tests.domains.prop_engine.markets import SOL, SOL_PERP

from pump_party.domains.prop_engine.audit import AccountRecords, audit
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.model import RecordKind
from pump_party.domains.prop_engine.replay import funding_of, replay
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

HOUR_MS = 3_600_000


def history(market: Market) -> AccountRecords:
    """Bought in parts, sold in part, funded, closed, and opened again on the other side where that is possible."""
    desk = Desk(MemoryStore(), ManualClock(1_750_000_000_000), "practice-v2", market)
    leverage = {"leverage": 5} if market == SOL_PERP else {}
    for price, side, sols in ((150, "buy", 3), (151, "buy", 4), (149, "sell", 2)):
        desk.tick(price)
        desk.place(side, sols * ONE_SOL, **leverage)
    desk.tick(152, after_ms=HOUR_MS)
    desk.place("sell", 5 * ONE_SOL, **leverage)
    desk.place("sell" if market == SOL_PERP else "buy", 3 * ONE_SOL, **leverage)
    desk.tick(153, after_ms=HOUR_MS)
    desk.place("buy", ONE_SOL, **leverage)
    (records,) = desk.records()
    return records


@pytest.mark.parametrize("market", [SOL, SOL_PERP])
def test_fills_and_fundings_make_the_positions_that_were_kept(market: Market) -> None:
    records = history(market)
    fundings = [funding_of(r) for r in records.journal if r.kind is RecordKind.FUNDING]
    assert bool(fundings) is (market == SOL_PERP)
    held = replay(records.account.account_id, records.fills, fundings, {})
    spot = [(p.quantity_nanos, p.cost_micros) for p in held.positions.values()]
    assert spot == [(p.quantity_nanos, p.cost_micros) for p in records.positions]
    perps = [(p.direction, p.quantity_nanos, p.entry_cost_micros, p.margin_micros) for p in held.perps.values()]
    assert perps == [(p.direction, p.quantity_nanos, p.entry_cost_micros, p.margin_micros) for p in records.perps]


def test_funding_of_a_position_that_was_closed_is_not_counted_again() -> None:
    records = history(SOL_PERP)
    fundings = [funding_of(r) for r in records.journal if r.kind is RecordKind.FUNDING]
    assert len(fundings) == 2
    account_id = records.account.account_id
    assert replay(account_id, records.fills, fundings, {}) == replay(account_id, records.fills, fundings[1:], {})


@pytest.mark.parametrize("field", ["direction", "quantity_nanos", "entry_cost_micros", "leverage"])
def test_the_audit_finds_a_perpetual_position_that_its_fills_do_not_make(field: str) -> None:
    records = history(SOL_PERP)
    assert audit(records) == []
    (perp,) = records.perps
    changed = msgspec.structs.replace(perp, **{field: getattr(perp, field) + 1})
    assert [p.code for p in audit(msgspec.structs.replace(records, perps=[changed]))] == ["position_differs"]
