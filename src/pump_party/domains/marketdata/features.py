"""The words of market memory: which numbers a clone may look at, their units, and a market as of one moment. Pure."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from pump_party.domains.marketdata.candles import Candle, CandleInterval
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8, INT64_MAX, NANOS, PPM

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Prices = npt.NDArray[np.int64]

PERIOD_MIN = 2
PERIOD_MAX = 200
SNAPSHOT_CANDLES_MAX = 100
"""Most candles of a snapshot."""

SNAPSHOT_FEATURES_MAX = 64
"""Most features of one market in one read."""


class FeatureName(StrEnum):
    """What the numbers are is defined in docs/domains/marketdata.md."""

    CLOSE = "close"
    SMA = "sma"
    EMA = "ema"
    HIGHEST = "highest"
    LOWEST = "lowest"
    BOLLINGER_UPPER = "bollinger_upper"
    BOLLINGER_LOWER = "bollinger_lower"
    ATR = "atr"
    MACD = "macd"
    MACD_SIGNAL = "macd_signal"
    RETURN = "return"
    VOLATILITY = "volatility"
    FUNDING = "funding"
    OPEN_INTEREST_CHANGE = "open_interest_change"
    BOOK_IMBALANCE = "book_imbalance"
    RSI = "rsi"
    ADX = "adx"
    OPEN_INTEREST = "open_interest"


class FeatureUnit(StrEnum):
    """What a feature is measured in: a price, a fraction, a number from 0 to 100, an amount of the base asset."""

    PRICE = "price"
    RATIO = "ratio"
    INDEX = "index"
    AMOUNT = "amount"


UNIT_SCALE: Mapping[FeatureUnit, int] = {
    FeatureUnit.PRICE: E8,
    FeatureUnit.RATIO: PPM,
    FeatureUnit.INDEX: PPM,
    FeatureUnit.AMOUNT: NANOS,
}
"""How many steps of a reading's integer make one of the unit."""

_UNITS: Mapping[FeatureName, FeatureUnit] = {
    FeatureName.RETURN: FeatureUnit.RATIO,
    FeatureName.VOLATILITY: FeatureUnit.RATIO,
    FeatureName.FUNDING: FeatureUnit.RATIO,
    FeatureName.OPEN_INTEREST_CHANGE: FeatureUnit.RATIO,
    FeatureName.BOOK_IMBALANCE: FeatureUnit.RATIO,
    FeatureName.RSI: FeatureUnit.INDEX,
    FeatureName.ADX: FeatureUnit.INDEX,
    FeatureName.OPEN_INTEREST: FeatureUnit.AMOUNT,
}

WITHOUT_INTERVAL = frozenset((FeatureName.FUNDING, FeatureName.OPEN_INTEREST, FeatureName.BOOK_IMBALANCE))
WITHOUT_PERIOD = WITHOUT_INTERVAL | {FeatureName.CLOSE, FeatureName.MACD, FeatureName.MACD_SIGNAL}
SAMPLED = frozenset((FeatureName.FUNDING, FeatureName.OPEN_INTEREST, FeatureName.OPEN_INTEREST_CHANGE))
SAMPLED_INTERVALS = frozenset((CandleInterval.H1, CandleInterval.D1))
"""Open interest is kept hourly: its change over less would compare a sample with itself."""


class Feature(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """One number of a market's memory. Features that `feature_problem` refuses are never read."""

    name: FeatureName
    interval: CandleInterval | None = None
    period: int | None = None

    @property
    def is_sampled(self) -> bool:
        """Whether it is read from samples of a perpetual instead of candles or a book."""
        return self.name in SAMPLED

    @property
    def key(self) -> str:
        """How it is written: "ema(1h,20)", "macd(5m)", "funding"."""
        arguments = [str(part) for part in (self.interval, self.period) if part is not None]
        return f"{self.name}({','.join(arguments)})" if arguments else self.name.value


class FeatureReading(msgspec.Struct, frozen=True, gc=False):
    """A feature's integer (`UNIT_SCALE` says of what), and what it was one complete bar earlier.

    None where history is too short, has a hole, or nothing was observed: never zero.
    """

    feature: Feature
    value: int | None
    previous: int | None


class MarketSnapshot(msgspec.Struct, frozen=True, gc=False):
    """What is known of a market as of `as_of_ms`, in chart time; nothing in it is newer.

    `readings` are sorted by the key of their feature. `candles` are complete, oldest first; one without ticks is a bar
    in which no price was seen, flat at the close before it.
    """

    market: Market
    as_of_ms: int
    mid_e8: int
    conf_e8: int
    publish_ms: int
    feed: str
    tick_sha256: str
    readings: tuple[FeatureReading, ...]
    candles: tuple[Candle, ...]


class MarketMemory(Protocol):
    """Snapshots of markets: the live service's and a tape's give the same bytes for the same candles."""

    def snapshots(
        self,
        wanted: Mapping[Market, Sequence[Feature]],
        *,
        as_of_ms: int | None,
        interval: CandleInterval,
        candles: int,
    ) -> Mapping[Market, MarketSnapshot]:
        """Each market's features and its last `candles` complete candles of `interval`. Without a price it is absent.

        `as_of_ms` None is now: each market's newest quote, as of that quote's chart time. A given one reads only what
        is stored, and its price is the close of the last complete minute. Raises NotFound (market_unknown), Invalid.
        """
        ...

    def pinned(self) -> "MarketMemory":
        """This moment held still, for a slot that many share: every read of the result sees the same market."""
        ...


class Indicators(Protocol):
    """What computes a feature from candles."""

    def compute(
        self, feature: Feature, highs_e8: "Prices", lows_e8: "Prices", closes_e8: "Prices", skip: int = 0
    ) -> list[int | None]:
        """The feature at every bar but the first `skip`; None at the bars it has too little history for."""
        ...


def check_wanted(wanted: Mapping[Market, Sequence[Feature]], *, as_of_ms: int | None, candles: int) -> None:
    """Raises Invalid for a read of market memory that asks for what there is not, or for too much."""
    if as_of_ms is not None and not 0 <= as_of_ms <= INT64_MAX:
        raise Invalid("must be a time in milliseconds", field="as_of_ms")
    if not 0 <= candles <= SNAPSHOT_CANDLES_MAX:
        raise Invalid(f"must be 0 to {SNAPSHOT_CANDLES_MAX}", field="candles")
    for features in wanted.values():
        if len(features) > SNAPSHOT_FEATURES_MAX:
            raise Invalid(f"more than {SNAPSHOT_FEATURES_MAX} features of a market", field="features")
        for feature in features:
            problem = feature_problem(feature)
            if problem is not None:
                raise Invalid(problem, field="features")


def unit_of(name: FeatureName) -> FeatureUnit:
    return _UNITS.get(name, FeatureUnit.PRICE)


def feature_problem(feature: Feature) -> str | None:
    """Why there is no such feature, or None."""
    name, interval, period = feature.name, feature.interval, feature.period
    if name in WITHOUT_INTERVAL and interval is not None:
        return f"{name} takes no interval"
    if name not in WITHOUT_INTERVAL and interval is None:
        return f"{name} needs an interval"
    if name in WITHOUT_PERIOD and period is not None:
        return f"{name} takes no period"
    if name not in WITHOUT_PERIOD and (period is None or not PERIOD_MIN <= period <= PERIOD_MAX):
        return f"{name} needs a period of {PERIOD_MIN} to {PERIOD_MAX}"
    if name is FeatureName.OPEN_INTEREST_CHANGE and interval not in SAMPLED_INTERVALS:
        return f"{name} needs an interval of 1h or 1d: open interest is kept hourly"
    return None


_FEATURE_TEXT = re.compile(
    r"(?P<name>[a-z_]{1,32})(\((?P<interval>[0-9a-z]{1,3})(,(?P<period>[0-9]{1,3}))?\))?", re.ASCII
)


def parse_feature(text: str) -> Feature:
    """Read a key such as "ema(1h,20)". Raises Invalid."""
    match = _FEATURE_TEXT.fullmatch(text)
    if match is None or match["name"] not in _NAMES:
        raise Invalid("is not a feature such as ema(1h,20), macd(5m) or funding", field="feature")
    if match["interval"] is not None and match["interval"] not in _INTERVALS:
        raise Invalid(f"has an interval that is none of {', '.join(CandleInterval)}", field="feature")
    feature = Feature(
        FeatureName(match["name"]),
        None if match["interval"] is None else CandleInterval(match["interval"]),
        None if match["period"] is None else int(match["period"]),
    )
    problem = feature_problem(feature)
    if problem is not None:
        raise Invalid(problem, field="feature")
    return feature


_NAMES = frozenset(name.value for name in FeatureName)
_INTERVALS = frozenset(interval.value for interval in CandleInterval)
