"""The words of closing prices: what a contest's end is closed at, and why it may not be. Pure."""

from enum import StrEnum

import msgspec

from pump_party.kernel.ids import Market

CLOSING_KEPT_MS = 9 * 3_600_000
"""How long closing prices can be asked for: an end may move by six hours."""


class ClosingPrice(msgspec.Struct, frozen=True):
    """The median of a market's prices in the 300 s before `end_ms`, with the widest confidence among them.

    `end_ms` is later than the end that was asked for where the market was halted then.
    """

    market: Market
    mid_e8: int
    conf_e8: int
    end_ms: int
    ticks: int
    feed: str


class NoClosingPrice(StrEnum):
    """Why an end has no closing price."""

    NOT_YET = "NOT_YET"
    """The end, or the one it moves to, is still ahead, or its last ticks may still be on their way."""

    VOID = "VOID"
    """The market was halted at the end and did not come back for long enough within six hours."""
