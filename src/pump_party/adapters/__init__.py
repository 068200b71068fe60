"""The only outbound calls: price sources, tapes, object store, EVM RPC."""
