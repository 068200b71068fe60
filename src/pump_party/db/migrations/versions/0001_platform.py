"""Outbox, idempotency records and jobs."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes, Int64, Text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "platform_outbox",
        sa.Column("row_number", Int64, primary_key=True, autoincrement=True),
        sa.Column("channel", Text, nullable=False),
        sa.Column("subject", Text, nullable=False),
        sa.Column("seq", Int64, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("payload", Text, nullable=False),
        sa.Column("at_ms", Int64, nullable=False),
        sa.Column("sent_at_ms", Int64),
        sa.UniqueConstraint("subject", "seq", name="platform_outbox_subject_seq"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index(
        "platform_outbox_unsent",
        "platform_outbox",
        ["row_number"],
        sqlite_where=sa.text("sent_at_ms IS NULL"),
        postgresql_where=sa.text("sent_at_ms IS NULL"),
    )
    op.create_table(
        "platform_idempotency",
        sa.Column("scope", Text, primary_key=True),
        sa.Column("key", Text, primary_key=True),
        sa.Column("request_sha256", Text, nullable=False),
        sa.Column("response", Bytes, nullable=False),
        sa.Column("at_ms", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "platform_jobs",
        sa.Column("job_id", Text, primary_key=True),
        sa.Column("kind", Text, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("payload", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("run_at_ms", Int64, nullable=False),
        sa.Column("lease_until_ms", Int64, nullable=False),
        sa.Column("fence", Int64, nullable=False),
        sa.Column("attempts", Int64, nullable=False),
        sa.Column("last_error", Text),
        sa.UniqueConstraint("kind", "key", name="platform_jobs_kind_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "platform_jobs_due",
        "platform_jobs",
        ["kind", "run_at_ms"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_table("platform_jobs")
    op.drop_table("platform_idempotency")
    op.drop_table("platform_outbox")
