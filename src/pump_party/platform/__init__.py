"""Runtime primitives without product rules: clock, ids, outbox, jobs, group commit, limits, bus, logs, metrics."""
