"""The newest prices and halts of every market, for closing prices."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64, Text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "marketdata_moments",
        sa.Column("market", Text, primary_key=True),
        sa.Column("at_ms", Int64, primary_key=True, autoincrement=False),
        sa.Column("mid_e8", Int64, nullable=False),
        sa.Column("conf_e8", Int64, nullable=False),
        sa.Column("feed", Text, nullable=False),
        sa.Column("is_halt", Int64, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("marketdata_moments")
