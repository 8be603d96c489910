"""The exceptions of a cache that cannot be reached, whichever backend it has."""

from __future__ import annotations


def cache_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions, for an `except` clause.

    It is evaluated only after something was raised, so that a process without Redis never imports
    its client, which takes 6 MB.
    """
    from redis.exceptions import RedisError

    return RedisError, OSError
