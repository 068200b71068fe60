"""Events of backtests."""

from typing import ClassVar

import msgspec


class BacktestChanged(msgspec.Struct, frozen=True):
    """A backtest began, came further or ended. `backtest` is the JSON of the contract's `BacktestView`, for its owner
    alone.
    """

    KIND: ClassVar[str] = "backtest_changed"

    backtest_id: str
    user_id: str
    backtest: msgspec.Raw
    at_ms: int
