"""Plays the engine against a hostile world that repeats: the same seed, the same history, the same final hash."""
