"""A clone service on a real database, with the few steps every test takes."""

from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from tests.domains.clones.strategies import KNOWN, Json, encode, sound
from tests.domains.users.conftest import Door

from pump_party.adapters.sealing import AesGcmSealing, PlatformKeys
from pump_party.db.clones import CloneStore
from pump_party.db.engine import Database
from pump_party.domains.clones.contract import DraftView, OwnerClone, Publish, SaveDraft, VersionView
from pump_party.domains.clones.service import CloneService
from pump_party.kernel.ids import UserId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

ALICE, BOB = UserId("01890000-0000-7000-8000-00000000000a"), UserId("01890000-0000-7000-8000-00000000000b")
KEY = "k1:" + "11" * 32


class Workshop:
    """The clones service; `keys` are platform keys as the setting writes them."""

    def __init__(self, database: Database, clock: ManualClock, ids: Ids, keys: str = KEY) -> None:
        self.database = database
        self.clock = clock
        self.ids = ids
        self.store = CloneStore(database)
        sealing = AesGcmSealing(PlatformKeys(keys, Path("unused")), randomness=Random(3).randbytes)
        self.clones = CloneService(self.store, sealing, Door(database, clock, ids).users, KNOWN, clock, ids)

    def with_keys(self, keys: str) -> "Workshop":
        """The same database seen by a process with other platform keys."""
        return Workshop(self.database, self.clock, self.ids, keys)

    def create(self, name: str = "Momo", user_id: UserId = ALICE, key: str | None = None) -> OwnerClone:
        return self.clones.create_clone(user_id, name=name, bio="", idempotency_key=key or f"create {name}")

    def save(self, clone: OwnerClone, strategy: Json | None = None, *, revision: int = 0, **more: Any) -> DraftView:
        command = SaveDraft(
            user_id=ALICE,
            clone_id=clone.clone_id,
            strategy=encode(strategy or sound()),
            layout={"rule": (1, 2)},
            base_version=None,
            revision=revision,
        )
        return self.clones.save_draft(_with(command, **more))

    def publish(
        self, clone: OwnerClone, strategy: Json | None = None, *, base: int | None = None, key: str = "p", **more: Any
    ) -> VersionView:
        command = Publish(
            user_id=ALICE,
            clone_id=clone.clone_id,
            strategy=encode(strategy or sound()),
            layout={"rule": (1, 2)},
            base_version=base,
            idempotency_key=key,
        )
        return self.clones.publish(_with(command, **more))


def _with(command: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(command, **changes)


@pytest.fixture
def workshop(database: Database, clock: ManualClock, ids: Ids) -> Workshop:
    return Workshop(database, clock, ids)
