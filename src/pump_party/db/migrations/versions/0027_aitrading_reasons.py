"""The reasons of a run, sealed; those of runs that are there already stay in their body."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("aitrading_runs", sa.Column("reasons", Bytes))


def downgrade() -> None:
    op.drop_column("aitrading_runs", "reasons")
