"""First answers by their age, to find those that are kept no longer."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("platform_idempotency_at", "platform_idempotency", ["at_ms"])


def downgrade() -> None:
    op.drop_index("platform_idempotency_at", "platform_idempotency")
