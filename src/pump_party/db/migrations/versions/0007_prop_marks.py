"""What a mark had in the market, and what a standing says beyond its newest mark."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64, Text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STANDING_COLUMNS = (
    "started_ms",
    "standing_micros",
    "exposed_micros",
    "day_start_micros",
    "exposure_ppm_ms",
    "signed_exposure_ppm_ms",
    "weighed_ms",
)


def upgrade() -> None:
    op.add_column("prop_equity_marks", sa.Column("exposed_micros", Int64, nullable=False, server_default="0"))
    for name in STANDING_COLUMNS:
        op.add_column("prop_standings", sa.Column(name, Int64, nullable=False, server_default="0"))
    op.add_column("prop_standings", sa.Column("prices", Text, nullable=False, server_default="{}"))
    # The next mark of an account corrects what is not known of it here.
    op.execute(
        "UPDATE prop_standings SET standing_micros = equity_micros, day_start_micros = equity_micros, started_ms = ("
        "SELECT MAX(at_ms) FROM prop_journal WHERE prop_journal.account_id = prop_standings.account_id "
        "AND prop_journal.kind = 'open')"
    )
    op.drop_index("prop_standings_by_equity", "prop_standings")
    op.create_index("prop_standings_by_rank", "prop_standings", ["kind", "standing_micros"])


def downgrade() -> None:
    op.drop_index("prop_standings_by_rank", "prop_standings")
    op.create_index("prop_standings_by_equity", "prop_standings", ["kind", "equity_micros"])
    for name in ("prices", *reversed(STANDING_COLUMNS)):
        op.drop_column("prop_standings", name)
    op.drop_column("prop_equity_marks", "exposed_micros")
