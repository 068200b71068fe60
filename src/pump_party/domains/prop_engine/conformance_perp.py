"""What the vectors say of perpetuals (section `perp`).

Some cases state their inputs only in their name. They go on from a position that an open case before them opened:

- "close 3.33 of 10 SOL long at 151": one of that side and size, with margin enough (leverage 1).
- "20x long at mark 14660000000": one of that side and leverage.
- "liquidated at 146.30", "gap to 140.00": that of the latest mark case, or any.

Where several would do, it is the latest that gives what is expected, or else the latest. Where none is alike, an open
case is taken at the side, size and leverage that the name says. After `mark` a whole number is e8, elsewhere prices
are USDC. Fields of a case (side, qty, px_e8, mark_e8, leverage, close_qty) go before its name.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from pump_party.domains.prop_engine.execution import price_limit
from pump_party.domains.prop_engine.margin import (
    below_maintenance,
    funding_cash_micros,
    funding_rate_ppb_8h,
    liquidation_price_e8,
    maintenance,
    maintenance_margin_micros,
    notional_micros,
    position_equity_micros,
)
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder, SpotFill
from pump_party.domains.prop_engine.perp_model import LONG, PerpChange, PerpParams, PerpPosition
from pump_party.domains.prop_engine.perpetual import apply_fill, apply_liquidation, flat_position
from pump_party.domains.prop_engine.vector_params import perp_in_file
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.conformance import (
    REJECT,
    Check,
    Integer,
    Outcome,
    Positive,
    Vectors,
    cases_of,
    expected_of,
    malformed,
    read,
)
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId
from pump_party.kernel.money import E8_DECIMALS, NANOS_DECIMALS, NOTIONAL_DIVISOR, parse_decimal

BOUNDLESS = 10**60
OTHER_VENUE = "hyperliquid_form_e8"
DOUBLE_PRECISION = 2**52
"""The other venue's formula was evaluated in doubles: equal within a part in so many of its largest term."""

_SHOWN = Context(prec=17)

_CLOSE = re.compile(r"close ([\d.]+) of ([\d.]+) \w+ (long|short) at ([\d.]+)", re.IGNORECASE)
_LEVERAGED = re.compile(r"\b(\d+)x (long|short)\b", re.IGNORECASE)
_PRICE = re.compile(r"\b(?:at|to) (mark )?([\d.]+)", re.IGNORECASE)


class _Open(msgspec.Struct, frozen=True):
    side: Literal["LONG", "SHORT"]
    qty: Positive
    px_e8: Positive
    leverage: Integer


class _Maintenance(msgspec.Struct, frozen=True):
    qty: Positive
    mark_e8: Positive


class _Funding(msgspec.Struct, frozen=True):
    side: Literal[1, -1]
    qty: Positive
    oracle_e8: Positive
    avg_premium_ppb: Integer


class _Said(msgspec.Struct, frozen=True):
    """The fields that a case may state besides its name."""

    side: Literal["LONG", "SHORT"] | None = None
    qty: Positive | None = None
    close_qty: Positive | None = None
    px_e8: Positive | None = None
    mark_e8: Positive | None = None
    leverage: Positive | None = None


class _Run:
    """The cases of one file, each going on from those before it."""

    def __init__(self, params: PerpParams) -> None:
        self._params = params
        self._opened: list[_Open] = []
        self._watched: _Open | None = None

    def outcome(self, case: str, row: Mapping[str, Any]) -> Any:
        expected = expected_of(row, section="perp", case=case)
        fields = set(expected) if isinstance(expected, dict) else set()
        if "oracle_e8" in row:
            return self._funding(read(row, _Funding, section="perp", case=case))
        if "bad_debt" in fields:
            return self._liquidation(case, row, expected)
        if "entry_cost_left" in fields:
            return self._close(case, row, expected)
        if "liquidate" in fields:
            return self._mark(case, row, expected)
        if "tier" in fields or ("mark_e8" in row and "leverage" not in row):
            return self._maintenance(read(row, _Maintenance, section="perp", case=case))
        return self._open(read(row, _Open, section="perp", case=case), expected if fields else {})

    def _open(self, given: _Open, expected: Mapping[str, Any]) -> dict[str, Any]:
        change = self._opening(given)
        if isinstance(change, RejectCode):
            return {REJECT: change.value}
        position = change.position
        self._opened.append(given)
        required = maintenance_margin_micros(change.gross_micros, self._params.tiers)
        got: dict[str, Any] = {
            "notional": change.gross_micros,
            "initial_margin": change.margin_change_micros,
            "fee": change.fee_micros,
            "entry_cost": position.entry_cost_micros,
            "maint_margin": required,
            "liq_px_e8": liquidation_price_e8(position, self._params),
        }
        if OTHER_VENUE in expected:
            got[OTHER_VENUE] = self._other_venue(expected[OTHER_VENUE], given, position, required)
        return got

    def _opening(self, given: _Open) -> PerpChange | RejectCode:
        side = Side.BUY if given.side == "LONG" else Side.SELL
        return apply_fill(
            flat_position(AccountId("vectors"), self._params.pricing.market),
            self._filled(side, given.qty, given.px_e8),
            leverage=given.leverage,
            cash_micros=BOUNDLESS,
            publish_ms=0,
            fill_ms=0,
            params=self._params,
        )

    def _filled(self, side: Side, quantity_nanos: int, price_e8: int) -> SpotFill:
        """A fill at a price the case states: a limit that a market without spread or impact has gone through."""
        fill = price_limit(
            MarketOrder(side, quantity_nanos, None, None),
            price_e8,
            mid_e8=price_e8 * 2 + 2 if side is Side.SELL else (price_e8 - 1) // 2,
            conf_e8=0,
            publish_ms=0,
            pressure=NO_PRESSURE,
            params=replace(
                self._params.pricing,
                tick_e8=1,
                lot_nanos=1,
                min_notional_micros=0,
                max_notional_micros=BOUNDLESS,
                conf_mult_ppm=0,
                min_half_spread_ppm=0,
                depth_per_bp_micros=BOUNDLESS,
                max_slippage_ppm=BOUNDLESS,
            ),
            fill_ms=0,
        )
        assert fill is not None, (side, quantity_nanos, price_e8)
        return fill

    def _other_venue(self, stated: Any, given: _Open, position: PerpPosition, required_micros: int) -> Any:
        """What is stated, if it is `price - side * margin available / size / (1 - side / maintenance leverage)`.

        The margin available may have been rounded to the micro or not.
        """
        line = maintenance(position.entry_cost_micros, self._params.tiers)
        rate = Fraction(line.rate, line.denominator)
        exact = position.entry_cost_micros * rate - Fraction(line.deduction, line.denominator)
        prices = [
            given.px_e8
            - position.direction
            * Fraction(
                (position.margin_micros - required) * NOTIONAL_DIVISOR, given.qty * (1 - position.direction * rate)
            )
            for required in (Fraction(required_micros), exact)
        ]
        try:
            errors = [(abs(price - Fraction(str(stated))), max(price, Fraction(given.px_e8))) for price in prices]
        except (ValueError, ZeroDivisionError):
            errors = []
        if any(error * DOUBLE_PRECISION <= scale for error, scale in errors):
            return stated
        return str(_SHOWN.divide(Decimal(prices[0].numerator), Decimal(prices[0].denominator)))

    def _maintenance(self, given: _Maintenance) -> dict[str, Any]:
        notional = notional_micros(given.qty, given.mark_e8)
        line = maintenance(notional, self._params.tiers)
        return {
            "notional": notional,
            "maint_margin": maintenance_margin_micros(notional, self._params.tiers),
            "tier": line.tier,
            "deduction": str(Fraction(line.deduction, line.denominator)),
        }

    def _funding(self, given: _Funding) -> dict[str, Any]:
        rate = funding_rate_ppb_8h(given.avg_premium_ppb, self._params)
        cash = funding_cash_micros(
            direction=given.side,
            quantity_nanos=given.qty,
            mark_e8=given.oracle_e8,
            rate_ppb_8h=rate,
            cap_1h_ppb=self._params.funding_cap_1h_ppb,
        )
        return {"f8h_ppb": rate, "cash_1h": cash}

    def _close(self, case: str, row: Mapping[str, Any], expected: Any) -> dict[str, Any]:
        said, name = read(row, _Said, section="perp", case=case), _CLOSE.search(str(row.get("name", "")))
        side = said.side or (name and name[3].upper())
        held = said.qty or (name and _scaled(name[2], NANOS_DECIMALS, case))
        closing = said.close_qty or (name and _scaled(name[1], NANOS_DECIMALS, case))
        price_e8 = said.px_e8 or (name and _scaled(name[4], E8_DECIMALS, case))
        if not (side and held and closing and price_e8) or closing > held:
            raise _unclear(case, "close 3.33 of 10 SOL long at 151")
        opened = self._alike({"side": side, "qty": held, "leverage": 1})
        return self._first_that_fits(
            case, opened, expected, lambda position: self._closed(position, closing, price_e8)
        )[1]

    def _closed(self, position: PerpPosition, closing_nanos: int, price_e8: int) -> dict[str, Any]:
        change = apply_fill(
            position,
            self._filled(_leaving(position), closing_nanos, price_e8),
            leverage=1,
            cash_micros=0,
            publish_ms=0,
            fill_ms=0,
            params=self._params,
        )
        assert isinstance(change, PerpChange)
        return {
            "realised": change.realised_pnl_micros,
            "fee": change.fee_micros,
            "entry_cost_left": change.position.entry_cost_micros,
            "qty_left": change.position.quantity_nanos,
        }

    def _mark(self, case: str, row: Mapping[str, Any], expected: Any) -> dict[str, Any]:
        said, name = read(row, _Said, section="perp", case=case), str(row.get("name", ""))
        price, demanded = _PRICE.search(name), _demanded(said, name)
        mark_e8 = said.mark_e8 or (price and _price_e8(price, case))
        if not mark_e8 or not {"side", "leverage"} <= set(demanded):
            raise _unclear(case, "20x long at mark 14660000000")
        opened = self._alike(demanded)
        self._watched, got = self._first_that_fits(
            case, opened, expected, lambda position: self._marked(position, mark_e8)
        )
        return got

    def _marked(self, position: PerpPosition, mark_e8: int) -> dict[str, Any]:
        notional = notional_micros(position.quantity_nanos, mark_e8)
        return {
            "equity": position_equity_micros(position, mark_e8),
            "maint_margin": maintenance_margin_micros(notional, self._params.tiers),
            "liquidate": below_maintenance(position, mark_e8, self._params),
        }

    def _liquidation(self, case: str, row: Mapping[str, Any], expected: Any) -> dict[str, Any]:
        said, name = read(row, _Said, section="perp", case=case), str(row.get("name", ""))
        price, demanded = _PRICE.search(name), _demanded(said, name)
        price_e8 = said.px_e8 or said.mark_e8 or (price and _price_e8(price, case))
        if not price_e8:
            raise _unclear(case, "liquidated at 146.30")
        opened = self._alike(demanded)
        if not demanded and self._watched is not None:
            opened.insert(0, self._watched)
        return self._first_that_fits(case, opened, expected, lambda position: self._liquidated(position, price_e8))[1]

    def _liquidated(self, position: PerpPosition, price_e8: int) -> dict[str, Any]:
        fill = self._filled(_leaving(position), position.quantity_nanos, price_e8)
        change = apply_liquidation(position, fill, fill_ms=0, params=self._params)
        return {
            "realised": change.realised_pnl_micros,
            "fee": change.fee_micros,
            "liq_fee": change.liquidation_fee_micros,
            "returned_to_user": change.cash_change_micros,
            "bad_debt": change.shortfall_micros,
        }

    def _alike(self, demanded: Mapping[str, Any]) -> list[_Open]:
        """The open cases before this one with what is demanded put in; the most alike first, of equals the latest."""

        def differs(given: _Open) -> int:
            return sum(getattr(given, name) != value for name, value in demanded.items())

        latest_first = self._opened[::-1]
        return list(dict.fromkeys(replace(given, **demanded) for given in sorted(latest_first, key=differs)))

    def _first_that_fits(
        self,
        case: str,
        opened: Sequence[_Open],
        expected: Any,
        outcome: Callable[[PerpPosition], dict[str, Any]],
    ) -> tuple[_Open, dict[str, Any]]:
        """What comes of the first position that gives what is expected, or else of the first."""
        found: list[tuple[_Open, dict[str, Any]]] = []
        for given in opened:
            change = self._opening(given)
            if isinstance(change, PerpChange):
                found.append((given, outcome(change.position)))
        if not found:
            raise malformed("goes on from a position that no case before it opens", section="perp", case=case)
        return next((pair for pair in found if pair[1] == expected), found[0])


def _demanded(said: _Said, name: str) -> dict[str, Any]:
    """What fields and name say of the position; fields go first. A liquidation's px_e8 is not its entry price."""
    spoken = _LEVERAGED.search(name)
    side = said.side or (spoken and spoken[2].upper())
    leverage = said.leverage or (spoken and int(spoken[1]))
    demanded = {"side": side, "leverage": leverage, "qty": said.qty}
    return {field: value for field, value in demanded.items() if value}


def _leaving(position: PerpPosition) -> Side:
    return Side.SELL if position.direction == LONG else Side.BUY


def _price_e8(found: re.Match[str], case: str) -> int:
    is_e8 = found[1] and "." not in found[2]
    return _scaled(found[2], 0 if is_e8 else E8_DECIMALS, case)


def _scaled(text: str, decimals: int, case: str) -> int:
    try:
        return parse_decimal(text.rstrip("."), decimals=decimals, field="name")
    except Invalid as refused:
        raise malformed(f"{text} {refused.detail}", section="perp", case=case, field="name") from refused


def _unclear(case: str, example: str) -> Invalid:
    return malformed(
        f'states its inputs neither in fields nor as in "{example}"', section="perp", case=case, field="name"
    )


def _check_perp(vectors: Vectors) -> Iterator[Outcome]:
    run = _Run(perp_in_file(vectors))
    for case, row in cases_of(vectors, "perp"):
        got = run.outcome(case, row)
        yield Outcome(case, row["out"], got)


CHECKS: Mapping[str, Check] = {"perp": _check_perp}
