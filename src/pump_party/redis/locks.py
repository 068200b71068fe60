"""Leases in Redis; Redis' own clock ends them."""

from pump_party.redis import keys
from pump_party.redis.client import open_async_client, unavailable_when_away

HOLD = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
"""


class RedisLocks:
    """Implements `platform.locks.Locks`. Use from one event loop."""

    def __init__(self, url: str) -> None:
        self._redis = open_async_client(url)
        self._hold = self._redis.register_script(HOLD)
        self._release = self._redis.register_script(RELEASE)

    async def hold(self, name: str, holder: str, *, lease_ms: int) -> bool:
        with unavailable_when_away():
            return bool(await self._hold(keys=[keys.lock(name)], args=[holder, lease_ms]))

    async def release(self, name: str, holder: str) -> None:
        with unavailable_when_away():
            await self._release(keys=[keys.lock(name)], args=[holder])

    async def close(self) -> None:
        await self._redis.aclose()
