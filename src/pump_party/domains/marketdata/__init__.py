"""DataIngestionService.

Owns: sources and their health, the asset registry, admitted and refused ticks, candles, the current quote.
State: `marketdata_*` tables; the current quote in the cache.
Must not: decide trades.
"""
