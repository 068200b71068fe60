"""AITradingEngine.

Owns: deployments of clones, decision runs, contexts, model calls, proposals, verdicts, and what thinking costs.
State: `aitrading_*` tables; contexts, prompts and answers in the object store.
Must not: own a strategy or an account, or trade past its gates.
"""
