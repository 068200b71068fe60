"""What travels on the wire, one file per domain: decimal strings, no extra fields."""
