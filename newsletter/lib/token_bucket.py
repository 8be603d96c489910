"""Token buckets that processes share through Redis or Valkey, and a private one without the server.

A bucket fills at its rate, up to its capacity. It starts *empty*: a server that lost its data must
not allow in a moment what it has allowed just before. Time is the server's (E8). All buckets of a
call are taken from together, or none is.

While the server can't be reached, each process takes its share: the rate divided by the number of
processes that used the buckets in the last minutes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from newsletter.lib import outages

if TYPE_CHECKING:
    import redis

RETRY_SECONDS = 2.0
"""How long to do without a server that failed: asking it may take as long as a timeout."""
_ROUNDING = 1e-6


class Bucket(NamedTuple):
    """`key` is its name among the buckets of one owner; `rate` is in tokens a second.

    `reserve` tokens are left for others who take with less or no reserve. `full` says that it
    starts full instead of empty.
    """

    key: str
    rate: float
    capacity: float
    reserve: float = 0.0
    full: bool = False


class Grant(NamedTuple):
    """How many tokens were taken; if none, the seconds until the minimum could be there."""

    tokens: int
    wait: float = 0.0


class Learned(NamedTuple):
    """A rate that one process learned for all: `pause` is how many seconds to start nothing."""

    limit: float
    ceiling: float
    pause: float


class Buckets(Protocol):
    """The buckets of one owner, such as a transport."""

    def take(self, buckets: Sequence[Bucket], wanted: int, *, minimum: int = 1) -> Grant:
        """Take up to `wanted` tokens from each bucket, and at least `minimum`, or none."""
        ...

    def learn(self, learned: Learned) -> None:
        """Tell the other processes what was learned."""
        ...

    def news(self, *, ask: bool = False) -> Learned | None:
        """Return what another process learned since the last call, or None.

        It is known from `take`, so without one, `ask` for it.
        """
        ...


class PrivateBuckets:
    """Buckets of this process only."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def take(
        self, buckets: Sequence[Bucket], wanted: int, *, minimum: int = 1, share: float = 1.0
    ) -> Grant:
        """Take tokens; `share` is this process's part of the rates."""
        now = self._clock()
        levels = [self._level(bucket, now, share) for bucket in buckets]
        free = [
            int(level - bucket.reserve + _ROUNDING)
            for level, bucket in zip(levels, buckets, strict=True)
        ]
        tokens = min([wanted, *free])
        wait = 0.0
        if tokens < minimum:
            tokens = 0
            wait = max(
                (minimum + bucket.reserve - level) / (bucket.rate * share)
                for level, bucket in zip(levels, buckets, strict=True)
            )
        for level, bucket in zip(levels, buckets, strict=True):
            self._levels[bucket.key] = (level - tokens, now)
        return Grant(tokens, wait)

    def learn(self, learned: Learned) -> None:
        """Do nothing: there is nobody else."""

    def news(self, *, ask: bool = False) -> Learned | None:  # noqa: ARG002 - as in Buckets
        """Return None: there is nobody else."""
        return None

    def clear(self) -> None:
        """Start again with empty buckets."""
        self._levels.clear()

    def _level(self, bucket: Bucket, now: float, share: float) -> float:
        level, at = self._levels.get(bucket.key, (bucket.capacity if bucket.full else 0.0, now))
        return min(bucket.capacity, level + (now - at) * bucket.rate * share)


_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local wanted, minimum = tonumber(ARGV[1]), tonumber(ARGV[2])
local seen, process, lifetime = KEYS[1], ARGV[3], tonumber(ARGV[4])
if wanted > 0 then
  redis.call('ZADD', seen, now, process)
  redis.call('EXPIRE', seen, lifetime * 2)
end
redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - lifetime)
local tokens, wait, levels = wanted, 0, {}
for i = 3, #KEYS do
  local first = 5 + (i - 3) * 4
  local rate, capacity = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local reserve = tonumber(ARGV[first + 2])
  local stored = redis.call('HMGET', KEYS[i], 'level', 'at')
  local level = ARGV[first + 3] == '1' and capacity or 0
  if stored[1] then
    level = math.min(capacity, stored[1] + math.max(0, now - stored[2]) * rate)
  end
  levels[i] = level
  tokens = math.min(tokens, math.floor(level - reserve + 0.000001))
  wait = math.max(wait, (minimum + reserve - level) / rate)
end
if tokens < minimum then tokens = 0 end
for i = 3, #KEYS do
  redis.call('HSET', KEYS[i], 'level', string.format('%.9f', levels[i] - tokens),
    'at', string.format('%.6f', now))
  redis.call('EXPIRE', KEYS[i], 86400)
end
local learned = redis.call('HMGET', KEYS[2], 'version', 'limit', 'ceiling', 'resume')
local pause = learned[4] and math.max(0, learned[4] - now) or 0
return {tokens, string.format('%.6f', wait), redis.call('ZCARD', seen),
  learned[1] or '', learned[2] or '0', learned[3] or '0', string.format('%.6f', pause)}
"""
_LEARN = """
local time = redis.call('TIME')
local resume = time[1] + time[2] / 1000000 + ARGV[3]
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'limit', ARGV[1], 'ceiling', ARGV[2],
  'resume', string.format('%.6f', resume))
redis.call('EXPIRE', KEYS[1], 86400)
return version
"""
_SEEN_SECONDS = 120


SERVER_TIMEOUT = 0.5
"""Seconds. Sending waits for the server for so long, and then goes on with its share."""


def connect(url: str) -> redis.Redis:
    """Return a client that gives up soon. The URL is a broker's, as Celery writes it."""
    # Loaded on first use: it takes time and memory, and most processes don't need it.
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url.replace("redis+socket://", "unix://", 1),
        socket_timeout=SERVER_TIMEOUT,
        socket_connect_timeout=SERVER_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


class SharedBuckets:
    """The buckets that all processes with the same `owner` share on one server.

    `connect` returns a client; it is called again after a failure or a fork. `processes` is how
    many processes share the rates while the server can't be reached: the most that were seen.
    """

    def __init__(
        self,
        connect: Callable[[], redis.Redis],
        owner: str,
        *,
        processes: int = 1,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._connect = connect
        self._prefix = f"tydzen:pace:{hashlib.sha256(owner.encode()).hexdigest()[:24]}:"
        self._clock = clock
        self.processes = processes
        self._private = PrivateBuckets(clock)
        self._pid = 0
        self._client: redis.Redis | None = None
        self._process = ""
        self._without_server_until = 0.0
        self._version = ""
        self._news: Learned | None = None

    def take(self, buckets: Sequence[Bucket], wanted: int, *, minimum: int = 1) -> Grant:
        keys = [self._prefix + key for key in ("processes", "learned", *(b.key for b in buckets))]
        arguments: list[object] = [wanted, minimum, self._own_name(), _SEEN_SECONDS]
        for bucket in buckets:
            arguments += [bucket.rate, bucket.capacity, bucket.reserve, int(bucket.full)]
        reply = self._run(_TAKE, keys, arguments)
        if reply is None:
            return self._private.take(buckets, wanted, minimum=minimum, share=1 / self.processes)
        # Whatever the private buckets hold was allowed by the server since.
        self._private.clear()
        tokens, wait, processes, version, limit, ceiling, pause = reply
        # The most that were ever seen: those that are idle now may start during an outage.
        self.processes = max(self.processes, int(processes))
        if version.decode() != self._version:
            self._version = version.decode()
            self._news = Learned(float(limit), float(ceiling), float(pause))
        return Grant(int(tokens), float(wait))

    def learn(self, learned: Learned) -> None:
        version = self._run(_LEARN, [self._prefix + "learned"], list(learned))
        if version is not None:
            self._version = str(version)

    def news(self, *, ask: bool = False) -> Learned | None:
        if ask:
            self.take((), 0, minimum=0)
        news, self._news = self._news, None
        return news

    def _own_name(self) -> str:
        if self._pid != os.getpid():
            self._pid, self._client = os.getpid(), None
            self._process = f"{self._pid}-{secrets.token_hex(6)}"
        return self._process

    def _run(self, script: str, keys: list[str], arguments: Sequence[object]) -> Any:
        """Return the script's reply, or None if the server can't be reached."""
        self._own_name()
        if self._clock() < self._without_server_until:
            return None
        import redis

        try:
            if self._client is None:
                self._client = self._connect()
            return self._client.eval(script, len(keys), *keys, *map(str, arguments))
        except (redis.RedisError, OSError) as error:
            self._client = None
            self._without_server_until = self._clock() + RETRY_SECONDS
            outages.monitor.report_failure("broker", type(error).__name__)
            return None
