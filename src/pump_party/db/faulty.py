"""A database that fails, or ends its process, between named steps of a transaction: for simulations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

import sqlalchemy as sa

from pump_party.db.engine import Database


class DatabaseStep(StrEnum):
    """Where a transaction can be stopped. What was decided is written after BEFORE_WRITE, durable at AFTER_COMMIT."""

    BEFORE_LOAD = "before_load"
    BEFORE_WRITE = "before_write"
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"


class FaultyDatabase(Database):
    """Tells `reached` every step as it comes to it. An exception from there takes the place of the step."""

    def __init__(self, url: str, reached: Callable[[str], None]) -> None:
        super().__init__(url)
        self._reached = reached

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        self._reached(DatabaseStep.BEFORE_LOAD)
        with super().read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        self._reached(DatabaseStep.BEFORE_WRITE)
        with super().write() as connection:
            yield connection
            self._reached(DatabaseStep.BEFORE_COMMIT)
        self._reached(DatabaseStep.AFTER_COMMIT)
