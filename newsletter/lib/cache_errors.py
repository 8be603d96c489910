"""What a cache that cannot be reached raises, whichever it is."""

from __future__ import annotations


def cache_errors() -> tuple[type[Exception], ...]:
    """For an `except`, which asks only once something was raised: Redis's client takes 6 MB, and
    a process that has no Redis needs none of it."""
    from redis.exceptions import RedisError

    return RedisError, OSError
