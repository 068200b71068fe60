"""Candles, how far each chart has come, refused ticks, quarantines."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "marketdata_candles",
        sa.Column("feed", Text, primary_key=True),
        sa.Column("market", Text, primary_key=True),
        sa.Column("interval", Text, primary_key=True),
        sa.Column("open_ms", Int64, primary_key=True, autoincrement=False),
        sa.Column("open_e8", Int64, nullable=False),
        sa.Column("high_e8", Int64, nullable=False),
        sa.Column("low_e8", Int64, nullable=False),
        sa.Column("close_e8", Int64, nullable=False),
        sa.Column("ticks", Int64, nullable=False),
        sa.CheckConstraint(
            "0 < low_e8 AND low_e8 <= open_e8 AND low_e8 <= close_e8"
            " AND open_e8 <= high_e8 AND close_e8 <= high_e8 AND ticks > 0",
            name="marketdata_candles_bounds",
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marketdata_charts",
        sa.Column("market", Text, primary_key=True),
        sa.Column("feed", Text, nullable=False),
        sa.Column("chart_ms", Int64, nullable=False),
        sa.Column("updated_ms", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "marketdata_refusals",
        sa.Column("refusal_no", Int64, primary_key=True),
        sa.Column("at_ms", Int64, nullable=False),
        sa.Column("feed", Text, nullable=False),
        sa.Column("source", Text, nullable=False),
        sa.Column("market", Text, nullable=False),
        sa.Column("verdict", Text, nullable=False),
        sa.Column("mid_e8", Int64, nullable=False),
        sa.Column("conf_e8", Int64, nullable=False),
        sa.Column("publish_ms", Int64, nullable=False),
        sa.Column("slot", Int64, nullable=False),
        sa.Column("raw_sha256", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "marketdata_quarantines",
        sa.Column("market", Text, primary_key=True),
        sa.Column("feed", Text, primary_key=True),
        sa.Column("since_ms", Int64, primary_key=True, autoincrement=False),
        sa.Column("source", Text, nullable=False),
        sa.Column("reference_e8", Int64, nullable=False),
        sa.Column("observed_e8", Int64, nullable=False),
        sa.Column("raw_sha256", Text, nullable=False),
        sa.Column("first_operator", Text),
        sa.Column("first_reason", Text),
        sa.Column("first_at_ms", Int64),
        sa.Column("second_operator", Text),
        sa.Column("second_reason", Text),
        sa.Column("second_at_ms", Int64),
        sa.Column("ended_ms", Int64),
        sa.Column("ended_by", Text),
        sa.CheckConstraint("first_operator <> second_operator", name="marketdata_quarantines_two_persons"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for table in ("quarantines", "refusals", "charts", "candles"):
        op.drop_table(f"marketdata_{table}")
