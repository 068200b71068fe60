"""All product logic, one package per component.

| Package        | Owns                                                                     |
|----------------|--------------------------------------------------------------------------|
| users          | users, linked wallets, challenges, sessions, API keys                     |
| marketdata     | sources and their health, asset registry, admitted ticks, candles, quotes |
| prop_interface | the contract of the engine: accounts, orders, results. No state           |
| prop_engine    | accounts, orders, fills, positions, balances, equity, PnL, ledger         |
| clones         | clones, owners, profiles, private strategies, drafts, versions            |
| contests       | audition rules, eligibility, scores and ranks. No state                   |
| economy        | how a prize pool is divided. No state                                     |

A domain names another only through its `contract.py`, an event or an id.
"""
