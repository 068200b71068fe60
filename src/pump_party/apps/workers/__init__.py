"""Background loops, one file each."""

WORKER_NAMES = (
    "ingest_prices",
    "match_orders",
    "relay_outbox",
    "run_decisions",
    "run_backtests",
    "mark_accounts",
    "prune",
)
