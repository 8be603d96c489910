"""A reader's page: what came back, and lifting a suppression (B12, D2, D3, D7)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Event, Mailing, Outcome, Release
from newsletter.editorial.models import Issue, Newsletter, User
from newsletter.transport.outcomes import Fault, Result
from subscribers import lifecycle, suppression
from subscribers.crypto.sealing import AddressHash
from subscribers.models import LiftedSuppression, Subscriber, Subscription, Suppression

pytestmark = pytest.mark.django_db
ADDRESS = "ala@readers.example"
Reason = Suppression.Reason


@pytest.fixture
def reader(weekly: Newsletter) -> Subscriber:
    return lifecycle.add_confirmed(
        ADDRESS,
        newsletter=weekly,
        languages=["en"],
        page_language="en",
        source=Subscription.Source.OPERATOR,
    ).subscriber


@pytest.fixture
def mailing(issue: Issue) -> Mailing:
    release = Release.objects.create(newsletter=issue.newsletter, period=issue.key, issue=issue)
    return Mailing.objects.create(release=release, state="finished", readers=1)


@pytest.fixture
def as_operator(editor: User, client: Client) -> Client:
    client.force_login(editor)
    return client


@pytest.fixture(autouse=True)
def without_worker_keys(settings: Any, reader: Subscriber) -> None:
    """The web process can't hash an address."""
    settings.WORKER_KEYS = None


def report(reader: Subscriber, kind: str, on: date, **columns: Any) -> Event:
    key = f"{kind}{on}".encode().ljust(32)
    return Event.objects.create(key=key, subscriber_id=reader.pk, kind=kind, on=on, **columns)


def suppress(reader: Subscriber, reason: str) -> None:
    hashed = AddressHash(reader.address_hash_key, bytes(reader.address_hash))
    suppression.suppress(hashed, reason)


def url_of(reader: Subscriber, name: str = "change") -> str:
    return reverse(f"admin:subscribers_subscriber_{name}", args=[reader.pk])


def page(client: Client, reader: Subscriber) -> str:
    answer = client.get(url_of(reader))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_reader_from_whom_nothing_came_back(as_operator: Client, reader: Subscriber) -> None:
    html = page(as_operator, reader)
    assert "No bounce, no complaint." in html
    assert "Lift suppression" not in html
    assert ADDRESS not in html


def test_what_came_back_is_shown_with_class_code_and_day(
    as_operator: Client, reader: Subscriber, mailing: Mailing
) -> None:
    report(
        reader,
        Event.Kind.BOUNCED,
        date(2017, 8, 3),
        fault=Fault.READER,
        code=550,
        status="5.1.1",
        mailing_id=mailing.pk,
    )
    report(reader, Event.Kind.COMPLAINED, date(2017, 8, 4))
    html = page(as_operator, reader)
    assert "<strong>Hard bounce</strong>, because of the reader’s mailbox" in html
    assert "<code>550 5.1.1</code>" in html
    assert "3 August 2017" in html
    assert reverse("admin:delivery_mailing_change", args=[mailing.pk]) in html
    assert html.index("Reported as spam") < html.index("Hard bounce")  # the newest first
    assert "No bounce" not in html


def test_a_refusal_that_is_our_fault_says_that_it_does_not_count(
    as_operator: Client, reader: Subscriber, mailing: Mailing
) -> None:
    """D7"""
    Outcome.objects.create(
        mailing_id=mailing.pk,
        subscriber_id=reader.pk,
        result=Result.FAILED,
        fault=Fault.SENDER,
        code=550,
        status="5.7.26",
        source=Outcome.Source.SENDER,
    )
    html = page(as_operator, reader)
    assert "<strong>Not sent</strong>, because of our sending account" in html
    assert "It doesn’t count against the reader." in html


def test_emails_that_arrived_are_only_a_date(as_operator: Client, reader: Subscriber) -> None:
    report(reader, Event.Kind.DELIVERED, date(2017, 8, 1))
    html = page(as_operator, reader)
    assert "last confirmed a delivery on 1 August 2017" in html
    assert "No bounce, no complaint." in html


def test_nothing_of_another_reader_is_shown(
    as_operator: Client, reader: Subscriber, mailing: Mailing
) -> None:
    Event.objects.create(
        key=b"x" * 32, subscriber_id=reader.pk + 1, kind="bounced", on=date(2017, 8, 1)
    )
    assert "No bounce, no complaint." in page(as_operator, reader)


@pytest.mark.parametrize("reason", [Reason.BOUNCED, Reason.COMPLAINED])
def test_a_suppression_is_lifted_in_two_steps_and_recorded(
    as_operator: Client, editor: User, reader: Subscriber, reason: str
) -> None:
    """B12: who lifted it and when stays on record; nobody is subscribed by it."""
    suppress(reader, reason)
    assert "This reader gets no email." in page(as_operator, reader)
    assert url_of(reader, "lift") in page(as_operator, reader)

    asked = as_operator.get(url_of(reader, "lift"))
    assert "subscribes nobody" in asked.content.decode()
    assert Suppression.objects.count() == 1

    answer = as_operator.post(url_of(reader, "lift"), follow=True)
    assert "The suppression is lifted." in answer.content.decode()
    assert not Suppression.objects.exists()
    lifted = LiftedSuppression.objects.get()
    assert (lifted.subscriber, lifted.reason, lifted.lifted_by) == (reader, reason, editor)
    assert "editor lifted a suppression on" in page(as_operator, reader)
    assert reader.subscriptions.get().state == Subscription.State.UNSUBSCRIBED
    assert LogEntry.objects.count() == 1


def test_lifting_twice_changes_nothing_more(as_operator: Client, reader: Subscriber) -> None:
    suppress(reader, Reason.BOUNCED)
    as_operator.post(url_of(reader, "lift"))
    answer = as_operator.post(url_of(reader, "lift"), follow=True)
    assert "Nothing to lift" in answer.content.decode()
    assert LiftedSuppression.objects.count() == 1


def test_only_the_owner_of_an_address_lifts_an_erasure(
    as_operator: Client, reader: Subscriber
) -> None:
    """B9"""
    suppress(reader, Reason.ERASED)
    assert "Lift suppression" not in page(as_operator, reader)
    as_operator.post(url_of(reader, "lift"))
    assert Suppression.objects.get().reason == Reason.ERASED


def test_editors_can_neither_see_readers_nor_lift(as_editor: Client, reader: Subscriber) -> None:
    suppress(reader, Reason.BOUNCED)
    assert as_editor.get(url_of(reader)).status_code == 403
    assert as_editor.post(url_of(reader, "lift")).status_code == 403
    assert Suppression.objects.count() == 1


def test_who_may_see_readers_may_not_lift_without_the_permission(
    reader: Subscriber, client: Client
) -> None:
    user = User.objects.create_user("zosia", password="sign-me-in", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_subscriber"))
    client.force_login(user)
    suppress(reader, Reason.BOUNCED)
    assert "This reader gets no email." in page(client, reader)
    assert "Lift suppression" not in page(client, reader)
    assert client.post(url_of(reader, "lift")).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="delete_suppression"))
    assert "Lift suppression" in page(client, reader)
    assert client.post(url_of(reader, "lift")).status_code == 302


def test_a_lifted_suppression_of_a_deleted_user_still_shows(
    as_operator: Client, reader: Subscriber
) -> None:
    LiftedSuppression.objects.create(
        subscriber=reader,
        reason=Reason.BOUNCED,
        since=date(2017, 7, 1),
        lifted_at=datetime(2017, 8, 1, tzinfo=UTC),
    )
    assert "A suppression was lifted on 1 August 2017" in page(as_operator, reader)


def test_the_page_takes_the_same_number_of_queries_for_many_entries(
    as_operator: Client, reader: Subscriber, mailing: Mailing, django_assert_max_num_queries: Any
) -> None:
    for day in range(1, 26):
        report(reader, Event.Kind.DEFERRED, date(2017, 7, day), mailing_id=mailing.pk)
    with django_assert_max_num_queries(25):
        html = page(as_operator, reader)
    assert html.count("<strong>Soft bounce</strong>") == 20
    assert "Older ones aren’t shown." in html
