"""A made-up month for backtests, by the generator of the synthetic feed. Always the same, and labelled SYNTHETIC."""

from collections.abc import Sequence
from itertools import islice

from pump_party.adapters.synthetic import synthetic_path
from pump_party.domains.marketdata.candle_path import RecordedCandle
from pump_party.domains.marketdata.candles import MINUTE_MS
from pump_party.domains.marketdata.contract import Asset
from pump_party.kernel.ids import Market

SEED = 1
FROM_MS = 1_735_689_600_000
"""The beginning of 2025."""

MINUTES = 30 * 24 * 60
STEP_MS = 20_000


def synthetic_minutes(assets: Sequence[Asset]) -> dict[Market, list[RecordedCandle]]:
    """Every minute of every market. Takes seconds."""
    path = synthetic_path(assets, seed=SEED, start_ms=FROM_MS, step_ms=STEP_MS)
    minutes: dict[Market, list[RecordedCandle]] = {asset.market: [] for asset in assets}
    opens = {market: mid_e8 for market, (mid_e8, _) in next(path).items()}
    for number in range(MINUTES):
        steps = list(islice(path, MINUTE_MS // STEP_MS))
        for market, candles in minutes.items():
            open_e8 = opens[market]
            mids = [open_e8, *(step[market][0] for step in steps)]
            opens[market] = mids[-1]
            open_ms = FROM_MS + number * MINUTE_MS
            candles.append(RecordedCandle(open_ms, open_e8, max(mids), min(mids), mids[-1]))
    return minutes
