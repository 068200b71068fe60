"""The only SQL. `engine.py` opens SQLite or Postgres; one file per domain holds its tables, then its store."""
