"""Pump Party: a trading arena on a realistic paper exchange."""

__version__ = "0.1.0"
