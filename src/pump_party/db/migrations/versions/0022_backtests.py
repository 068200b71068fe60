"""Backtests: what was asked for, how far it is, and the hash of what came of it."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes, Int64, Text

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backtests_runs",
        sa.Column("backtest_id", Text, primary_key=True),
        *(sa.Column(name, Text, nullable=False) for name in ("user_id", "state")),
        sa.Column("view", Bytes, nullable=False),
        sa.Column("sealed", Bytes),
        sa.Column("minutes_done", Int64, nullable=False),
        *(sa.Column(name, Int64) for name in ("started_ms", "finished_ms")),
        *(sa.Column(name, Text) for name in ("code", "detail", "result_hash", "artifact_sha256")),
        sa.Column("summary", Bytes),
        sqlite_strict=True,
    )
    op.create_index("backtests_runs_user", "backtests_runs", ["user_id", "backtest_id"])
