"""Premium, funding and open interest of every hour of a perpetual."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64, Text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBERS = (
    "premium_sum_ppb",
    "samples",
    "funding_1h_ppb",
    "open_interest_nanos",
    "oracle_e8",
    "mark_e8",
    "updated_ms",
)


def upgrade() -> None:
    op.create_table(
        "marketdata_perp_hours",
        sa.Column("feed", Text, primary_key=True),
        sa.Column("market", Text, primary_key=True),
        sa.Column("hour_ms", Int64, primary_key=True, autoincrement=False),
        *(sa.Column(name, Int64, nullable=False) for name in NUMBERS),
        sa.Column("source", Text, nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("marketdata_perp_hours")
