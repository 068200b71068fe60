"""Databases that are there for one use: migrated, empty, and gone afterwards. For simulations."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.migrate import upgrade

Fresh = Callable[[], AbstractContextManager[str]]
"""Gives the URL of a database that nobody else uses, for as long as the block lasts."""

NAME_PREFIX = "pump_party_scratch_"


@contextmanager
def sqlite_scratch() -> Iterator[Fresh]:
    """Each a copy of one file in a temporary folder."""
    with TemporaryDirectory() as folder:
        template = Path(folder) / "template.sqlite3"
        with closing(Database(f"sqlite:///{template}")) as database:
            upgrade(database)

        @contextmanager
        def fresh() -> Iterator[str]:
            with TemporaryDirectory() as own:
                yield f"sqlite:///{shutil.copy(template, Path(own) / 'scratch.sqlite3')}"

        yield fresh


@contextmanager
def postgres_scratch(url: str, token: str) -> Iterator[Fresh]:
    """Each a database of its own beside that of `url`, which is left alone; its user must be allowed to create some.

    `token` sets the names apart from those of others. Raises Unavailable when the server does not answer.
    """
    with closing(Database(url)) as asked:
        asked.check()
    template = f"{NAME_PREFIX}{token}"
    with _created(url, template) as template_url:
        with closing(Database(template_url)) as database:
            upgrade(database)

        @contextmanager
        def fresh() -> Iterator[str]:
            with _created(url, f"{template}_copy", f"TEMPLATE {template}") as copy_url:
                yield copy_url

        yield fresh


@contextmanager
def _created(url: str, name: str, options: str = "") -> Iterator[str]:
    server = sa.create_engine("postgresql+psycopg://" + url.split("://", 1)[1], isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} {options}"))
        try:
            yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            with server.connect() as connection:
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        server.dispose()
