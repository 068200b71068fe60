"""What apps may ask of backtests."""

import msgspec

from pump_party.domains.backtests.model import MINUTE_MS as MINUTE_MS
from pump_party.domains.backtests.model import DecisionCount as DecisionCount
from pump_party.domains.backtests.model import Entrant as Entrant
from pump_party.domains.backtests.model import Outcome as Outcome


class Played(msgspec.Struct, frozen=True):
    """A finished backtest: what was played, and what came of each strategy. `candles` are minutes of all markets."""

    tape: str
    tape_sha256: str
    feed: str
    rule_set: str
    from_ms: int
    to_ms: int
    candles: int
    outcomes: tuple[Outcome, ...]
