"""Builds clones with the keys that seal their strategies, and what an operator does with either."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from pump_party.adapters.sealing import AesGcmSealing, PlatformKeys
from pump_party.bootstrap.database import open_existing
from pump_party.bootstrap.users import build_users
from pump_party.config import Settings
from pump_party.db.clones import CloneStore
from pump_party.db.engine import Database
from pump_party.domains.clones.contract import Clones
from pump_party.domains.clones.service import CloneService
from pump_party.domains.marketdata.registry import Registry, load_registry
from pump_party.domains.users.contract import Users
from pump_party.kernel.ids import CloneId
from pump_party.platform.clock import Clock, SystemClock
from pump_party.platform.ids import Ids

KEY_FILE = "strategy.keys"


class KeyUse(msgspec.Struct, frozen=True):
    """A platform key and how many clones' strategies need it. `here` is False when this process has not got it."""

    key_id: str
    newest: bool
    here: bool
    clones: int


class Rotation(msgspec.Struct, frozen=True):
    """What a rotation did. `added` is False for keys of a setting, which the operator adds there.

    Data keys of `unreadable` clones are damaged, or their platform key is missing: they stay as they are.
    """

    key_id: str | None
    added: bool
    rewrapped: int
    unreadable: tuple[CloneId, ...]


def build_clones(
    settings: Settings, database: Database, users: Users, registry: Registry, clock: Clock, ids: Ids
) -> Clones:
    """Raises Unavailable when this process has platform keys, but not the one that was used last.

    One that has none starts, and says strategy_key_missing when a strategy is asked for: most parts never ask.
    """
    keys = PlatformKeys(settings.strategy_keys, _key_file(settings))
    clones = _service(keys, database, users, registry, clock, ids)
    if keys.load():
        clones.check_keys()
    return clones


@contextmanager
def open_clones(settings: Settings) -> Iterator[Clones]:
    """Clones of the database as it is. Raises Unavailable when there is none or it does not answer."""
    with _opened(settings) as (clones, _):
        yield clones


def list_keys(settings: Settings) -> Sequence[KeyUse]:
    """Every platform key there is or should be, the newest first."""
    with _opened(settings) as (clones, keys):
        known, counts = [key_id for key_id, _ in keys.load()], clones.count_keys()
    missing = sorted(counts.keys() - set(known))
    return [
        KeyUse(key_id, newest=key_id in known[:1], here=key_id in known, clones=counts.get(key_id, 0))
        for key_id in (*known, *missing)
    ]


def rotate_keys(settings: Settings, *, progress: Callable[[int], None]) -> Rotation:
    """Add a platform key, where keys are in the file, and wrap every data key with the newest one.

    Older keys stay: processes that run may go on with them until they start again. Safe to repeat after a crash.
    """
    with _opened(settings) as (clones, keys):
        clones.check_keys()
        added = None if keys.is_setting() else keys.add()
        newest = keys.newest()
        done = clones.rewrap_keys(progress)
        return Rotation(newest and newest[0], added is not None, done.count, done.unreadable)


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[CloneService, PlatformKeys]]:
    clock = SystemClock()
    ids, keys = Ids(clock), PlatformKeys(settings.strategy_keys, _key_file(settings))
    with closing(open_existing(settings)) as database:
        users = build_users(settings, database, clock, ids)
        yield _service(keys, database, users, load_registry(), clock, ids), keys


def _service(
    keys: PlatformKeys, database: Database, users: Users, registry: Registry, clock: Clock, ids: Ids
) -> CloneService:
    markets = {asset.market: asset.kind for asset in registry.assets()}
    return CloneService(CloneStore(database), AesGcmSealing(keys), users, markets, clock, ids)


def _key_file(settings: Settings) -> Path:
    return Path(settings.data_dir).expanduser().resolve() / KEY_FILE
