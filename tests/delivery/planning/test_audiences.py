"""Audiences of a release: one language first, unreached, in doubt; nobody gets it twice (E1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import translation

from newsletter.delivery.models import Batch, Mailing, Outcome, ReleaseRecipient
from newsletter.delivery.oversight import control
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.planning import snapshot, start
from newsletter.delivery.planning.start import CannotSendError
from newsletter.delivery.sending import ledger
from newsletter.editorial.models import Article, Issue
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.approving import approve_all
from tests.delivery.conftest import AddReader, prepare_mailing, send_all_due

Audience = Mailing.Audience
Write = Callable[..., Article]


def all_balance() -> bool:
    return all(finding.faults == [] for finding in audit())


def test_one_language_is_sent_first_and_the_rest_later(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Write
) -> None:
    write_article(issue=issue, en="Army", be="Войска")
    add_reader("ala@readers.example", "be", "ru")
    add_reader("both@readers.example", "en", "be")
    add_reader("bob@readers.example", "en")
    approve_all()
    issue.refresh_from_db()
    early = snapshot.prepare(start.send_now(issue, by=None, first_language="be").pk)
    send_all_due()
    assert [message.address for message in relay.delivered] == ["ala@readers.example"]
    assert early.readers == 1
    rest = prepare_mailing(issue)
    send_all_due()
    assert rest.readers == 2
    assert len(relay.delivered) == 3
    assert all_balance()


def test_only_unreached_readers_are_sent_to_again(
    prepared_mailing: Mailing, relay: MemoryTransport, readers: list[Subscription]
) -> None:
    lifecycle.unsubscribe(readers[0].pk)
    relay.script("r1@readers.example", Result.REFUSED, code=550, status="5.7.1")
    relay.script("r2@readers.example", Result.FAILED, code=554)
    relay.script("r3@readers.example", Result.UNKNOWN)
    send_all_due()
    lifecycle.resubscribe(readers[0].pk)
    again = snapshot.prepare(
        start.send_again(prepared_mailing.release, Audience.UNREACHED, by=None).pk
    )
    send_all_due()
    assert (again.audience, again.number) == (Audience.UNREACHED, 1)
    assert again.readers == 3
    assert len(relay.to("r0@readers.example")) == 1
    assert len(relay.to("r1@readers.example")) == 1
    assert len(relay.to("r3@readers.example")) == 1, "unknown doesn't count as unreached"
    assert all(len(relay.to(f"r{n}@readers.example")) == 1 for n in range(10))
    assert all_balance()
    with pytest.raises(CannotSendError):
        start.send_again(prepared_mailing.release, Audience.UNREACHED, by=None)


def test_readers_in_doubt_are_sent_to_again_when_the_operator_decides_so(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r3@readers.example", Result.UNKNOWN)
    send_all_due()
    again = snapshot.prepare(
        start.send_again(prepared_mailing.release, Audience.IN_DOUBT, by=None).pk
    )
    send_all_due()
    assert again.readers == 1
    assert len(relay.to("r3@readers.example")) == 2, "it may arrive twice"
    earlier = Outcome.objects.get(mailing_id=prepared_mailing.pk, source=Outcome.Source.OPERATOR)
    assert earlier.result == Result.FAILED
    assert all_balance()


def test_unknown_outcomes_can_be_marked_as_failed(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r3@readers.example", Result.UNKNOWN)
    send_all_due()
    assert control.mark_unknown_as_failed(prepared_mailing) == 1
    assert control.mark_unknown_as_failed(prepared_mailing) == 0
    assert (report(prepared_mailing).unknown, report(prepared_mailing).failed) == (0, 1)
    assert all_balance()


def test_an_event_settles_an_unknown_outcome_once(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r3@readers.example", Result.UNKNOWN)
    send_all_due()
    unknown = Outcome.objects.get(result=Result.UNKNOWN)
    which = Q(mailing_id=prepared_mailing.pk, subscriber_id=unknown.subscriber_id)
    source = Outcome.Source.EVENT
    for result, changed in [(Result.SENT, 1), (Result.REFUSED, 0)]:
        assert ledger.settle_unknown(which, result, source=source) == changed
    assert report(prepared_mailing).sent == 10
    with pytest.raises(ValueError, match="SKIPPED"):
        ledger.settle_unknown(which, Result.SKIPPED, source=source)


def test_deferred_readers_are_not_unreached(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r1@readers.example", Result.DEFERRED, code=451)
    relay.script("r2@readers.example", Result.REFUSED, code=550)
    send_all_due()
    snapshot.prepare(start.send_again(prepared_mailing.release, Audience.UNREACHED, by=None).pk)
    send_all_due()
    Batch.objects.update(due_at=Now())
    send_all_due()
    assert all(len(relay.to(f"r{n}@readers.example")) == 1 for n in range(10))
    assert ReleaseRecipient.objects.count() == 10
    assert all_balance()


def test_a_second_round_has_its_own_number(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    relay.script("r1@readers.example", Result.FAILED, Result.FAILED, code=554)
    send_all_due()
    for number in (1, 2):
        made = snapshot.prepare(
            start.send_again(prepared_mailing.release, Audience.UNREACHED, by=None).pk
        )
        assert (made.audience, made.number, made.readers) == (Audience.UNREACHED, number, 1)
        send_all_due()
    assert len(relay.to("r1@readers.example")) == 1
    assert all_balance()


@pytest.mark.parametrize(
    "columns",
    [
        {"audience": Audience.ALL},
        {"audience": Audience.ALL, "language": "be"},
        {"audience": Audience.FIRST_LANGUAGE},
        {"audience": Audience.WELCOME, "number": 2},
        {"audience": Audience.UNREACHED, "number": 0},
    ],
    ids=["duplicate", "unwanted language", "language missing", "unwanted number", "number 0"],
)
def test_the_database_refuses_inconsistent_mailings(
    prepared_mailing: Mailing, columns: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Mailing.objects.create(release=prepared_mailing.release, **columns)


def test_the_last_outcomes_of_each_audience() -> None:
    last_outcomes = {audience: snapshot.last_outcomes(audience) for audience in Audience}
    assert last_outcomes == {
        Audience.ALL: frozenset(),
        Audience.FIRST_LANGUAGE: frozenset(),
        Audience.UNREACHED: {Result.REFUSED, Result.FAILED, Result.SKIPPED},
        Audience.IN_DOUBT: {Result.UNKNOWN},
        Audience.WELCOME: frozenset(),
    }
    with pytest.raises(ValueError, match="some"):
        snapshot.last_outcomes("some")


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        ({}, ("all readers", "усе чытачы", "все читатели")),
        (
            {"audience": Audience.FIRST_LANGUAGE, "language": "be"},
            ("Belarusian first", "спачатку беларуская", "сначала белорусский"),
        ),
        ({"audience": Audience.UNREACHED}, ("not reached", "не атрымалі", "не получили")),
        (
            {"audience": Audience.UNREACHED, "number": 2},
            ("not reached, round 2", "не атрымалі, раз: 2", "не получили, 2-й раз"),
        ),
        ({"audience": Audience.WELCOME}, ("new readers", "новыя чытачы", "новые читатели")),
    ],
)
def test_the_label_is_in_the_active_language(
    columns: dict[str, Any], labels: tuple[str, ...]
) -> None:
    for language, label in zip(("en", "be", "ru"), labels, strict=True):
        with translation.override(language):
            assert Mailing(**columns).audience_label == label
