"""What an account held, from its own fills and fundings alone. Pure.

Whatever moment they reach to is the moment it is of: an audit replays all of them, an end those before it.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter

import msgspec
from msgspec.structs import replace

from pump_party.domains.prop_engine.execution import decayed_pressure
from pump_party.domains.prop_engine.model import Fill, JournalRecord, Position, Pressure, SpotFill, SpotParams
from pump_party.domains.prop_engine.perp_model import FLAT, LONG, SHORT, PerpPosition
from pump_party.domains.prop_engine.perpetual import flat_position, removed_cost_micros
from pump_party.domains.prop_engine.portfolio import apply_fill, empty_position
from pump_party.domains.prop_engine.views import fill_view
from pump_party.domains.prop_interface.contract import FillView, PerpFillEvent, PerpFillView, Side
from pump_party.kernel.ids import AccountId, Market


class Funding(msgspec.Struct, frozen=True):
    """What an hour's funding moved into or out of the margin of a market's position."""

    version: int
    market: Market
    micros: int


class Held(msgspec.Struct, frozen=True):
    """The positions by market, flat ones among them. Sums over a perpetual position's life are not replayed."""

    positions: dict[Market, Position]
    perps: dict[Market, PerpPosition]


def funding_of(record: JournalRecord) -> Funding:
    assert record.detail is not None
    told = _decode_funding(record.detail)
    return Funding(record.version, told.market, int(told.funding_micros))


class _Told(msgspec.Struct):
    market: Market
    funding_micros: str


_decode_funding = msgspec.json.Decoder(_Told).decode


def replay(
    account_id: AccountId, fills: Iterable[Fill], fundings: Iterable[Funding], pricing: Mapping[Market, SpotParams]
) -> Held:
    """`fills` are those of one cycle from its first, `fundings` at least those of the positions that are open after it.

    Pressures follow for the markets in `pricing`.
    """
    held = Held({}, {})
    moves: list[Fill | Funding] = [*fills, *fundings]
    for move in sorted(moves, key=attrgetter("version")):
        if isinstance(move, Funding):
            _fund(held, move)
        else:
            _fill(held, account_id, move, pricing.get(move.market))
    return held


def _fund(held: Held, funding: Funding) -> None:
    perp = held.perps.get(funding.market)
    # One that is flat took its funding along when it was closed.
    if perp is not None and perp.direction != FLAT:
        held.perps[funding.market] = replace(perp, margin_micros=perp.margin_micros + funding.micros)


def _fill(held: Held, account_id: AccountId, fill: Fill, params: SpotParams | None) -> None:
    view = fill_view(fill)
    if view.perp is None:
        position = held.positions.get(fill.market) or empty_position(account_id, fill.market)
        before = position.buy_pressure if fill.side is Side.BUY else position.sell_pressure
        priced = _as_priced(view, _pressure(before, view, params).micros)
        held.positions[fill.market], _ = apply_fill(position, priced, fill_ms=fill.filled_ms)
        return
    perp = held.perps.get(fill.market) or flat_position(account_id, fill.market)
    if fill.side is Side.BUY:
        perp = replace(perp, buy_pressure=_pressure(perp.buy_pressure, view, params))
    else:
        perp = replace(perp, sell_pressure=_pressure(perp.sell_pressure, view, params))
    held.perps[fill.market] = _traded(perp, fill, view.perp)


def _pressure(before: Pressure, view: FillView, params: SpotParams | None) -> Pressure:
    """A walk of a book leaves no pressure on the ladder: the book shows what is left of it."""
    used_micros = 0 if params is None else decayed_pressure(before, params, fill_ms=view.filled_ms)
    return Pressure(used_micros + (view.gross_micros if view.book is None else 0), view.filled_ms)


def _as_priced(view: FillView, pressure_micros: int) -> SpotFill:
    buys = view.side is Side.BUY
    paid_micros = view.gross_micros + view.fee_micros
    return SpotFill(
        view.side,
        view.quantity_nanos,
        view.price_e8,
        view.half_spread_e8,
        view.impact_e8,
        view.gross_micros,
        view.fee_micros,
        -paid_micros if buys else view.gross_micros - view.fee_micros,
        view.quantity_nanos if buys else -view.quantity_nanos,
        pressure_micros,
    )


def _traded(perp: PerpPosition, fill: Fill, told: PerpFillView) -> PerpPosition:
    margin_micros = perp.margin_micros + told.margin_change_micros
    if told.event is PerpFillEvent.OPEN:
        return replace(
            perp,
            direction=LONG if fill.side is Side.BUY else SHORT,
            quantity_nanos=perp.quantity_nanos + fill.quantity_nanos,
            entry_cost_micros=perp.entry_cost_micros + fill.gross_micros,
            margin_micros=margin_micros,
            leverage=told.leverage,
        )
    if fill.quantity_nanos >= perp.quantity_nanos:
        return replace(perp, direction=FLAT, quantity_nanos=0, entry_cost_micros=0, margin_micros=0, leverage=0)
    return replace(
        perp,
        quantity_nanos=perp.quantity_nanos - fill.quantity_nanos,
        entry_cost_micros=perp.entry_cost_micros - removed_cost_micros(perp, fill.quantity_nanos),
        margin_micros=margin_micros,
    )
