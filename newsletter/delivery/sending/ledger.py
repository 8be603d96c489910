"""Write ledger rows many at a time, in SQL that PostgreSQL and SQLite share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Q

from newsletter.delivery.models import Outcome
from newsletter.delivery.sending.batches import OutcomeRow, ReplyCodes
from newsletter.lib import prepared_statements
from newsletter.transport.outcomes import Result

_READERS = {
    "postgresql": "(SELECT unnest(%s::bigint[]) AS reader)",
    "sqlite": "(SELECT value AS reader FROM json_each(%s))",
}
"""A table of readers from one parameter, an `_array_literal`."""


def add_recipients(release_id: int, mailing_id: int, readers: Sequence[int]) -> list[int]:
    """Add readers to a release; return those who weren't in it yet, in the given order.

    The primary key decides, so two mailings of one release never get the same reader.
    """
    # Without "WHERE true", SQLite reads ON as the start of a join.
    return _changed(
        readers,
        f"""INSERT INTO delivery_releaserecipient (release_id, mailing_id, subscriber_id)
        SELECT %s, %s, reader FROM {_READERS[connection.vendor]} AS readers WHERE true
        ON CONFLICT (release_id, subscriber_id) DO NOTHING RETURNING subscriber_id""",  # noqa: S608 - built from constants
        [release_id, mailing_id, _array_literal(readers)],
    )


def move_recipients(
    release_id: int, mailing_id: int, readers: Sequence[int], *, after: frozenset[Result]
) -> list[int]:
    """Move readers whose last outcome is in `after` to this mailing; return them, in order."""
    marks = ", ".join(["%s"] * len(after))
    return _changed(
        readers,
        f"""UPDATE delivery_releaserecipient SET mailing_id = %s
        WHERE release_id = %s AND mailing_id <> %s
        AND subscriber_id IN {_READERS[connection.vendor]}
        AND EXISTS (SELECT 1 FROM delivery_outcome o
            WHERE o.mailing_id = delivery_releaserecipient.mailing_id
            AND o.subscriber_id = delivery_releaserecipient.subscriber_id
            AND o.result IN ({marks}))
        RETURNING subscriber_id""",  # noqa: S608 - built from constants
        [mailing_id, release_id, mailing_id, _array_literal(readers), *map(int, after)],
    )


def _changed(readers: Sequence[int], sql: str, parameters: list[int | str]) -> list[int]:
    """Return those readers for whom the statement returned a row, in the given order."""
    if not readers:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        changed = {row[0] for row in cursor.fetchall()}
    return [reader for reader in readers if reader in changed]


def settle_unknown(which: Q, result: Result, *, source: Outcome.Source) -> int:
    """Replace those outcomes that are unknown by `result`: the only change that one allows.

    Returns how many rows changed; an event that arrives twice or too late changes none. Raises
    ValueError if `result` isn't SENT, FAILED or REFUSED.
    """
    if result not in {Result.SENT, Result.FAILED, Result.REFUSED}:
        raise ValueError(f"unknown cannot become {result.name}")
    unknown = Outcome.objects.filter(which, result=Result.UNKNOWN)
    return unknown.update(result=result, source=source)


def insert_outcomes(
    mailing_id: int, outcomes: Iterable[OutcomeRow], *, source: Outcome.Source, batch_id: int | None
) -> None:
    """Insert the outcomes. Raises IntegrityError, a bug, if a reader of this mailing has one."""
    groups: dict[tuple[int, ReplyCodes], list[int]] = {}
    for reader, result, reply in outcomes:
        # As an int: an enum's hash is computed in Python, which is slow.
        groups.setdefault((int(result), reply), []).append(reader)
    with prepared_statements.cursor() as cursor:
        # One statement per distinct outcome: nearly all readers have the same.
        for (number, reply), readers in groups.items():
            cursor.execute(
                f"""INSERT INTO delivery_outcome
                (mailing_id, result, code, status, fault, source, batch_id, subscriber_id)
                SELECT %s, %s, CAST(%s AS smallint), %s, %s, %s, CAST(%s AS bigint), reader
                FROM {_READERS[connection.vendor]} AS readers""",  # noqa: S608 - built from constants
                [mailing_id, number, *reply, source.value, batch_id, _array_literal(readers)],
            )


def _array_literal(ids: Sequence[int]) -> str:
    text = ",".join(map(str, ids))
    return f"[{text}]" if connection.vendor == "sqlite" else f"{{{text}}}"
