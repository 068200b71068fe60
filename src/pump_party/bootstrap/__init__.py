"""The only place objects meet: Settings in, Services out. Whatever is missing stops the start here, with the reason.

One file per part that is built. Apps name everything from here.
"""

from pump_party.bootstrap.backtest_process import work_for_player
from pump_party.bootstrap.backtests import load_strategy, play_backtest
from pump_party.bootstrap.cache import Cache
from pump_party.bootstrap.clones import KeyUse, Rotation, list_keys, open_clones, rotate_keys
from pump_party.bootstrap.database import DatabaseFacts, check_ledger, describe_database, open_database
from pump_party.bootstrap.engine import OrderDesk
from pump_party.bootstrap.house import open_house
from pump_party.bootstrap.ingestion import approve_resume, build_ingestion, open_tapes
from pump_party.bootstrap.models import ModelCheck, check_models
from pump_party.bootstrap.offline import check_conformance, scratch_databases, simulate
from pump_party.bootstrap.operators import open_prop_trading
from pump_party.bootstrap.services import Services, build

__all__ = [
    "Cache",
    "DatabaseFacts",
    "KeyUse",
    "ModelCheck",
    "OrderDesk",
    "Rotation",
    "Services",
    "approve_resume",
    "build",
    "build_ingestion",
    "check_conformance",
    "check_ledger",
    "check_models",
    "describe_database",
    "list_keys",
    "load_strategy",
    "open_clones",
    "open_database",
    "open_house",
    "open_prop_trading",
    "open_tapes",
    "play_backtest",
    "rotate_keys",
    "scratch_databases",
    "simulate",
    "work_for_player",
]
