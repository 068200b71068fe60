"""Prop accounts: orders, fills, ledger, positions, marks. History is append only, enforced by triggers."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes, Int64, Text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("prop_orders", "prop_fills", "prop_journal", "prop_equity_marks")


ENTRIES_ON_SQLITE = """
CREATE VIEW prop_ledger_entries AS
SELECT j.account_id, j.version, p.key AS leg, json_extract(p.value, '$[0]') AS ledger_account,
       json_extract(p.value, '$[1]') AS asset, CAST(json_extract(p.value, '$[2]') AS INTEGER) AS amount,
       CAST(json_extract(p.value, '$[3]') AS INTEGER) AS balance_after
FROM prop_journal j, json_each(j.postings) p
"""

ENTRIES_ON_POSTGRES = """
CREATE VIEW prop_ledger_entries AS
SELECT j.account_id, j.version, p.leg - 1 AS leg, p.value ->> 0 AS ledger_account, p.value ->> 1 AS asset,
       (p.value ->> 2)::bigint AS amount, (p.value ->> 3)::bigint AS balance_after
FROM prop_journal j CROSS JOIN LATERAL jsonb_array_elements(j.postings::jsonb) WITH ORDINALITY AS p (value, leg)
"""


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, Text, nullable=False)


def _int(name: str) -> "sa.Column[int]":
    return sa.Column(name, Int64, nullable=False)


def upgrade() -> None:
    _create_accounts()
    _create_orders()
    _create_ledger()
    _create_results()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(ENTRIES_ON_POSTGRES)
        _forbid_changes_on_postgres()
    else:
        op.execute(ENTRIES_ON_SQLITE)
        _forbid_changes_on_sqlite()


def _create_accounts() -> None:
    op.create_table(
        "prop_accounts",
        sa.Column("account_id", Text, primary_key=True),
        _text("user_id"),
        _text("kind"),
        _text("rule_set"),
        _text("params_sha256"),
        _int("contest_eligible"),
        _int("opened_ms"),
        _int("cycle"),
        _int("version"),
        _int("seq"),
        sa.Column("head", Bytes, nullable=False),
        _int("start_micros"),
        _int("cash_micros"),
        _int("realised_pnl_micros"),
        _int("fees_micros"),
        _int("fills"),
        sa.CheckConstraint("cash_micros >= 0", name="prop_accounts_cash_not_negative"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("prop_accounts_by_user", "prop_accounts", ["user_id"])
    op.create_table(
        "prop_positions",
        sa.Column("account_id", Text, sa.ForeignKey("prop_accounts.account_id"), primary_key=True),
        sa.Column("market", Text, primary_key=True),
        _int("quantity_nanos"),
        _int("cost_micros"),
        _int("realised_pnl_micros"),
        _int("fees_micros"),
        _int("buy_pressure_micros"),
        _int("buy_pressure_ms"),
        _int("sell_pressure_micros"),
        _int("sell_pressure_ms"),
        sa.CheckConstraint("quantity_nanos >= 0", name="prop_positions_quantity_not_negative"),
        sa.CheckConstraint("cost_micros >= 0", name="prop_positions_cost_not_negative"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _create_orders() -> None:
    op.create_table(
        "prop_orders",
        sa.Column("order_id", Text, primary_key=True),
        _text("account_id"),
        _text("idempotency_key"),
        sa.Column("request_sha256", Bytes, nullable=False),
        sa.Column("client_order_id", Text),
        _text("market"),
        _text("side"),
        sa.Column("quantity_nanos", Int64),
        sa.Column("quote_micros", Int64),
        sa.Column("max_slippage_ppm", Int64),
        _int("created_ms"),
        sa.Column("reject_code", Text),
        sa.Column("fill_id", Text),
        sa.CheckConstraint("(reject_code IS NULL) <> (fill_id IS NULL)", name="prop_orders_one_outcome"),
        sqlite_strict=True,
    )
    op.create_index("prop_orders_by_key", "prop_orders", ["account_id", "idempotency_key"], unique=True)
    op.create_table(
        "prop_fills",
        sa.Column("fill_id", Text, primary_key=True),
        _text("order_id"),
        _text("account_id"),
        _int("version"),
        _text("market"),
        _int("cycle"),
        _text("side"),
        _int("price_e8"),
        _int("quantity_nanos"),
        _int("gross_micros"),
        _int("fee_micros"),
        _int("half_spread_e8"),
        _int("impact_e8"),
        _int("realised_pnl_micros"),
        _int("filled_ms"),
        _text("source"),
        _text("feed"),
        _int("publish_ms"),
        _int("recv_ms"),
        _int("slot"),
        _int("mid_e8"),
        _int("conf_e8"),
        _text("tick_sha256"),
        sa.Column("tape_ms", Int64),
        sqlite_strict=True,
    )


def _create_ledger() -> None:
    op.create_table(
        "prop_journal",
        sa.Column("record_id", Text, primary_key=True),
        _text("account_id"),
        _int("version"),
        _text("kind"),
        _int("at_ms"),
        sa.Column("order_id", Text),
        sa.Column("sha256", Bytes, nullable=False),
        _text("postings"),
        sqlite_strict=True,
    )
    op.create_index("prop_journal_by_account", "prop_journal", ["account_id", "version"], unique=True)


def _create_results() -> None:
    op.create_table(
        "prop_equity_marks",
        sa.Column("account_id", Text, primary_key=True),
        sa.Column("at_ms", Int64, primary_key=True),
        _int("cycle"),
        _int("equity_micros"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "prop_standings",
        sa.Column("account_id", Text, primary_key=True),
        _text("user_id"),
        _text("kind"),
        _int("cycle"),
        _int("version"),
        _int("start_micros"),
        _int("equity_micros"),
        _int("peak_micros"),
        _int("max_drawdown_ppm"),
        _int("fills"),
        _int("marks"),
        _int("as_of_ms"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("prop_standings_by_equity", "prop_standings", ["kind", "equity_micros"])


def _forbid_changes_on_sqlite() -> None:
    for table in APPEND_ONLY:
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
            )


def _forbid_changes_on_postgres() -> None:
    op.execute(
        "CREATE FUNCTION prop_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION prop_append_only()"
        )
    # Half-empty pages keep updates of hot rows on their page (HOT), away from the indexes.
    op.execute("ALTER TABLE prop_accounts SET (fillfactor = 50)")
    op.execute("ALTER TABLE prop_positions SET (fillfactor = 50)")


def downgrade() -> None:
    op.execute("DROP VIEW prop_ledger_entries")
    for table in (
        "prop_standings",
        "prop_equity_marks",
        "prop_journal",
        "prop_fills",
        "prop_orders",
        "prop_positions",
        "prop_accounts",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION prop_append_only")
