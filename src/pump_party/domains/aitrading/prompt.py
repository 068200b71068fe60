"""Put a decision to a language model: a versioned template, the numbers of one prompt block, the owner's text. Pure.

Everything is rendered from what the context holds, with order and units stated. The owner's text is the only text of a
person; it stands between two lines that carry a hash of it, which it cannot contain.
"""

import json
import unicodedata
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, NamedTuple

from pump_party.domains.aitrading.account_rules import AccountRules
from pump_party.domains.aitrading.context import check_snapshot, only
from pump_party.domains.aitrading.model import Plan, PlannedPath, Question, Seen
from pump_party.domains.aitrading.prompt_text import (
    account_lines,
    condition_lines,
    limit_lines,
    market_lines,
    order_lines,
    past_lines,
    position_lines,
)
from pump_party.domains.aitrading.proposal import answer_schema
from pump_party.domains.clones.contract import PromptNode
from pump_party.domains.marketdata.contract import MarketSnapshot
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market

if TYPE_CHECKING:
    import hashlib

TEMPLATE = "trading-1"
"""The template new questions are rendered with. A template that was used is never edited."""

BYTES_PER_TOKEN = 3
"""Tokenisers of the models in use make fewer tokens of such text, so the estimate is an upper bound in practice."""

OWNER_CHARS_MAX = 8_000
CODE_CHARS = 16

_json = json.JSONEncoder(ensure_ascii=False).encode

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def questions(plan: Plan, seen: Seen, rules: AccountRules, *, budget_tokens: int) -> tuple[Question, ...]:
    """One per prompt block; markets without a price are left out, and so is a block that has none.

    Raises Invalid (prompt_over_budget).
    """
    asked = []
    for planned in plan.paths:
        snapshots = {
            market: only(seen.snapshots[market], planned)
            for market in sorted(planned.path.asset.markets)
            if market in seen.snapshots
        }
        if isinstance(planned.path.decider, PromptNode) and snapshots:
            asked.append(_question(plan, planned, planned.path.decider.id, snapshots, seen, rules, budget_tokens))
    return tuple(asked)


def tokens_of(text: str) -> int:
    """Not fewer than a model counts."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def owner_text(text: str) -> str:
    """The owner's words in plain characters: normalised, nothing invisible, no other line ends, cut to the limit."""
    shown = _shown(text.replace("\r\n", "\n").replace("\t", " "))
    return _shown(unicodedata.normalize("NFKC", shown))[:OWNER_CHARS_MAX]


def _shown(text: str) -> str:
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if char == "\n" or category not in _INVISIBLE:
            kept.append(" " if category == "Zs" else char)
    return "".join(kept)


def _question(
    plan: Plan,
    planned: PlannedPath,
    node_id: str,
    snapshots: dict[Market, MarketSnapshot],
    seen: Seen,
    rules: AccountRules,
    budget_tokens: int,
) -> Question:
    for snapshot in snapshots.values():
        check_snapshot(snapshot)
    system = _system()
    markets = tuple(snapshots)
    fixed = {
        "markets": ", ".join(markets),
        "limits": limit_lines(plan, rules, markets),
        "account": account_lines(seen.account),
        "positions": position_lines(seen.account),
        "orders": order_lines(seen.orders),
        "conditions": condition_lines(seen.conditions),
        "past": past_lines(seen.past, seen.slot.slot_ms),
        "owner": planned.owner,
        "code": sha256(planned.owner.encode()).hexdigest()[:CODE_CHARS],
    }

    def render(candles: int) -> str:
        sections = [
            market_lines(snapshot, rules.markets.get(market), candles) for market, snapshot in snapshots.items()
        ]
        return _template(f"{TEMPLATE}-user").substitute(fixed, sections="\n\n".join(sections))

    most = max(len(snapshot.candles) for snapshot in snapshots.values())
    candles, user = _most_that_fits(render, most, budget_tokens - system.tokens)
    return Question(
        node_id=node_id,
        markets=markets,
        features=planned.features,
        template=TEMPLATE,
        system=system.text,
        user=user,
        schema=answer_schema(markets, planned.features),
        tokens_max=system.tokens + tokens_of(user),
        dropped_candles=sum(max(0, len(snapshot.candles) - candles) for snapshot in snapshots.values()),
        sha256=_sha256(system, user),
    )


def _most_that_fits(render: Callable[[int], str], most: int, budget_tokens: int) -> tuple[int, str]:
    """The newest candles of each market that fit, and the prompt with them; the rest of a prompt is never cut."""
    text = render(most)
    if tokens_of(text) <= budget_tokens:
        return most, text
    fits, too_many = -1, most
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        shorter = render(middle)
        if tokens_of(shorter) <= budget_tokens:
            fits, text = middle, shorter
        else:
            too_many = middle
    if fits < 0:
        raise Invalid(
            f"does not fit into {budget_tokens} tokens even without candles", code="prompt_over_budget", field="prompt"
        )
    return fits, text


class _System(NamedTuple):
    """What every question begins with, and what follows from it alone."""

    text: str
    tokens: int
    hashed: "hashlib._Hash"


@cache
def _system() -> _System:
    text = _template(f"{TEMPLATE}-system").template
    return _System(text, tokens_of(text), sha256(f"[{_json(TEMPLATE)}, {_json(text)}".encode()))


@cache
def _template(name: str) -> Template:
    return Template(files("pump_party.domains.aitrading").joinpath("prompts", f"{name}.txt").read_text("utf-8"))


def _sha256(system: _System, user: str) -> str:
    """Of the JSON array of template, system and user text."""
    hashed = system.hashed.copy()
    hashed.update(f", {_json(user)}]".encode())
    return hashed.hexdigest()
