"""Users, linked wallets, challenges, sessions and API keys."""

import sqlalchemy as sa
from alembic import op

from pump_party.db.engine import Bytes, Int64, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users_users",
        sa.Column("user_id", Text, primary_key=True),
        sa.Column("created_at_ms", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "users_wallets",
        sa.Column("wallet_id", Text, primary_key=True),
        sa.Column("user_id", Text, sa.ForeignKey("users_users.user_id"), nullable=False),
        sa.Column("identity", Text, nullable=False, unique=True),
        sa.Column("chain", Text, nullable=False),
        sa.Column("address", Text, nullable=False),
        sa.Column("linked_at_ms", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("users_wallets_user", "users_wallets", ["user_id"])
    op.create_table(
        "users_challenges",
        sa.Column("challenge_id", Text, primary_key=True),
        sa.Column("purpose", Text, nullable=False),
        sa.Column("user_id", Text),
        sa.Column("chain", Text, nullable=False),
        sa.Column("address", Text, nullable=False),
        sa.Column("message", Text, nullable=False),
        sa.Column("issued_at_ms", Int64, nullable=False),
        sa.Column("expires_at_ms", Int64, nullable=False),
        sa.Column("used_at_ms", Int64),
        sqlite_strict=True,
    )
    op.create_index("users_challenges_address", "users_challenges", ["address", "issued_at_ms"])
    op.create_index("users_challenges_expiry", "users_challenges", ["expires_at_ms"])
    _create_credentials()


def _create_credentials() -> None:
    op.create_table(
        "users_sessions",
        sa.Column("session_id", Text, primary_key=True),
        sa.Column("user_id", Text, sa.ForeignKey("users_users.user_id"), nullable=False),
        sa.Column("wallet_id", Text, sa.ForeignKey("users_wallets.wallet_id"), nullable=False),
        sa.Column("token_sha256", Bytes, nullable=False, unique=True),
        sa.Column("user_agent", Text, nullable=False),
        sa.Column("created_at_ms", Int64, nullable=False),
        sa.Column("last_seen_ms", Int64, nullable=False),
        sa.Column("expires_at_ms", Int64, nullable=False),
        sa.Column("ends_at_ms", Int64, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("users_sessions_user", "users_sessions", ["user_id", "created_at_ms"])
    op.create_index("users_sessions_expiry", "users_sessions", ["expires_at_ms"])
    op.create_table(
        "users_api_keys",
        sa.Column("api_key_id", Text, primary_key=True),
        sa.Column("user_id", Text, sa.ForeignKey("users_users.user_id"), nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("scopes", Text, nullable=False),
        sa.Column("prefix", Text, nullable=False),
        sa.Column("key_sha256", Bytes, nullable=False, unique=True),
        sa.Column("created_at_ms", Int64, nullable=False),
        sa.Column("last_used_ms", Int64),
        sqlite_strict=True,
    )
    op.create_index("users_api_keys_user", "users_api_keys", ["user_id"])


def downgrade() -> None:
    for table in ("users_api_keys", "users_sessions", "users_challenges", "users_wallets", "users_users"):
        op.drop_table(table)
