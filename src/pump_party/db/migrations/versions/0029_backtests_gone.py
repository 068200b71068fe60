"""Objects that backtests name no more."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Text

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backtests_gone",
        sa.Column("place", Text, primary_key=True),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("backtests_gone")
