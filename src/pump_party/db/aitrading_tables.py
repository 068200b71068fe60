"""Tables of AI trading."""

import sqlalchemy as sa

from pump_party.db.engine import Bytes, Int64, Text, metadata


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, Text, nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, Int64, nullable=nullable)


deployments = sa.Table(
    "aitrading_deployments",
    metadata,
    sa.Column("deployment_id", Text, primary_key=True),
    _text("clone_id"),
    _text("user_id"),
    _text("account_id"),
    _text("rule_set"),
    _text("version_id"),
    _int("version"),
    _int("cadence_s"),
    _text("state"),
    _int("started_ms"),
    _int("running_since_ms"),
    _text("past"),
    _text("conditions"),
    _int("actions_day"),
    _int("actions_count"),
    _text("deploy_key"),
    sa.UniqueConstraint("clone_id", "deploy_key", name="aitrading_deployments_key"),
    sa.Index(
        "aitrading_deployments_one_active",
        "clone_id",
        unique=True,
        sqlite_where=sa.text("state <> 'stopped'"),
        postgresql_where=sa.text("state <> 'stopped'"),
    ),
    sa.Index(
        "aitrading_deployments_running",
        "cadence_s",
        "deployment_id",
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    ),
    sqlite_strict=True,
)

runs = sa.Table(
    "aitrading_runs",
    metadata,
    sa.Column("run_id", Text, primary_key=True),
    _text("deployment_id"),
    _text("clone_id"),
    _text("user_id"),
    _text("account_id"),
    _text("version_id"),
    _int("version"),
    _text("source"),
    _text("run_key", nullable=True),
    _int("slot_ms"),
    _int("deadline_ms"),
    _text("state"),
    _int("claimed_ms"),
    _text("code", nullable=True),
    _text("detail", nullable=True),
    _int("finished_ms", nullable=True),
    _int("account_seq", nullable=True),
    _text("snapshot_sha256", nullable=True),
    _text("context_sha256", nullable=True),
    _text("prompt_sha256", nullable=True),
    _text("answer_sha256", nullable=True),
    _text("model", nullable=True),
    _text("body"),
    sa.Column("sealed", Bytes),
    sa.UniqueConstraint("clone_id", "run_key", name="aitrading_runs_key"),
    sa.Index("aitrading_runs_by_clone", "clone_id", "run_id"),
    sa.Index("aitrading_runs_by_slot", "slot_ms", "deployment_id"),
    sa.Index(
        "aitrading_runs_unfinished",
        "run_id",
        sqlite_where=sa.text("finished_ms IS NULL"),
        postgresql_where=sa.text("finished_ms IS NULL"),
    ),
    sqlite_strict=True,
)

calls = sa.Table(
    "aitrading_calls",
    metadata,
    sa.Column("call_id", Text, primary_key=True),
    _text("run_id"),
    _text("clone_id"),
    _text("user_id"),
    _int("day"),
    _text("model"),
    _text("state"),
    _int("at_ms"),
    _int("tokens_in"),
    _int("tokens_out"),
    _int("micros", nullable=True),
    _text("price_table", nullable=True),
    _int("latency_ms"),
    _int("attempts"),
    _text("failure", nullable=True),
    sa.Index("aitrading_calls_by_run", "run_id"),
    sa.Index("aitrading_calls_by_clone", "clone_id", "day"),
    sqlite_strict=True,
)

budgets = sa.Table(
    "aitrading_budgets",
    metadata,
    sa.Column("day", Int64, primary_key=True),
    sa.Column("scope", Text, primary_key=True),
    sa.Column("subject", Text, primary_key=True),
    _int("tokens"),
    _int("micros"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
