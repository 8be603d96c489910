"""A cursor for the few statements that a send-out runs all the time.

On PostgreSQL they are parsed and planned once per connection, where Django's own cursors put the
values into the text and have it planned each time: for a small statement that takes longer than
running it. The pool in between, if there is one, must keep a session (PgBouncer: pool_mode
session), as it must for the durability that settings ask for.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections
from django.db.backends.utils import CursorWrapper


def cursor() -> CursorWrapper:
    """As `connection.cursor()`; errors and execute wrappers are Django's."""
    # What `django.db.connection` stands for; it is looked up at each use of that.
    connection = connections["default"]
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw: Any = psycopg.Cursor(connection.connection)
    # Octets arrive as they are, not in hexadecimal digits.
    raw.format = psycopg.pq.Format.BINARY
    logged = connection.queries_logged
    return connection.make_debug_cursor(raw) if logged else connection.make_cursor(raw)
