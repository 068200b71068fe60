"""Builds what an operator needs to act on an account while the product runs, or while it does not."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from pump_party.bootstrap.database import open_existing
from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.config import Settings
from pump_party.db.prop_engine import PropStore
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import PropTrading
from pump_party.platform.clock import SystemClock
from pump_party.platform.ids import Ids


@contextmanager
def open_prop_trading(settings: Settings) -> Iterator[PropTrading]:
    """Prop trading on the database as it is, without prices: what is held has no value here.

    Raises Unavailable when there is no database or it does not answer.
    """
    from pump_party.redis.memory import MemoryBooks, MemoryQuotes

    clock, rules = SystemClock(), build_all_rule_sets(load_registry())
    with closing(open_existing(settings)) as database:
        yield PropTradingEngine(PropStore(database), MemoryQuotes(), MemoryBooks(), rules, clock, Ids(clock))
