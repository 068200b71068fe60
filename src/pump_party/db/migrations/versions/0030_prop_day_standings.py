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
    # Of today only the equity is known: the account's next midnight corrects what is taken from now here.
    op.execute(
        "UPDATE prop_standings SET day_standing_micros = day_start_micros, day_max_drawdown_ppm = max_drawdown_ppm, "
        "day_fills = CASE WHEN started_ms < as_of_ms - as_of_ms % 86400000 THEN fills ELSE 0 END"
    )


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("prop_standings", name)
