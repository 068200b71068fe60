"""CloneService.

Owns: clones and their owners, public profiles, private strategies, drafts, immutable strategy versions.
State: `clones_*` tables; strategies in them are sealed.
Must not: run anything, trade, or show a strategy to anybody but its owner and the engines.
"""
