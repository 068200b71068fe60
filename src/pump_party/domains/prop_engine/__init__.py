"""PropTradingEngine.

Owns: prop accounts, orders, fills, positions, balances, equity, PnL, the ledger and results.
State: `prop_*` tables.
Must not: know who decided to trade.
"""
