"""What an account has in the market, longs and shorts added up."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prop_standings", sa.Column("gross_exposed_micros", Int64, nullable=False, server_default="0"))
    # Right where one market is held; the next mark of an account corrects the others.
    op.execute("UPDATE prop_standings SET gross_exposed_micros = abs(exposed_micros)")


def downgrade() -> None:
    op.drop_column("prop_standings", "gross_exposed_micros")
