"""Clones, their drafts and versions, what is revealed of them, reports and what operators decided."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes, Int64, Text

revision = "0020"
down_revision = "0010"
branch_labels = None
depends_on = None

APPEND_ONLY = ("clones_versions", "clones_reveals", "clones_decisions")


def upgrade() -> None:
    _create_clones()
    op.create_table(
        "clones_drafts",
        sa.Column("clone_id", Text, sa.ForeignKey("clones_clones.clone_id"), primary_key=True),
        sa.Column("base_version", Int64),
        sa.Column("revision", Int64, nullable=False),
        sa.Column("sealed", Bytes, nullable=False),
        sa.Column("saved_ms", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "clones_versions",
        sa.Column("version_id", Text, primary_key=True),
        sa.Column("clone_id", Text, sa.ForeignKey("clones_clones.clone_id"), nullable=False),
        sa.Column("number", Int64, nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sa.Column("commitment", Text, nullable=False),
        sa.Column("sealed", Bytes, nullable=False),
        sa.Column("published_ms", Int64, nullable=False),
        sa.UniqueConstraint("clone_id", "number"),
        sqlite_strict=True,
    )
    op.create_table(
        "clones_reveals",
        sa.Column("version_id", Text, sa.ForeignKey("clones_versions.version_id"), primary_key=True),
        sa.Column("revealed_ms", Int64, nullable=False),
        sqlite_strict=True,
    )
    _create_reports()
    if op.get_bind().dialect.name == "postgresql":
        _forbid_changes_on_postgres()
    else:
        _forbid_changes_on_sqlite()


def _create_clones() -> None:
    op.create_table(
        "clones_clones",
        sa.Column("clone_id", Text, primary_key=True),
        sa.Column("user_id", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("name_key", Text, nullable=False, unique=True),
        sa.Column("bio", Text, nullable=False),
        sa.Column("avatar_seed", Int64, nullable=False),
        sa.Column("version", Int64, nullable=False),
        sa.Column("hidden_reason", Text),
        sa.Column("hidden_ms", Int64),
        sa.Column("created_ms", Int64, nullable=False),
        sa.Column("updated_ms", Int64, nullable=False),
        sa.Column("key_id", Text, nullable=False),
        sa.Column("wrapped_key", Bytes, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("clones_clones_user", "clones_clones", ["user_id", "clone_id"])


def _create_reports() -> None:
    op.create_table(
        "clones_reports",
        sa.Column("clone_id", Text, sa.ForeignKey("clones_clones.clone_id"), primary_key=True),
        sa.Column("user_id", Text, primary_key=True),
        sa.Column("reason", Text, nullable=False),
        sa.Column("at_ms", Int64, nullable=False),
        sa.Column("decision_id", Text),
        sqlite_strict=True,
    )
    op.create_index("clones_reports_user", "clones_reports", ["user_id"])
    op.create_table(
        "clones_decisions",
        sa.Column("decision_id", Text, primary_key=True),
        sa.Column("clone_id", Text, sa.ForeignKey("clones_clones.clone_id"), nullable=False),
        sa.Column("action", Text, nullable=False),
        sa.Column("operator", Text, nullable=False),
        sa.Column("reason", Text, nullable=False),
        sa.Column("at_ms", Int64, nullable=False),
        sqlite_strict=True,
    )


def _forbid_changes_on_sqlite() -> None:
    for table in APPEND_ONLY:
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
            )


def _forbid_changes_on_postgres() -> None:
    op.execute(
        "CREATE FUNCTION clones_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION clones_append_only()"
        )


def downgrade() -> None:
    for table in ("decisions", "reports", "reveals", "versions", "drafts", "clones"):
        op.drop_table(f"clones_{table}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION clones_append_only()")
