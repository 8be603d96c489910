"""Rows of the account, written many at a time. One name, two databases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from newsletter.delivery.models import Outcome
from newsletter.delivery.sending.settlement import OutcomeRow, ReplyCodes
from newsletter.lib import prepared_statements
from newsletter.transport.outcomes import Result


def add_recipients(release_id: int, mailing_id: int, readers: Sequence[int]) -> list[int]:
    """Take readers into a release; returns those that were not in it yet, in the given order.

    The primary key decides, so two mailings of one release never take the same reader.
    """
    if not readers:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD_RECIPIENTS[connection.vendor], [release_id, mailing_id, _array_literal(readers)]
        )
        taken = {row[0] for row in cursor.fetchall()}
    return [reader for reader in readers if reader in taken]


_ADD_RECIPIENTS = {
    "postgresql": """
        INSERT INTO delivery_releaserecipient (release_id, mailing_id, subscriber_id)
        SELECT %s, %s, unnest(%s::bigint[])
        ON CONFLICT (release_id, subscriber_id) DO NOTHING RETURNING subscriber_id""",
    # "WHERE true": else SQLite reads ON as the start of a join.
    "sqlite": """
        INSERT INTO delivery_releaserecipient (release_id, mailing_id, subscriber_id)
        SELECT %s, %s, value FROM json_each(%s) WHERE true
        ON CONFLICT (release_id, subscriber_id) DO NOTHING RETURNING subscriber_id""",
}


def move_recipients(
    release_id: int, mailing_id: int, readers: Sequence[int], *, after: frozenset[Result]
) -> list[int]:
    """Move on to a mailing those readers of its release whose last outcome is one of `after`."""
    if not readers:
        return []
    marks = ", ".join(["%s"] * len(after))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE delivery_releaserecipient SET mailing_id = %s
            WHERE release_id = %s AND mailing_id <> %s AND subscriber_id IN {_SUBSCRIBER_IDS[connection.vendor]}
            AND EXISTS (SELECT 1 FROM delivery_outcome o
                WHERE o.mailing_id = delivery_releaserecipient.mailing_id
                AND o.subscriber_id = delivery_releaserecipient.subscriber_id AND o.result IN ({marks}))
            RETURNING subscriber_id""",  # noqa: S608 - built of our own constants
            [mailing_id, release_id, mailing_id, _array_literal(readers), *map(int, after)],
        )
        taken = {row[0] for row in cursor.fetchall()}
    return [reader for reader in readers if reader in taken]


_SUBSCRIBER_IDS = {
    "postgresql": "(SELECT unnest(%s::bigint[]))",
    "sqlite": "(SELECT value FROM json_each(%s))",
}


def settle_unknown(
    mailing_id: int, readers: Sequence[int], result: Result, *, source: Outcome.Source
) -> int:
    """The one change that an outcome allows: unknown becomes what it was found to be.

    Returns how many rows changed; an event that comes twice or too late changes none.
    """
    if result not in {Result.SENT, Result.FAILED, Result.REFUSED}:
        raise ValueError(f"unknown cannot become {result.name}")
    return Outcome.objects.filter(
        mailing_id=mailing_id, subscriber_id__in=readers, result=Result.UNKNOWN
    ).update(result=result, source=source)


def _array_literal(ids: Sequence[int]) -> str:
    text = ",".join(map(str, ids))
    return f"[{text}]" if connection.vendor == "sqlite" else f"{{{text}}}"


def insert_outcomes(
    mailing_id: int, lines: Iterable[OutcomeRow], *, source: Outcome.Source, batch_id: int | None
) -> None:
    """Add one row per line. A second row for the same reader is an IntegrityError: a bug."""
    alike: dict[tuple[int, ReplyCodes], list[int]] = {}
    for reader, result, reply in lines:
        # An enum's own hash is computed in Python, a number's is not.
        alike.setdefault((int(result), reply), []).append(reader)
    with prepared_statements.cursor() as cursor:
        # One statement for each kind of outcome, and nearly all readers have the same.
        for (number, (code, status)), readers in alike.items():
            cursor.execute(
                _INSERT_OUTCOMES[connection.vendor],
                [mailing_id, number, code, status, source.value, batch_id, _array_literal(readers)],
            )


_INSERT_OUTCOMES = {
    "postgresql": """
        INSERT INTO delivery_outcome
        (mailing_id, result, code, status, source, batch_id, subscriber_id)
        SELECT %s, %s, %s::smallint, %s, %s, %s::bigint, unnest(%s::bigint[])""",
    "sqlite": """
        INSERT INTO delivery_outcome
        (mailing_id, result, code, status, source, batch_id, subscriber_id)
        SELECT %s, %s, %s, %s, %s, %s, value FROM json_each(%s)""",
}
