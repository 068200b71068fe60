"""Strategies for tests: a small sound one, and ways to change it."""

from itertools import pairwise
from typing import Any

import msgspec

from pump_party.domains.marketdata.contract import MarketKind
from pump_party.kernel.ids import Market

SOL, BTC, SOL_PERP = Market("SOL-USDC"), Market("BTC-USDC"), Market("SOL-PERP")
KNOWN = {SOL: MarketKind.SPOT, BTC: MarketKind.SPOT, SOL_PERP: MarketKind.PERP}

Json = dict[str, Any]


def feature(name: str = "ema", interval: str | None = "1h", period: int | None = 20, **more: int) -> Json:
    return {"kind": "feature", "feature": {"name": name, "interval": interval, "period": period}, **more}


def number(value: str, unit: str = "price") -> Json:
    return {"kind": "number", "value": value, "unit": unit}


def compare(left: Json, op: str, right: Json, kind: str = "compare") -> Json:
    return {"kind": kind, "left": left, "op": op, "right": right}


def target(share_ppm: int = 200_000, **more: int) -> Json:
    return {"kind": "target", "share_ppm": share_ppm, **more}


def clause(when: Json | None = None, then: Json | None = None) -> Json:
    return {"when": when or compare(feature(), "above", number("100")), "then": then or target()}


def stream(**more: Any) -> Json:
    return {"kind": "data_stream", "id": "stream", "interval": "1h", "candles": 0, "features": [], **more}


def asset(*markets: str, **more: Any) -> Json:
    return {"kind": "asset", "id": "assets", "markets": list(markets or (SOL,)), **more}


def rule(*clauses: Json, **more: Any) -> Json:
    return {"kind": "rule", "id": "rule", "clauses": list(clauses or (clause(),)), **more}


def prompt(text: str = "Buy low, sell high.", **more: Any) -> Json:
    return {"kind": "trading_prompt", "id": "prompt", "text": text, **more}


def trading_clone(**more: Any) -> Json:
    return {
        "kind": "trading_clone",
        "id": "clone",
        "cadence_s": 60,
        "max_leverage": 1,
        "max_position_ppm": 500_000,
    } | more


def graph(*nodes: Json, edges: list[tuple[str, str]] | None = None) -> Json:
    """These blocks in a row, or with these edges."""
    if edges is None:
        edges = [(before["id"], after["id"]) for before, after in pairwise(nodes)]
    joined = [{"source": source, "target": goal} for source, goal in edges]
    return {"schema": "strategy/1", "nodes": list(nodes), "edges": joined}


def sound(*, decider: Json | None = None, **clone: Any) -> Json:
    """A strategy without a problem."""
    return graph(stream(), asset(), decider or rule(), trading_clone(**clone))


def encode(strategy: Json) -> bytes:
    return msgspec.json.encode(strategy)


def nested(depth: int) -> Json:
    """Conditions inside each other, this many."""
    inner: Json = {"kind": "always"}
    for _ in range(depth - 1):
        inner = {"kind": "not", "condition": inner}
    return inner
