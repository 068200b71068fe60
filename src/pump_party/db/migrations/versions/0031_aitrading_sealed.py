"""One box for all that is private of a run, where the reasons were; what earlier releases sealed or left stays."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("aitrading_runs", "reasons", new_column_name="sealed")


def downgrade() -> None:
    op.alter_column("aitrading_runs", "sealed", new_column_name="reasons")
