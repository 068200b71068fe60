"""Backtests: a strategy version over recorded data, by the code that decides and fills live.

Owns: backtests, their progress and their results. State: `backtests_*`. Must not: write production accounts, decide by
rules of its own, or price anything itself.
"""
