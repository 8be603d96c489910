"""Failures at the desk: the dashboard's banners, and what a failed or held mailing says (E9)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.models import Alert, Mailing, Outcome, Release
from newsletter.delivery.oversight import alerts
from newsletter.delivery.oversight.problems import Problem
from newsletter.editorial.models import Issue
from newsletter.transport.outcomes import Fault, Result

pytestmark = pytest.mark.django_db
REFUSED = {"fault": "sender", "code": 550, "status": "5.7.26", "refused": 40, "transport": "T"}


@pytest.fixture
def release(issue: Issue) -> Release:
    return Release.objects.create(newsletter=issue.newsletter, period=issue.key, issue=issue)


def mailing(release: Release, **columns: Any) -> Mailing:
    return Mailing.objects.create(
        release=release, readers=10, snapshot_at=timezone.now(), **columns
    )


def failed(release: Release, result: Result = Result.FAILED) -> Mailing:
    ended = mailing(release, state=Mailing.State.FINISHED, finished_at=timezone.now())
    Outcome.objects.bulk_create(
        Outcome(
            mailing_id=ended.pk,
            subscriber_id=number,
            result=result if number < 4 else Result.SENT,
            fault=Fault.SENDER,
            code=550,
            status="5.7.26",
            source=Outcome.Source.SENDER,
        )
        for number in range(10)
    )
    return ended


def page(client: Client, name: str = "index", *arguments: Any) -> str:
    answer = client.get(reverse(f"admin:{name}", args=arguments))
    return " ".join(answer.content.decode().split())


def test_what_has_stopped_a_mailing_comes_first_and_is_red(
    as_editor: Client, release: Release
) -> None:
    held = mailing(release, state=Mailing.State.PAUSED, hold=Mailing.Hold.REFUSED)
    facts = {"hold": Mailing.Hold.REFUSED, **REFUSED}
    alerts.reconcile([Problem(Alert.Kind.HELD, str(held.pk), held.pk, facts)])
    down = {"transport": "smtp://relay", "fault": "relay", "reason": "smtp://relay: timed out"}
    alerts.reconcile(
        [
            Problem(Alert.Kind.HELD, str(held.pk), held.pk, facts),
            Problem(Alert.Kind.TRANSPORT, "smtp://relay", facts=down),
        ]
    )
    html = page(as_editor)
    assert html.index("Mailing held:") < html.index("Can’t send through smtp://relay.")
    assert html.count('class="alarm"') == 1
    assert html.count('class="alarm soft"') == 1
    assert "Then resume the mailing. Reply: 550 5.7.26." in html


def test_a_transports_banner_says_the_reason_once_and_leads_to_its_page(
    as_editor: Client, issue: Issue
) -> None:
    facts = {"transport": "smtp://relay", "fault": "relay", "reason": "smtp://relay: timed out"}
    alerts.reconcile([Problem(Alert.Kind.TRANSPORT, "smtp://relay", facts=facts)])
    html = page(as_editor)
    assert "Timed out." in html
    assert html.count("smtp://relay") == 1
    assert f'<a href="{reverse("admin:transports")}">See details' in html


def test_a_running_mailing_shows_that_its_transport_is_down(
    as_editor: Client, release: Release
) -> None:
    facts = {"transport": "smtp://relay", "fault": "relay", "reason": "smtp://relay: timed out"}
    alerts.reconcile([Problem(Alert.Kind.TRANSPORT, "smtp://relay", facts=facts)])
    running = mailing(release, state=Mailing.State.SENDING)
    assert "Can’t send through smtp://relay." in page(
        as_editor, "delivery_mailing_change", running.pk
    )
    Mailing.objects.update(state=Mailing.State.FINISHED)
    assert "Can’t send" not in page(as_editor, "delivery_mailing_change", running.pk)


def test_a_banner_about_the_page_itself_has_no_link(as_editor: Client, issue: Issue) -> None:
    facts = {"problem": "unreachable"}
    alerts.reconcile([Problem(Alert.Kind.MAILBOX, "mailbox", facts=facts)])
    html = page(as_editor)
    assert "The mailbox for bounces can’t be read." in html
    assert "See details" not in html


def test_a_failed_mailing_says_what_to_do_with_it(as_editor: Client, release: Release) -> None:
    """It has ended, so nothing tells the editor to resume it."""
    html = page(as_editor, "delivery_mailing_change", failed(release).pk)
    assert "This mailing failed." in html
    assert "4 of 10 readers didn’t get it." in html
    assert "send it to the readers who weren’t reached" in html
    assert "with SPF and DKIM records." in html
    assert "resume" not in html.lower()


def test_readers_who_cannot_be_reached_are_no_failure(as_editor: Client, release: Release) -> None:
    ended = failed(release, Result.REFUSED)
    assert "This mailing failed." not in page(as_editor, "delivery_mailing_change", ended.pk)


@pytest.mark.parametrize(
    ("code", "status", "fault", "then"),
    [
        (550, "5.7.26", "sender", "Then resume the mailing."),
        (552, "5.3.4", "message", "Cancel this mailing."),
    ],
)
def test_a_held_mailing_says_what_to_do_after_that(
    as_editor: Client, release: Release, code: int, status: str, fault: str, then: str
) -> None:
    facts = {**REFUSED, "code": code, "status": status, "fault": fault}
    held = mailing(release, state=Mailing.State.PAUSED, hold=Mailing.Hold.REFUSED, hold_facts=facts)
    assert then in page(as_editor, "delivery_mailing_change", held.pk)
