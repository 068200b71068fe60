"""The `pump-party` command."""
