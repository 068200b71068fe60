"""What the vectors say of spot: `params`, `select`, `spot`, `l2`, `ledger`, `reserve`; other files hold the rest.

Parameters are the file's own. Each case runs the function that trades for users; no formula is repeated here.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from pump_party.domains.marketdata.contract import Book
from pump_party.domains.prop_engine import conformance_perp, conformance_results
from pump_party.domains.prop_engine.book import BookFill, BookRules, walk_book
from pump_party.domains.prop_engine.execution import check_funds, price_spot
from pump_party.domains.prop_engine.ledger import base_asset, fill_postings
from pump_party.domains.prop_engine.matching import hold_for, select_tick
from pump_party.domains.prop_engine.model import Account, MarketOrder, Position, Pressure, SpotFill, SpotParams
from pump_party.domains.prop_engine.portfolio import empty_position
from pump_party.domains.prop_engine.vector_params import spot_in_file
from pump_party.domains.prop_interface.contract import AccountKind, RejectCode, Side
from pump_party.kernel.conformance import (
    REJECT,
    Check,
    Integer,
    NotNegative,
    Outcome,
    Positive,
    Vectors,
    cases_of,
    expected_of,
    malformed,
    read,
)
from pump_party.kernel.ids import AccountId, Market, UserId

MODELS = {"spot": "spot-v1", "perp": "perp-v1"}
"""The execution models that are implemented."""


class _Order(msgspec.Struct, frozen=True):
    side: Literal["BUY", "SELL"]
    qty: Integer | None = None
    quote: Integer | None = None
    max_slippage_ppm: Integer | None = None

    def ours(self) -> MarketOrder:
        return MarketOrder(Side(self.side.lower()), self.qty, self.quote, self.max_slippage_ppm)


class _Tick(msgspec.Struct, frozen=True):
    mid: Positive
    conf: NotNegative
    publish_ms: Integer
    recv_ms: Integer | None = None


class _Holdings(msgspec.Struct, frozen=True):
    """`u_buy` and `u_sell` are pressure: micros, and the time they were right."""

    cash: NotNegative
    sol: NotNegative
    u_buy: tuple[NotNegative, Integer] = (0, 0)
    u_sell: tuple[NotNegative, Integer] = (0, 0)


class _Spot(msgspec.Struct, frozen=True):
    """An order fills when its tick is received, unless `fill_ms` says otherwise."""

    order: _Order
    tick: _Tick
    account: _Holdings
    fill_ms: Integer | None = None


class _Candidate(msgspec.Struct, frozen=True):
    publish_ms: Integer
    recv_ms: Integer


class _Select(msgspec.Struct, frozen=True):
    accepted_ms: Integer
    ticks: list[_Candidate]


class _Walk(msgspec.Struct, frozen=True):
    """Levels are (price_e8, nanos), best first."""

    side: Literal["BUY", "SELL"]
    qty: Positive
    levels: list[tuple[Positive, NotNegative]]
    oracle_mid: Positive | None = None


class _Reserve(msgspec.Struct, frozen=True):
    order: _Order
    last_mid: Positive


class _Posting(msgspec.Struct, frozen=True):
    account: str
    asset: str
    amount: Integer


class _Postings(msgspec.Struct, frozen=True):
    name: str
    postings: list[_Posting]


def rejected(code: RejectCode) -> dict[str, str]:
    return {REJECT: code.value}


def _check_params(vectors: Vectors) -> Iterator[Outcome]:
    """Parameters are used as they are given; what can differ is the model they belong to."""
    for name, given in read(vectors["params"], dict[str, dict[str, Any]], section="params").items():
        yield Outcome(name, {"model": given.get("model")}, {"model": MODELS.get(name)})


def _check_select(vectors: Vectors) -> Iterator[Outcome]:
    params = spot_in_file(vectors)
    for case, row in cases_of(vectors, "select"):
        given = read(row, _Select, section="select", case=case)
        tick = select_tick(
            given.ticks, accepted_ms=given.accepted_ms, latency_ms=params.latency_ms, max_wait_ms=params.max_wait_ms
        )
        # The answer is the whole tick as the file has it.
        chosen = None if tick is None else row["ticks"][next(n for n, t in enumerate(given.ticks) if t is tick)]
        expected = expected_of(row, section="select", case=case)
        yield Outcome(case, expected, rejected(RejectCode.PRICE_TIMEOUT) if chosen is None else chosen)


def _check_spot(vectors: Vectors) -> Iterator[Outcome]:
    params = spot_in_file(vectors).ours()
    for case, row in cases_of(vectors, "spot"):
        fill = _fill(_read_spot(row, case), params)
        got = rejected(fill) if isinstance(fill, RejectCode) else _shown(fill)
        yield Outcome(case, expected_of(row, section="spot", case=case), got)


def _read_spot(row: Any, case: str) -> _Spot:
    given = read(row, _Spot, section="spot", case=case)
    if given.fill_ms is None and given.tick.recv_ms is None:
        raise malformed("is missing", section="spot", case=case, field="fill_ms")
    return given


def _fill(given: _Spot, params: SpotParams) -> SpotFill | RejectCode:
    order, held = given.order.ours(), given.account
    fill_ms = given.tick.recv_ms if given.fill_ms is None else given.fill_ms
    assert fill_ms is not None
    fill = price_spot(
        order,
        mid_e8=given.tick.mid,
        conf_e8=given.tick.conf,
        publish_ms=given.tick.publish_ms,
        pressure=Pressure(*(held.u_buy if order.side is Side.BUY else held.u_sell)),
        params=params,
        fill_ms=fill_ms,
    )
    if isinstance(fill, RejectCode):
        return fill
    return check_funds(fill, cash_micros=held.cash, held_nanos=held.sol) or fill


def _shown(fill: SpotFill) -> dict[str, Any]:
    return {
        "side": fill.side.value.upper(),
        "qty": fill.quantity_nanos,
        "px_e8": fill.price_e8,
        "half_spread_e8": fill.half_spread_e8,
        "impact_e8": fill.impact_e8,
        "gross": fill.gross_micros,
        "fee": fill.fee_micros,
        "dcash": fill.cash_change_micros,
        "dsol": fill.held_change_nanos,
        "pressure_after": fill.pressure_after_micros,
    }


def _check_l2(vectors: Vectors) -> Iterator[Outcome]:
    """A case shows one side of the book. The other is assumed to begin at the same price, as is the oracle's mid."""
    params = spot_in_file(vectors)
    rules = BookRules(params.l2_participation_ppm, params.l2_divergence_ppm)
    for case, row in cases_of(vectors, "l2"):
        given = read(row, _Walk, section="l2", case=case)
        shown, best = tuple(given.levels), given.levels[:1]
        bids, asks = (tuple(best), shown) if given.side == "BUY" else (shown, tuple(best))
        fill = walk_book(
            Book(Market(params.market), bids, asks, 1, 0, 0, "vectors", ""),
            side=Side(given.side.lower()),
            quantity_nanos=given.qty,
            oracle_mid_e8=given.oracle_mid or (best[0][0] if best else 1),
            taker_fee_ppm=params.taker_fee_ppm,
            rules=rules,
        )
        expected = expected_of(row, section="l2", case=case)
        yield Outcome(case, expected, rejected(fill) if isinstance(fill, RejectCode) else _walked(fill))


def _walked(fill: BookFill) -> dict[str, Any]:
    return {
        "side": fill.side.value.upper(),
        "qty": fill.quantity_nanos,
        "legs": [list(leg) for leg in fill.legs],
        "avg_px_e8": fill.average_price_e8,
        "gross": fill.gross_micros,
        "fee": fill.fee_micros,
        "dcash": fill.cash_change_micros,
    }


def _check_ledger(vectors: Vectors) -> Iterator[Outcome]:
    """A case is named for the case of `spot` whose fill it books: "L01 postings of S01"."""
    params = spot_in_file(vectors).ours()
    for case, row in cases_of(vectors, "ledger"):
        given = read(row, _Postings, section="ledger", case=case)
        spot = _spot_named_in(given.name, vectors, case)
        fill = _fill(spot, params)
        expected = {f"{posting.account} {posting.asset}": posting.amount for posting in given.postings}
        if len(expected) < len(given.postings):
            raise malformed("names an account twice", section="ledger", case=case, field="postings")
        yield Outcome(case, expected, rejected(fill) if isinstance(fill, RejectCode) else _booked(fill, spot, params))


def _spot_named_in(name: str, vectors: Vectors, case: str) -> _Spot:
    subject = name.rpartition(" of ")[2].strip()
    for number, row in cases_of(vectors, "spot") if subject and "spot" in vectors else ():
        own = str(row.get("name", ""))
        if subject == own or own.split()[:1] == subject.split()[:1]:
            return _read_spot(row, number)
    raise malformed('names no case of `spot`, as "postings of S01" does', section="ledger", case=case, field="name")


def _booked(fill: SpotFill, given: _Spot, params: SpotParams) -> dict[str, int]:
    """Amounts of the postings, by ledger account and asset, in a book that holds what the case's account holds."""
    account = Account(
        account_id=AccountId("vectors"),
        user_id=UserId("vectors"),
        kind=AccountKind.PRACTICE,
        rule_set="vectors",
        params_sha256="",
        contest_eligible=False,
        opened_ms=0,
        cycle=1,
        version=1,
        seq=1,
        head=b"",
        start_micros=given.account.cash,
        cash_micros=given.account.cash + fill.cash_change_micros,
        realised_pnl_micros=0,
        fees_micros=fill.fee_micros,
        fills=1,
    )
    position: Position = msgspec.structs.replace(
        empty_position(account.account_id, params.market), quantity_nanos=given.account.sol + fill.held_change_nanos
    )
    postings = fill_postings(fill, account=account, position=position)
    return {f"{posting.ledger_account} {posting.asset}": posting.amount for posting in postings}


def _check_reserve(vectors: Vectors) -> Iterator[Outcome]:
    params = spot_in_file(vectors).ours()
    for case, row in cases_of(vectors, "reserve"):
        given = read(row, _Reserve, section="reserve", case=case)
        order = given.order.ours()
        if (order.quantity_nanos is None) == (order.quote_micros is None) or (
            order.side is Side.SELL and order.quantity_nanos is None
        ):
            raise malformed("has no size that can be held", section="reserve", case=case, field="order")
        asset, amount = hold_for(
            order.side,
            quantity_nanos=order.quantity_nanos,
            quote_micros=order.quote_micros,
            last_mid_e8=given.last_mid,
            base=base_asset(Market(params.market)),
            taker_fee_ppm=params.taker_fee_ppm,
        )
        yield Outcome(case, expected_of(row, section="reserve", case=case), {"asset": asset, "amount": amount})


CHECKS: Mapping[str, Check] = {
    "params": _check_params,
    "select": _check_select,
    "spot": _check_spot,
    "l2": _check_l2,
    "ledger": _check_ledger,
    "reserve": _check_reserve,
    **conformance_results.CHECKS,
    **conformance_perp.CHECKS,
}
