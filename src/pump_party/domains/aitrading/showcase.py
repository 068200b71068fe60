"""What everybody may see of all clones together: which accounts they trade, and what they decided last."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pump_party.domains.aitrading.presenting import public_run
from pump_party.domains.aitrading.records import Run
from pump_party.domains.aitrading.run_views import RunPage
from pump_party.domains.prop_interface.contract import PAGE_LIMIT_MAX
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId, CloneId, RunId, is_uuid

SHOWN_CLONES_MAX = 2_000
"""Clones that trade and are shown together: of more those deployed last."""


class ShowcaseStore(Protocol):
    """What is read for everybody. `db/aitrading_showcase.py` implements it."""

    def trading(self, *, limit: int) -> Sequence[tuple[AccountId, CloneId]]:
        """Of the deployments that are not stopped, the newest first."""
        ...

    def ended_runs(self, *, before: RunId | None, limit: int) -> Sequence[Run]:
        """Runs of all clones that have ended, newest first, from before a run. What is private of them is sealed."""
        ...


class ShowcaseService:
    """Implements `contract.Showcase`."""

    def __init__(self, store: ShowcaseStore) -> None:
        self._store = store

    def trading_accounts(self) -> tuple[Mapping[AccountId, CloneId], bool]:
        found = self._store.trading(limit=SHOWN_CLONES_MAX + 1)
        return dict(found[:SHOWN_CLONES_MAX]), len(found) <= SHOWN_CLONES_MAX

    def latest_decisions(self, *, cursor: str | None, limit: int) -> RunPage:
        if not 1 <= limit <= PAGE_LIMIT_MAX:
            raise Invalid(f"must be 1 to {PAGE_LIMIT_MAX}", code="bad_limit", field="limit")
        if cursor is not None and not is_uuid(cursor):
            raise Invalid("is not a cursor of this list", code="bad_cursor", field="cursor")
        found = self._store.ended_runs(before=None if cursor is None else RunId(cursor), limit=limit + 1)
        page = found[:limit]
        return RunPage(tuple(map(public_run, page)), page[-1].run_id if len(found) > limit else None)
