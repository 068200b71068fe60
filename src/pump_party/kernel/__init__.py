"""The words everyone shares: money, ids, errors, events. Pure and tiny."""
