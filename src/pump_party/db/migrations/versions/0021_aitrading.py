"""Deployments of clones, decision runs, model calls and their budgets."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64, Text

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, Text, nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, Int64, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "aitrading_deployments",
        sa.Column("deployment_id", Text, primary_key=True),
        *(_text(name) for name in ("clone_id", "user_id", "account_id", "rule_set", "version_id")),
        *(_int(name) for name in ("version", "cadence_s")),
        _text("state"),
        *(_int(name) for name in ("started_ms", "running_since_ms")),
        *(_text(name) for name in ("past", "conditions")),
        *(_int(name) for name in ("actions_day", "actions_count")),
        _text("deploy_key"),
        sa.UniqueConstraint("clone_id", "deploy_key", name="aitrading_deployments_key"),
        sqlite_strict=True,
    )
    _partial(
        "aitrading_deployments_one_active", "aitrading_deployments", ["clone_id"], "state <> 'stopped'", unique=True
    )
    running = ["cadence_s", "deployment_id"]
    _partial("aitrading_deployments_running", "aitrading_deployments", running, "state = 'running'")
    op.create_table(
        "aitrading_runs",
        sa.Column("run_id", Text, primary_key=True),
        *(_text(name) for name in ("deployment_id", "clone_id", "user_id", "account_id", "version_id")),
        _int("version"),
        _text("source"),
        _text("run_key", nullable=True),
        *(_int(name) for name in ("slot_ms", "deadline_ms")),
        _text("state"),
        _int("claimed_ms"),
        *(_text(name, nullable=True) for name in ("code", "detail")),
        *(_int(name, nullable=True) for name in ("finished_ms", "account_seq")),
        *(_text(f"{name}_sha256", nullable=True) for name in ("snapshot", "context", "prompt", "answer")),
        _text("model", nullable=True),
        _text("body"),
        sa.UniqueConstraint("clone_id", "run_key", name="aitrading_runs_key"),
        sqlite_strict=True,
    )
    op.create_index("aitrading_runs_by_clone", "aitrading_runs", ["clone_id", "run_id"])
    op.create_index("aitrading_runs_by_slot", "aitrading_runs", ["slot_ms", "deployment_id"])
    _partial("aitrading_runs_unfinished", "aitrading_runs", ["run_id"], "finished_ms IS NULL")
    op.create_table(
        "aitrading_calls",
        sa.Column("call_id", Text, primary_key=True),
        *(_text(name) for name in ("run_id", "clone_id", "user_id")),
        _int("day"),
        *(_text(name) for name in ("model", "state")),
        *(_int(name) for name in ("at_ms", "tokens_in", "tokens_out")),
        _int("micros", nullable=True),
        _text("price_table", nullable=True),
        *(_int(name) for name in ("latency_ms", "attempts")),
        _text("failure", nullable=True),
        sqlite_strict=True,
    )
    op.create_index("aitrading_calls_by_run", "aitrading_calls", ["run_id"])
    op.create_index("aitrading_calls_by_clone", "aitrading_calls", ["clone_id", "day"])
    op.create_table(
        "aitrading_budgets",
        sa.Column("day", Int64, primary_key=True),
        sa.Column("scope", Text, primary_key=True),
        sa.Column("subject", Text, primary_key=True),
        _int("tokens"),
        _int("micros"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    for table in ("aitrading_budgets", "aitrading_calls", "aitrading_runs", "aitrading_deployments"):
        op.drop_table(table)
