"""Leases on names, for workers of which one at a time should be active."""

from typing import Protocol


class Locks(Protocol):
    """A lease is a hint that saves double work, never the guard of a fact: the database guards facts."""

    async def hold(self, name: str, holder: str, *, lease_ms: int) -> bool:
        """Take the lease, or renew it when `holder` has it. False while another holds it.

        Raises Unavailable when the shared state is away.
        """
        ...

    async def release(self, name: str, holder: str) -> None: ...
