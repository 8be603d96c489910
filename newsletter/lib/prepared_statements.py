"""A cursor that prepares statements, for the few that a mailing runs all the time.

PostgreSQL then parses and plans them once per connection. Django's own cursors insert the values
into the SQL, so it is planned each time, which takes longer than running a small statement. A
connection pool must keep sessions (PgBouncer: pool_mode session); the durability setting needs
that too.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections
from django.db.backends.utils import CursorWrapper


def cursor() -> CursorWrapper:
    """Return a cursor like `connection.cursor()`, with Django's errors and execute wrappers."""
    # `django.db.connection` is a proxy that looks this up at every use.
    connection = connections["default"]
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw: Any = psycopg.Cursor(connection.connection)
    # Receive bytea as raw octets, not in hexadecimal.
    raw.format = psycopg.pq.Format.BINARY
    logged = connection.queries_logged
    return connection.make_debug_cursor(raw) if logged else connection.make_cursor(raw)
