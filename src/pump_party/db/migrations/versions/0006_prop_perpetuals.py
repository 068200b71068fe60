"""Perpetual positions, what insurance did in an account's book, and depth taken of order books."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Int64, Text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ACCOUNT_COLUMNS = ("insurance_micros", "liquidation_fees_micros")


def _int(name: str) -> "sa.Column[int]":
    return sa.Column(name, Int64, nullable=False)


def upgrade() -> None:
    for name in ACCOUNT_COLUMNS:
        op.add_column("prop_accounts", sa.Column(name, Int64, nullable=False, server_default="0"))
    op.add_column("prop_positions", sa.Column("consumed", Text))
    op.create_table(
        "prop_perp_positions",
        sa.Column("account_id", Text, sa.ForeignKey("prop_accounts.account_id"), primary_key=True),
        sa.Column("market", Text, primary_key=True),
        _int("direction"),
        _int("quantity_nanos"),
        _int("entry_cost_micros"),
        _int("margin_micros"),
        _int("leverage"),
        _int("realised_pnl_micros"),
        _int("fees_micros"),
        _int("funding_micros"),
        _int("buy_pressure_micros"),
        _int("buy_pressure_ms"),
        _int("sell_pressure_micros"),
        _int("sell_pressure_ms"),
        _int("breach_ms"),
        sa.Column("partial_ms", Int64),
        _int("funded_hour"),
        sa.Column("liquidation_e8", Int64),
        sa.Column("consumed", Text),
        sa.CheckConstraint("margin_micros >= 0", name="prop_perp_positions_margin_not_negative"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("prop_perp_positions_by_funding", "prop_perp_positions", ["market", "funded_hour"])
    op.create_index(
        "prop_perp_positions_by_liquidation", "prop_perp_positions", ["market", "direction", "liquidation_e8"]
    )
    op.create_index("prop_perp_positions_by_breach", "prop_perp_positions", ["market", "breach_ms"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE prop_perp_positions SET (fillfactor = 50)")


def downgrade() -> None:
    op.drop_table("prop_perp_positions")
    op.drop_column("prop_positions", "consumed")
    for name in ACCOUNT_COLUMNS:
        op.drop_column("prop_accounts", name)
