"""EconomyService.

Owns: how a prize pool is divided.
State: none.
Must not: decide who won, or touch the virtual money of the exchange.
"""
