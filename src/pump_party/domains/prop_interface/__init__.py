"""Prop Trading Interface.

Owns: the contract by which people, clones and contests use prop accounts, and its compatibility promise.
State: none.
Must not: hold state or logic.
"""
