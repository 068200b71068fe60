"""The prop engine's tables. Columns are in the order of the model's fields, so that a row is a struct's arguments.

Only two indexes of the order path have keys in random order, by account: `prop_orders_by_key` and
`prop_journal_by_account`. Every random key costs a page write per order; ids grow with time and only append. For the
same reason a record carries its postings in one column; the view `prop_ledger_entries` shows them as rows. Wide rows
that only append are rowid tables on SQLite (half the page writes of WITHOUT ROWID, measured); narrow rows that are
updated in place are clustered by their key.
"""

import sqlalchemy as sa

from pump_party.db.engine import Bytes, Int64, Text, metadata

APPEND_ONLY = ("prop_orders", "prop_fills", "prop_journal", "prop_equity_marks")
"""Rows of these are never changed nor removed; triggers of the migration enforce it."""


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, Text, nullable=False)


def _int(name: str) -> "sa.Column[int]":
    return sa.Column(name, Int64, nullable=False)


def _partial_index(name: str, column: str, where: str) -> sa.Index:
    """An index of a market's rows by one column, of those alone that `where` names."""
    return sa.Index(name, "market", column, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


accounts = sa.Table(
    "prop_accounts",
    metadata,
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
    _int("held_micros"),
    _int("margin_micros"),
    _int("funding_micros"),
    _int("open_orders"),
    _text("status"),
    _int("insurance_micros"),
    _int("liquidation_fees_micros"),
    sa.Column("order_times", Bytes, nullable=False),
    sa.CheckConstraint("cash_micros >= 0", name="prop_accounts_cash_not_negative"),
    sa.Index("prop_accounts_by_user", "user_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

positions = sa.Table(
    "prop_positions",
    metadata,
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
    _int("held_nanos"),
    sa.Column("consumed", Text),
    sa.CheckConstraint("quantity_nanos >= 0", name="prop_positions_quantity_not_negative"),
    sa.CheckConstraint("cost_micros >= 0", name="prop_positions_cost_not_negative"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

perp_positions = sa.Table(
    "prop_perp_positions",
    metadata,
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
    sa.Index("prop_perp_positions_by_funding", "market", "funded_hour"),
    sa.Index("prop_perp_positions_by_liquidation", "market", "direction", "liquidation_e8"),
    sa.Index("prop_perp_positions_by_breach", "market", "breach_ms"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

orders = sa.Table(
    "prop_orders",
    metadata,
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
    sa.Column("terms", Text),
    sa.CheckConstraint("(reject_code IS NULL) <> (fill_id IS NULL)", name="prop_orders_one_outcome"),
    sa.Index("prop_orders_by_key", "account_id", "idempotency_key", unique=True),
    sqlite_strict=True,
)

fills = sa.Table(
    "prop_fills",
    metadata,
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
    sa.Column("detail", Text),
    sqlite_strict=True,
)

open_orders = sa.Table(
    "prop_open_orders",
    metadata,
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
    sa.Column("terms", Text),
    _text("stage"),
    _int("due_ms"),
    sa.Column("deadline_ms", Int64),
    sa.Column("at_or_below_e8", Int64),
    sa.Column("at_or_above_e8", Int64),
    _text("held_asset"),
    _int("held_amount"),
    sa.Index("prop_open_orders_by_account", "account_id"),
    # Which tick an order waits for: any later one, one at or below a price, one at or above it.
    _partial_index("prop_open_orders_by_time", "due_ms", "at_or_below_e8 IS NULL AND at_or_above_e8 IS NULL"),
    _partial_index("prop_open_orders_by_fall", "at_or_below_e8", "at_or_below_e8 IS NOT NULL"),
    _partial_index("prop_open_orders_by_rise", "at_or_above_e8", "at_or_above_e8 IS NOT NULL"),
    sa.Index("prop_open_orders_by_deadline", "deadline_ms"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

journal = sa.Table(
    "prop_journal",
    metadata,
    sa.Column("record_id", Text, primary_key=True),
    _text("account_id"),
    _int("version"),
    _text("kind"),
    _int("at_ms"),
    sa.Column("order_id", Text),
    sa.Column("sha256", Bytes, nullable=False),
    _text("postings"),
    sa.Column("detail", Text),
    sa.Index("prop_journal_by_account", "account_id", "version", unique=True),
    sqlite_strict=True,
)

equity_marks = sa.Table(
    "prop_equity_marks",
    metadata,
    sa.Column("account_id", Text, primary_key=True),
    sa.Column("at_ms", Int64, primary_key=True),
    _int("cycle"),
    _int("equity_micros"),
    _int("exposed_micros"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

standings = sa.Table(
    "prop_standings",
    metadata,
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
    _int("started_ms"),
    _int("standing_micros"),
    _int("exposed_micros"),
    _int("gross_exposed_micros"),
    _int("day_start_micros"),
    _int("exposure_ppm_ms"),
    _int("signed_exposure_ppm_ms"),
    _int("weighed_ms"),
    _int("day_standing_micros"),
    _int("day_max_drawdown_ppm"),
    _int("day_fills"),
    _text("prices"),
    sa.Index("prop_standings_by_rank", "kind", "standing_micros"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
