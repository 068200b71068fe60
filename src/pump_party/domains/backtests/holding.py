"""What the start capital would have come to in the first market, bought at its first price and held. Pure.

Without costs: the baseline with costs is among the results.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from pump_party.domains.backtests.model import MINUTE_MS, Outcome, Tape
from pump_party.domains.prop_interface.contract import EquityMark
from pump_party.kernel.ids import Market


def holding_curve(
    tape: Tape, outcome: Outcome, markets: Sequence[Market], *, from_ms: int, to_ms: int
) -> tuple[EquityMark, ...]:
    """At the marks of the outcome's curve. The market is that of the results' baselines, where they have one."""
    results = outcome.results
    market = markets[0] if results.baselines is None else results.baselines.market
    minutes = tape.minutes(market, from_ms=from_ms, to_ms=to_ms)
    first = next((minute for minute in minutes if minute is not None), None)
    if first is None:
        return ()
    curve, number, price_e8 = [], 0, first.open_e8
    for mark in results.curve:
        ended = max(number, (mark.at_ms - from_ms) // MINUTE_MS)
        newest = next((minute for minute in reversed(minutes[number:ended]) if minute is not None), None)
        price_e8 = price_e8 if newest is None else newest.close_e8
        number = ended
        curve.append(replace(mark, equity_micros=results.start_micros * price_e8 // first.open_e8))
    return tuple(curve)
