"""A daily limit spreads a mailing over days, which isn't a failure (D9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from newsletter.delivery import tasks
from newsletter.delivery.models import (
    Alert,
    AlertRecipient,
    Batch,
    Mailing,
    TransportState,
    TransportUsage,
)
from newsletter.delivery.oversight import alerts
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.problems import Problem
from newsletter.delivery.oversight.report import deferred
from newsletter.editorial.models import Issue, User
from newsletter.transport import memory
from newsletter.transport.pace.allowance import SLOT_SECONDS
from tests.delivery.conftest import reset_transports
from tests.delivery.sending import sixty
from tests.delivery.sending.sixty import EVERYBODY_GOT_IT, Fate, fate

pytestmark = pytest.mark.django_db
BULK = 18
"""Of 20 a day, two are left for single emails."""


@pytest.fixture
def mailing(
    issue: Issue, write_article: Callable[..., Any], settings: Any, editor: User
) -> Iterator[Mailing]:
    """A mailing to sixty readers through a relay with a limit of 20 a day; the editor gets alerts
    by email."""
    write_article(issue=issue, en="Minsk looks east")
    User.objects.filter(pk=editor.pk).update(email="editor@newsroom.example")
    AlertRecipient.objects.create(user=editor, language="en")
    yield sixty.prepare(issue, settings, "memory://limited?rate=20/d")
    reset_transports()


def let_a_day_pass() -> None:
    """Move everything that is stored a day and an hour into the past."""
    passed = timedelta(hours=25)
    Batch.objects.update(due_at=F("due_at") - passed, give_up_at=F("give_up_at") - passed)
    TransportState.objects.update(
        down_since=F("down_since") - passed, retry_at=F("retry_at") - passed
    )
    slots = int(passed.total_seconds()) // SLOT_SECONDS
    for usage in TransportUsage.objects.all():
        usage.slots = {str(int(slot) - slots): count for slot, count in usage.slots.items()}
        usage.day -= 1
        usage.save()


def test_the_others_wait_for_the_next_days_and_nobody_fails(
    mailing: Mailing, settings: Any
) -> None:
    """Not even if it takes longer than SEND_GIVE_UP_HOURS."""
    assert settings.SEND_GIVE_UP_HOURS == 24
    for day in range(1, 4):
        sixty.send_what_is_due()
        assert fate(mailing) == Fate(day * BULK, waiting=60 - day * BULK)
        sixty.send_what_is_due()
        assert fate(mailing).sent == day * BULK, "not before tomorrow"
        let_a_day_pass()

    sixty.send_what_is_due()

    assert fate(mailing) == EVERYBODY_GOT_IT
    sixty.assert_nobody_is_blamed()


def test_the_desk_names_the_limit(mailing: Mailing, client: Client, editor: User) -> None:
    sixty.send_what_is_due()

    waiting = deferred(mailing)
    assert waiting is not None
    assert (waiting.readers, waiting.why) == (60 - BULK, "limit of 20/d reached")
    client.force_login(editor)
    page = client.get(reverse("admin:delivery_mailing_change", args=[mailing.pk]))
    assert "limit of 20/d reached" in page.content.decode()


def test_e9_a_limit_of_our_own_is_no_failure_for_alerts_and_audit(mailing: Mailing) -> None:
    sixty.send_what_is_due()
    TransportState.objects.update(down_since=Now() - timedelta(hours=3))

    tasks.run_tick()

    assert not Alert.objects.exists()
    [finding] = audit(mailing.pk)
    assert not finding.has_failed


def test_e9_an_alert_is_emailed_with_what_bulk_leaves(mailing: Mailing) -> None:
    sixty.send_what_is_due()
    alerts.reconcile([Problem(Alert.Kind.MAILBOX, "mailbox", facts={"problem": "login-refused"})])

    assert alerts.email_new() == 1

    assert memory.get_transport("limited").delivered[-1].address == "editor@newsroom.example"
