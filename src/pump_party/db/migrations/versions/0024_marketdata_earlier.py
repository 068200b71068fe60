"""Candles in which no price came in here: a venue's own, from before a run."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64, Text

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

NAME = "marketdata_candles"
RANGE = "0 < low_e8 AND low_e8 <= open_e8 AND low_e8 <= close_e8 AND open_e8 <= high_e8 AND close_e8 <= high_e8"
BOUNDS = sa.CheckConstraint(f"{RANGE} AND ticks >= 0", name="marketdata_candles_bounds")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("marketdata_candles_bounds", NAME)
        op.create_check_constraint("marketdata_candles_bounds", NAME, f"{RANGE} AND ticks >= 0")
        return
    # SQLite changes no constraint of a table that is there.
    op.rename_table(NAME, "marketdata_candles_before")
    op.create_table(
        NAME,
        sa.Column("feed", Text, primary_key=True),
        sa.Column("market", Text, primary_key=True),
        sa.Column("interval", Text, primary_key=True),
        sa.Column("open_ms", Int64, primary_key=True, autoincrement=False),
        sa.Column("open_e8", Int64, nullable=False),
        sa.Column("high_e8", Int64, nullable=False),
        sa.Column("low_e8", Int64, nullable=False),
        sa.Column("close_e8", Int64, nullable=False),
        sa.Column("ticks", Int64, nullable=False),
        BOUNDS,
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO marketdata_candles SELECT * FROM marketdata_candles_before")
    op.drop_table("marketdata_candles_before")
