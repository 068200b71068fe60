"""The performance budgets, one file each, measured beside a well-known peer on the same machine in the same run.

Run `.venv/bin/python -m benchmarks`, or `make bench`. What each figure means and what limits it is told in
docs/benchmarks.md.
"""
