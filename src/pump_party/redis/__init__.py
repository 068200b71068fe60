"""The only Redis: cache, bus, limits, tickets. Holds nothing that may not be lost.

`memory.py` is the twin in one process.
"""
