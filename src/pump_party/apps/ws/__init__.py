"""The WebSocket gateway: fans out prices and account events, takes orders, nothing else."""
