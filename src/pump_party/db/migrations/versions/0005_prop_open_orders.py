"""Orders that wait: what accounts and positions hold for them, their terms, and the open orders themselves."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes, Int64, Text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ADDED = {
    "prop_accounts": ("held_micros", "margin_micros", "funding_micros", "open_orders"),
    "prop_positions": ("held_nanos",),
}
ADDED_TEXT = {"prop_orders": "terms", "prop_fills": "detail", "prop_journal": "detail"}
PARTIAL_INDEXES = (
    ("prop_open_orders_by_time", "due_ms", "at_or_below_e8 IS NULL AND at_or_above_e8 IS NULL"),
    ("prop_open_orders_by_fall", "at_or_below_e8", "at_or_below_e8 IS NOT NULL"),
    ("prop_open_orders_by_rise", "at_or_above_e8", "at_or_above_e8 IS NOT NULL"),
)


def upgrade() -> None:
    for table, names in ADDED.items():
        for name in names:
            op.add_column(table, sa.Column(name, Int64, nullable=False, server_default="0"))
    op.add_column("prop_accounts", sa.Column("status", Text, nullable=False, server_default="active"))
    for table, name in ADDED_TEXT.items():
        op.add_column(table, sa.Column(name, Text))
    op.create_table(
        "prop_open_orders",
        sa.Column("order_id", Text, primary_key=True),
        sa.Column("account_id", Text, nullable=False),
        sa.Column("idempotency_key", Text, nullable=False),
        sa.Column("request_sha256", Bytes, nullable=False),
        sa.Column("client_order_id", Text),
        sa.Column("market", Text, nullable=False),
        sa.Column("side", Text, nullable=False),
        sa.Column("quantity_nanos", Int64),
        sa.Column("quote_micros", Int64),
        sa.Column("max_slippage_ppm", Int64),
        sa.Column("created_ms", Int64, nullable=False),
        sa.Column("terms", Text),
        sa.Column("stage", Text, nullable=False),
        sa.Column("due_ms", Int64, nullable=False),
        sa.Column("deadline_ms", Int64),
        sa.Column("at_or_below_e8", Int64),
        sa.Column("at_or_above_e8", Int64),
        sa.Column("held_asset", Text, nullable=False),
        sa.Column("held_amount", Int64, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("prop_open_orders_by_account", "prop_open_orders", ["account_id"])
    for name, column, where in PARTIAL_INDEXES:
        only = sa.text(where)
        op.create_index(name, "prop_open_orders", ["market", column], sqlite_where=only, postgresql_where=only)
    op.create_index("prop_open_orders_by_deadline", "prop_open_orders", ["deadline_ms"])


def downgrade() -> None:
    op.drop_table("prop_open_orders")
    for table, name in ADDED_TEXT.items():
        op.drop_column(table, name)
    op.drop_column("prop_accounts", "status")
    for table, names in ADDED.items():
        for name in names:
            op.drop_column(table, name)
