"""Hours of a perpetual of which only the rate is known, as recordings have it."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64, Text

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

NAME = "marketdata_perp_hours"
BEFORE = "marketdata_perp_hours_before"
UNKNOWN = ("open_interest_nanos", "oracle_e8", "mark_e8")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in UNKNOWN:
            op.alter_column(NAME, name, nullable=True)
        return
    # SQLite changes no column of a table that is there.
    op.rename_table(NAME, BEFORE)
    op.create_table(
        NAME,
        sa.Column("feed", Text, primary_key=True),
        sa.Column("market", Text, primary_key=True),
        sa.Column("hour_ms", Int64, primary_key=True, autoincrement=False),
        sa.Column("premium_sum_ppb", Int64, nullable=False),
        sa.Column("samples", Int64, nullable=False),
        sa.Column("funding_1h_ppb", Int64, nullable=False),
        *(sa.Column(name, Int64) for name in UNKNOWN),
        sa.Column("updated_ms", Int64, nullable=False),
        sa.Column("source", Text, nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO marketdata_perp_hours SELECT * FROM marketdata_perp_hours_before")
    op.drop_table(BEFORE)
