"""A made-up market for when nothing real is reachable. Seeded, and labelled SYNTHETIC wherever a price is shown.

Volatility clusters (GARCH(1,1)), follows the hours of the day, and markets move together; now and then one jumps, by
less than the jump that quarantines a market. Prices are pulled back towards their start, so that a market left
running for weeks stays plausible. The same seed and start time give the same prices.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from random import Random

import msgspec

from pump_party.adapters.observed_price import share_ppm
from pump_party.domains.marketdata.contract import Asset, SourceState
from pump_party.domains.marketdata.model import RawPayload, Tick, TickSink
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8
from pump_party.platform.clock import Clock

NAME = "synthetic"
LABEL = "SYNTHETIC"
STEP_MS = 500
BEHIND_MAX_MS = 2_000
MOVE_MAX = 0.03
"""Largest move of one step; admission quarantines at 0.05."""

CONFIDENCE_PPM_MIN = 100
CONFIDENCE_PPM_MAX = 1_500

_START_E8 = {
    "SOL": 150 * E8,
    "BTC": 100_000 * E8,
    "ETH": 3_000 * E8,
    "BNB": 650 * E8,
    "XRP": 5 * E8 // 2,
    "DOGE": E8 // 5,
}
_START_E8_OTHERS = 100 * E8
_YEARLY_VOLATILITY = {"SOL": 0.9, "BTC": 0.5, "ETH": 0.7, "BNB": 0.6, "XRP": 0.9, "DOGE": 1.0}
_YEARLY_VOLATILITY_OTHERS = 1.0

_STEPS_A_YEAR = 365 * 24 * 3600 * 1000 // STEP_MS
_COMMON_SHARE = 0.7
_SHOCK_WEIGHT, _MEMORY_WEIGHT = 0.05, 0.94
_VARIANCE_SHARE_MAX = 9.0
_JUMP_CHANCE = 1 / 14_400
_JUMP_MIN, _JUMP_MAX = 0.003, 0.015
_PULL = 1 / 2_000_000
_DAY_MS = 24 * 3600 * 1000


class SyntheticSource:
    """Prices for the given markets, from now on. `seed` decides the path."""

    name = NAME
    feed = "synthetic"
    label = LABEL

    def __init__(
        self,
        assets: Sequence[Asset],
        *,
        seed: int,
        clock: Clock,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._assets = assets
        self._seed = seed
        self._clock = clock
        self._wait = wait

    async def run(self, sink: TickSink) -> None:
        sink.state_changed(self.name, SourceState.LIVE)
        start_ms = self._clock.now_ms()
        path = synthetic_path(self._assets, seed=self._seed, start_ms=start_ms)
        due_ms = start_ms
        for step, prices in enumerate(path, start=1):
            now_ms = self._clock.now_ms()
            if now_ms - due_ms > BEHIND_MAX_MS:
                due_ms = now_ms
            if now_ms < due_ms:
                await self._wait((due_ms - now_ms) / 1000)
            self._report(sink, step, prices)
            due_ms += STEP_MS

    def _report(self, sink: TickSink, step: int, prices: Mapping[Market, tuple[int, int]]) -> None:
        now_ms = self._clock.now_ms()
        body = msgspec.json.encode({"synthetic": self._seed, "step": step, "at_ms": now_ms, "prices_e8": prices})
        raw = RawPayload(source=self.name, recv_ms=now_ms, sha256=sha256(body).hexdigest(), body=body)
        ticks = [
            Tick(
                market=market,
                mid_e8=mid_e8,
                conf_e8=conf_e8,
                publish_ms=now_ms,
                slot=step,
                recv_ms=now_ms,
                source=self.name,
                raw_sha256=raw.sha256,
            )
            for market, (mid_e8, conf_e8) in prices.items()
        ]
        sink.observed(raw, ticks)


def synthetic_path(
    assets: Sequence[Asset], *, seed: int, start_ms: int, step_ms: int = STEP_MS
) -> Iterator[dict[Market, tuple[int, int]]]:
    """Endless steps of {market: (mid_e8, conf_e8)}, one every `step_ms` from `start_ms`."""
    random = Random(seed)
    walks = [_Walk(asset, step_ms / STEP_MS) for asset in assets]
    at_ms = start_ms
    while True:
        common = random.gauss(0, 1)
        activity = _activity(at_ms)
        yield {walk.market: walk.step(random, common, activity) for walk in walks}
        at_ms += step_ms


class _Walk:
    """One market's logarithmic price, relative to its start. `scale` is the length of a step in STEP_MS."""

    def __init__(self, asset: Asset, scale: float) -> None:
        self.market = asset.market
        self._start_e8 = _START_E8.get(asset.base, _START_E8_OTHERS)
        yearly = _YEARLY_VOLATILITY.get(asset.base, _YEARLY_VOLATILITY_OTHERS)
        self._usual = yearly / math.sqrt(_STEPS_A_YEAR / scale)
        self._jump_chance = _JUMP_CHANCE * scale
        self._pull = _PULL * scale
        self._variance_share = 1.0
        self._height = 0.0

    def step(self, random: Random, common: float, activity: float) -> tuple[int, int]:
        own = random.gauss(0, 1)
        shock = _COMMON_SHARE * common + math.sqrt(1 - _COMMON_SHARE**2) * own
        noise = math.sqrt(self._variance_share) * shock
        move = self._usual * activity * noise - self._pull * self._height
        if random.random() < self._jump_chance:
            move += random.choice((-1, 1)) * random.uniform(_JUMP_MIN, _JUMP_MAX)
        self._height += max(-MOVE_MAX, min(MOVE_MAX, move))
        variance_share = 1 - _SHOCK_WEIGHT - _MEMORY_WEIGHT + _SHOCK_WEIGHT * noise**2
        self._variance_share = min(_VARIANCE_SHARE_MAX, variance_share + _MEMORY_WEIGHT * self._variance_share)

        mid_e8 = max(1, int(self._start_e8 * math.exp(self._height)))
        stress = activity * math.sqrt(self._variance_share)
        conf_ppm = min(CONFIDENCE_PPM_MAX, max(CONFIDENCE_PPM_MIN, int(200 * stress)))
        return mid_e8, share_ppm(mid_e8, conf_ppm)


def _activity(at_ms: int) -> float:
    """How lively the hour is: 0.7 at night to 1.3 in the afternoon, UTC, when the American session opens."""
    hour = at_ms % _DAY_MS / _DAY_MS * 24
    return 1 + 0.3 * math.cos((hour - 15) / 24 * 2 * math.pi)
