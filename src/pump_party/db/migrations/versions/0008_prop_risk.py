"""The times of an account's orders of the last minute, for rules that limit them."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    nothing = "''" if op.get_bind().dialect.name == "postgresql" else "x''"
    op.add_column("prop_accounts", sa.Column("order_times", Bytes, nullable=False, server_default=sa.text(nothing)))


def downgrade() -> None:
    op.drop_column("prop_accounts", "order_times")
