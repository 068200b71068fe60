"""Routes, one file per domain."""
