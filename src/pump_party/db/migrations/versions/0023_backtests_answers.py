"""Backtests: what models answered, so that a backtest can be repeated without asking them."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes, Int64, Text

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backtests_answers",
        *(sa.Column(name, Text, primary_key=True) for name in ("user_id", "answer_key")),
        *(sa.Column(name, Text, nullable=False) for name in ("model", "context_sha256", "prompt_sha256", "template")),
        sa.Column("place", Text, nullable=False),
        sa.Column("failure", Text),
        *(sa.Column(name, Int64, nullable=False) for name in ("tokens_in", "tokens_out")),
        sa.Column("cost_micros", Int64),
        sa.Column("price_table", Text),
        sa.Column("at_ms", Int64, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.add_column("backtests_runs", sa.Column("asked", Bytes))
    op.create_index("backtests_answers_age", "backtests_answers", ["user_id", "at_ms"])
