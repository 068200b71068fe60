"""Path and query parameters that several routes share. A malformed id never reaches a query."""

from typing import Annotated, Any, Literal

from litestar.params import PathParameter, QueryParameter

from pump_party.apps.api.auth import Access
from pump_party.apps.api.schemas.boards import Traders
from pump_party.apps.order_wire import MARKET_PATTERN
from pump_party.config import ORDER_WAIT_MS_MAX
from pump_party.domains.aitrading.contract import ArtifactKind
from pump_party.domains.clones.contract import DIRECTORY_LIMIT_MAX, VERSIONS_PER_CLONE_MAX, Mood
from pump_party.domains.marketdata.contract import BOOK_DEPTH_MAX, CandleInterval
from pump_party.domains.prop_interface.contract import PAGE_LIMIT_MAX, BoardMetric, BoardWindow
from pump_party.kernel.errors import NotFound
from pump_party.kernel.ids import is_uuid
from pump_party.kernel.money import INT64_MAX

CURSOR_PATTERN = r"^[A-Za-z0-9_.:\-]{1,128}$"
CANDLES_MAX = 1_000
CANDLES_DEFAULT = 300
FEATURES_MAX = 32
BOOK_DEPTH_DEFAULT = 20
LEADERBOARD_MAX = 200
LEADERBOARD_DEFAULT = 50
PAGE_DEFAULT = 50
LATEST_DEFAULT = 10

PathText = Annotated[str, PathParameter()]
Cursor = Annotated[str | None, QueryParameter(pattern=CURSOR_PATTERN, description="`next_cursor` of the page before")]
PageLimit = Annotated[int, QueryParameter(ge=1, le=PAGE_LIMIT_MAX)]
Interval = Annotated[CandleInterval, QueryParameter()]
CandleLimit = Annotated[int, QueryParameter(ge=1, le=CANDLES_MAX)]
BookDepth = Annotated[int, QueryParameter(ge=1, le=BOOK_DEPTH_MAX)]
BeforeMs = Annotated[int | None, QueryParameter(ge=0, le=INT64_MAX, description="only candles that opened earlier")]
FeatureKeys = Annotated[
    list[str],
    QueryParameter(
        min_items=1, max_items=FEATURES_MAX, description="such as `ema(1h,20)`, `macd(5m)`, `funding`; repeat"
    ),
]
FeatureAsOf = Annotated[int | None, QueryParameter(ge=0, le=INT64_MAX, description="in chart time; default: now")]
WaitMs = Annotated[
    int | None, QueryParameter(ge=0, le=ORDER_WAIT_MS_MAX, description="longest wait for the end of an accepted order")
]
OnlyMarket = Annotated[str | None, QueryParameter(pattern=MARKET_PATTERN, description="only orders of this market")]
OrderListStatus = Annotated[
    Literal["open"] | None,
    QueryParameter(description="`open` lists the orders that wait, all at once; else those that have ended"),
]
DirectoryLimit = Annotated[int, QueryParameter(ge=1, le=DIRECTORY_LIMIT_MAX)]
PathNumber = Annotated[int, PathParameter(ge=1, le=VERSIONS_PER_CLONE_MAX)]
ArtifactName = Annotated[ArtifactKind, PathParameter()]
AvatarMood = Annotated[Mood, QueryParameter()]
LeaderboardLimit = Annotated[int, QueryParameter(ge=1, le=LEADERBOARD_MAX)]
LeaderboardWindow = Annotated[BoardWindow, QueryParameter(description="since when a return counts")]
LeaderboardMetric = Annotated[BoardMetric, QueryParameter(description="what ranks; the other breaks its ties")]
LeaderboardTraders = Annotated[Traders, QueryParameter(description="whose accounts are ranked")]


def checked_id(text: str, noun: str) -> str:
    """An id from the path. One that is not well-formed names nothing: raises NotFound."""
    if not is_uuid(text):
        raise NotFound(f"there is no such {noun.replace('_', ' ')}", code=f"{noun}_not_found", field=f"{noun}_id")
    return text


def access(level: Access, *, idempotent: bool = False) -> dict[str, Any]:
    """The `opt` of a route: who may use it, and whether it takes an Idempotency-Key."""
    return {"access": level, "idempotent": idempotent}
