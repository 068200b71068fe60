"""A finished backtest as it is kept: bytes that are the same for the same inputs."""

import msgspec

from pump_party.domains.backtests.model import Outcome
from pump_party.domains.prop_interface.contract import EquityMark


class Played(msgspec.Struct, frozen=True):
    """What was played, and what came of each strategy. `candles` are minutes of all markets, `holding` is the first
    one held instead, at the times of the first outcome's curve.
    """

    tape: str
    tape_sha256: str
    feed: str
    rule_set: str
    from_ms: int
    to_ms: int
    candles: int
    outcomes: tuple[Outcome, ...]
    holding: tuple[EquityMark, ...]


write_played = msgspec.json.Encoder().encode
read_played = msgspec.json.Decoder(Played).decode
