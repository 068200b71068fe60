"""Answers of models, as they should be and a little off."""

import json
from typing import Any

from tests.domains.aitrading.worlds import CLOSE, EMA, FUNDING, RSI, SOL, SOL_PERP

from pump_party.domains.aitrading.model import Question
from pump_party.domains.aitrading.prompt import TEMPLATE
from pump_party.domains.aitrading.proposal import answer_schema
from pump_party.domains.marketdata.contract import Feature
from pump_party.kernel.ids import Market

FEATURES = (CLOSE, EMA, FUNDING, RSI)


def question(markets: tuple[Market, ...] = (SOL, SOL_PERP), features: tuple[Feature, ...] = FEATURES) -> Question:
    return Question("prompt", markets, features, TEMPLATE, "", "", answer_schema(markets, features), 0, 0, "")


def decision(market: str = SOL, **fields: Any) -> dict[str, Any]:
    return {
        "market": market,
        "reason": "the trend is up",
        "action": "hold",
        "side": None,
        "share": "0",
        "leverage": 1,
        "stop_price": None,
        "target_price": None,
        "invalidation": None,
        "confidence": "0.5",
    } | fields


def opening(market: str = SOL, **fields: Any) -> dict[str, Any]:
    return decision(market, **({"action": "open", "side": "long", "share": "0.25", "leverage": 1} | fields))


def answer(*decisions: dict[str, Any]) -> str:
    return json.dumps({"decisions": decisions})


def both(**fields: Any) -> str:
    """An answer about both markets, the first of them as given."""
    return answer(opening(**fields), decision(SOL_PERP))
