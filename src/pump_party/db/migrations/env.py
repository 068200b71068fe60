"""Runs migrations on the connection that `db/migrate.py` hands over. There is no alembic.ini and no offline mode."""

from alembic import context

from pump_party.db.engine import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
