"""Token buckets shared by all processes: one atomic script, the arithmetic of `platform.limits.take`."""

import redis

from pump_party.platform.clock import Clock
from pump_party.platform.limits import Limit
from pump_party.redis import keys
from pump_party.redis.client import open_async_client
from pump_party.redis.memory import MemoryLimits

RETRY_AFTER_MS = 1_000
"""While Redis is away it is asked again this often; in between, the buckets of this process decide at once."""

TAKE = """
local full = ARGV[2] * 1000
local now, per_minute = tonumber(ARGV[1]), tonumber(ARGV[3])
local stored = redis.call('HMGET', KEYS[1], 'milli_tokens', 'at_ms')
local tokens, at = tonumber(stored[1]) or full, tonumber(stored[2]) or now
tokens = math.min(full, tokens + math.floor(math.max(0, now - at) * per_minute / 60))
if tokens < 1000 then
  return math.ceil((1000 - tokens) * 60 / per_minute)
end
redis.call('HSET', KEYS[1], 'milli_tokens', tokens - 1000, 'at_ms', math.max(now, at))
redis.call('PEXPIRE', KEYS[1], math.ceil((full - tokens + 1000) * 60 / per_minute) + 1000)
return 0
"""


class RedisLimits:
    """Implements `platform.limits.Limits`. Use from one event loop."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._redis = open_async_client(url)
        self._take = self._redis.register_script(TAKE)
        self._clock = clock
        self._local = MemoryLimits(clock)
        self._away_until_ms = 0

    async def take(self, limit: Limit, subject: str) -> int:
        now_ms = self._clock.now_ms()
        if now_ms < self._away_until_ms:
            return await self._local.take(limit, subject)
        try:
            key = keys.limit(limit.name, subject)
            return int(await self._take(keys=[key], args=[now_ms, limit.burst, limit.per_minute]))
        except (redis.RedisError, OSError):
            self._away_until_ms = now_ms + RETRY_AFTER_MS
            return await self._local.take(limit, subject)

    async def close(self) -> None:
        await self._redis.aclose()
