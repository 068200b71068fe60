"""Where an account stood when its day began."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

COLUMNS = ("day_standing_micros", "day_max_drawdown_ppm", "day_fills")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("prop_standings", sa.Column(name, Int64, nullable=False, server_default="0"))
    # Right after the account's next midnight. Until then nobody counts as ranked when this day began.
    op.execute("UPDATE prop_standings SET day_standing_micros = day_start_micros")


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("prop_standings", name)
