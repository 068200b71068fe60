"""The price at which a contest ends (METRICS, section 1): no single tick decides it, and a halt moves the end.

A market is open at a time when its newest moment then is a price, not a halt, and at most FEED_SILENT_MS old.
"""

from collections.abc import Iterable, Iterator, Sequence

from pump_party.domains.marketdata.contract import FEED_SILENT_MS, ClosingPrice, NoClosingPrice
from pump_party.domains.marketdata.store import Moment, Moments
from pump_party.kernel.ids import Market

CLOSING_WINDOW_MS = 300_000
CLOSING_MOVES_MS_MAX = 6 * 3_600_000

SETTLED_MS = FEED_SILENT_MS
"""Once prices of this much later are stored, none of before is on its way: a source this late is not heard."""

PAGE = 5_000


def find_closing_price(moments: Moments, market: Market, *, end_ms: int, now_ms: int) -> ClosingPrice | NoClosingPrice:
    """Read as much of the market's past as it takes."""
    newest_ms = moments.newest_moment_ms(market) or 0
    is_over = now_ms >= end_ms + CLOSING_MOVES_MS_MAX + SETTLED_MS
    if newest_ms < end_ms + SETTLED_MS and not is_over:
        return NoClosingPrice.NOT_YET
    window = _read(moments, market, from_ms=end_ms - CLOSING_WINDOW_MS, before_ms=end_ms)
    price = closing_price(list(window), end_ms=end_ms)
    if price is not None:
        return price
    last_ms = end_ms + CLOSING_MOVES_MS_MAX
    after = _read(moments, market, from_ms=end_ms, before_ms=last_ms + SETTLED_MS)
    moved_ms = first_clean_end(after)
    if moved_ms is None or moved_ms > last_ms:
        return NoClosingPrice.VOID if is_over else NoClosingPrice.NOT_YET
    if newest_ms < moved_ms + SETTLED_MS and not is_over:
        return NoClosingPrice.NOT_YET
    window = _read(moments, market, from_ms=moved_ms - CLOSING_WINDOW_MS, before_ms=moved_ms)
    moved = closing_price(list(window), end_ms=moved_ms)
    assert moved is not None, (market, moved_ms)
    return moved


def closing_price(moments: Sequence[Moment], *, end_ms: int) -> ClosingPrice | None:
    """The median of the prices of the last 300 s before the end; None when the market was not open at the end.

    Moments are oldest first. Of two middle prices the mean, rounded down.
    """
    window = [moment for moment in moments if end_ms - CLOSING_WINDOW_MS <= moment.at_ms < end_ms]
    if not window or window[-1].is_halt or end_ms - window[-1].at_ms > FEED_SILENT_MS:
        return None
    last = window[-1]
    prices = [moment for moment in window if not moment.is_halt and moment.feed == last.feed]
    mids = sorted(moment.mid_e8 for moment in prices)
    lower, upper = mids[(len(mids) - 1) // 2], mids[len(mids) // 2]
    widest_e8 = max(moment.conf_e8 for moment in prices)
    return ClosingPrice(last.market, (lower + upper) // 2, widest_e8, end_ms, len(prices), last.feed)


def first_clean_end(moments: Iterable[Moment]) -> int | None:
    """When the first 300 s of prices without a halt, a silence or another feed between them are over.

    None while there are none. Moments are oldest first.
    """
    first: Moment | None = None
    before: Moment | None = None
    for moment in moments:
        if before is not None and (moment.at_ms - before.at_ms > FEED_SILENT_MS or moment.feed != before.feed):
            first = None
        if first is not None and moment.at_ms - first.at_ms >= CLOSING_WINDOW_MS:
            return first.at_ms + CLOSING_WINDOW_MS
        if moment.is_halt:
            first = None
        elif first is None:
            first = moment
        before = moment
    return None


def _read(moments: Moments, market: Market, *, from_ms: int, before_ms: int) -> Iterator[Moment]:
    """Page by page: no two moments of a market have one time."""
    while page := moments.moments(market, from_ms=from_ms, before_ms=before_ms, limit=PAGE):
        yield from page
        from_ms = page[-1].at_ms + 1
