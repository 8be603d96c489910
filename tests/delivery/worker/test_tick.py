"""The tick: an error in one newsletter doesn't hold up the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db.models.functions import Now

from newsletter.delivery import tasks
from newsletter.delivery.models import Batch, Mailing
from newsletter.delivery.planning import snapshot, start
from newsletter.editorial.models import Article, Issue
from newsletter.transport.memory import MemoryTransport
from tests.approving import approve_all
from tests.delivery.conftest import AddReader, send_all_due


def test_a_mailing_that_raises_an_error_does_not_hold_up_the_others(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Callable[..., Article],
    prepared_mailing: Mailing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = Issue.objects.create(
        newsletter=issue.newsletter, starts_on=date(2017, 7, 31), ends_on=date(2017, 8, 6)
    )
    write_article(issue=later, en="Later")
    special = Issue.objects.create(
        newsletter=issue.newsletter,
        kind=Issue.Kind.SPECIAL,
        slug="elections",
        starts_on=date(2017, 8, 1),
        ends_on=date(2017, 8, 1),
    )
    write_article(issue=special, en="Special")
    approve_all()
    later.refresh_from_db()
    special.refresh_from_db()
    broken = start.send_now(later, by=None)
    fine = start.send_now(special, by=None)
    Batch.objects.update(state=Batch.State.CLAIMED, fence=1, lease_until=Now())
    original = snapshot._draft

    def draft(mailing: Mailing, at: Any) -> Any:
        if mailing.pk == broken.pk:
            raise KeyError("a bug")
        return original(mailing, at)

    monkeypatch.setattr(snapshot, "_draft", draft)
    with pytest.raises(ExceptionGroup) as caught:
        tasks.run_tick()
    assert caught.group_contains(KeyError, match="a bug", depth=2)
    fine.refresh_from_db()
    broken.refresh_from_db()
    assert fine.state == Mailing.State.SENDING
    assert broken.state == Mailing.State.PREPARING
    send_all_due()
    with pytest.raises(ExceptionGroup):
        tasks.run_tick()
    prepared_mailing.refresh_from_db()
    assert prepared_mailing.state == Mailing.State.FINISHED, (
        "its worker died, and its batch was rescued"
    )
