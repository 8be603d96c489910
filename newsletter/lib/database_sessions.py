"""Find out whether the database gives each of our connections a separate session.

A pool such as PgBouncer in transaction mode gives a connection another session for each
transaction. Then prepared statements, cursors for long lists and the durability setting of a
session are lost between two transactions, or belong to somebody else.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections

ATTEMPTS = 3
CONNECT_SECONDS = 3
UNSUPPORTED = "unsupported startup parameter"


class StartupParameterError(Exception):
    """A pool refuses a parameter of our connections."""


def connect() -> psycopg.Connection[Any]:
    """Return a new connection with our settings.

    Raises StartupParameterError if a pool refuses them, and OperationalError if it can't connect.
    """
    parameters = connections["default"].get_connection_params()
    try:
        return psycopg.connect(
            **{**parameters, "connect_timeout": CONNECT_SECONDS}, autocommit=True
        )
    except psycopg.OperationalError as error:
        if UNSUPPORTED in str(error):
            raise StartupParameterError from None
        raise


def are_shared() -> bool:
    """Return whether a connection's session is given to another one between two transactions.

    PgBouncer gives out the session that was used last. In a busy pool another client may get it
    first, so this tries a few times.
    """
    return any(_is_shared_now() for _ in range(ATTEMPTS))


def _is_shared_now() -> bool:
    with connect() as first, connect() as second:
        first_session = _session(first)
        with second.transaction():
            return _session(second) == first_session


def _session(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None  # noqa: S101
    return int(row[0])


def commits_are_durable() -> bool:
    """Return whether a commit is on the server's disk when it returns."""
    with connect() as connection:
        row = connection.execute("SHOW synchronous_commit").fetchone()
    assert row is not None  # noqa: S101
    return bool(row[0] != "off")
