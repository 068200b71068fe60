"""What tokens cost, from the table that ships with `genai_prices`. It asks nobody: a price it lacks is not known."""

from functools import cache, lru_cache
from importlib.metadata import version
from math import ceil

PRICED_AS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "xai": "x-ai",
    "deepseek": "deepseek",
    "openrouter": "openrouter",
}
"""Our names of providers in the table's words. Qwen's own prices are not in it; OpenRouter's are by its names."""

MICROS_PER_USD = 1_000_000
NAMES_MAX = 1_024
"""Names of models whose place in the table, or whose absence, is remembered."""


@cache
def table() -> str:
    """The version of the table."""
    return f"genai-prices {version('genai-prices')}"


def load() -> None:
    """Read the table, which takes a moment the first time: before anything that must not wait."""
    from genai_prices.data_snapshot import get_snapshot

    get_snapshot()


def cost_micros(model: str, *, tokens_in: int, tokens_out: int) -> int | None:
    """Micros of USD, rounded up, or None."""
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition(":")
    priced_as = PRICED_AS.get(provider)
    if priced_as is None or not _is_priced(priced_as, name):
        return None
    try:
        price = calc_price(Usage(input_tokens=tokens_in, output_tokens=tokens_out), name, provider_id=priced_as)
    except ValueError:
        return None
    return ceil(price.total_price * MICROS_PER_USD)


@lru_cache(maxsize=NAMES_MAX)
def _is_priced(priced_as: str, name: str) -> bool:
    """Whether the table has the model. It remembers what it has found, but searches for what it lacks every time."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        get_snapshot().find_provider_model(name, None, priced_as, None)
    except LookupError:
        return False
    return True
