"""UserService and Auth.

Owns: users (created lazily), linked wallets, challenges, server-side sessions, API keys, ownership.
State: `users_*` tables.
Must not: know balances. A wallet is an identity input, never a key of another table.
"""
