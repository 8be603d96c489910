"""What counts as a failure that people have to be told (E9)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from newsletter.delivery.models import Alert, Batch, KillSwitch, Mailing, Outcome, TransportState
from newsletter.delivery.oversight.problems import Problem, find_problems
from newsletter.delivery.oversight.report import has_failed
from newsletter.transport.outcomes import Result

pytestmark = pytest.mark.django_db
Kind = Alert.Kind


def finish(mailing: Mailing, *results: Result) -> None:
    """End the mailing with these outcomes."""
    Batch.objects.filter(mailing=mailing).delete()
    for number, result in enumerate(results, start=1):
        Outcome.objects.create(
            mailing_id=mailing.pk,
            subscriber_id=number,
            result=result,
            code=550,
            status="5.4.5",
            fault="sender" if result is Result.FAILED else "",
            source=Outcome.Source.SENDER,
        )
    Mailing.objects.filter(pk=mailing.pk).update(
        state=Mailing.State.FINISHED, finished_at=timezone.now(), readers=len(results)
    )


def kinds() -> list[Alert.Kind]:
    return [problem.kind for problem in find_problems()]


def test_a_mailing_that_is_being_sent_is_no_failure(prepared_mailing: Mailing) -> None:
    assert find_problems() == []


def test_a_held_mailing_is_reported_with_its_reason(prepared_mailing: Mailing) -> None:
    facts = {"fault": "sender", "code": 550, "status": "5.7.1", "readers": 402}
    Mailing.objects.update(state=Mailing.State.PAUSED, hold=Mailing.Hold.REFUSED, hold_facts=facts)

    assert find_problems() == [
        Problem(
            Kind.HELD,
            str(prepared_mailing.pk),
            prepared_mailing.pk,
            {"hold": "refused", "detail": "", **facts},
        )
    ]


def test_a_mailing_that_an_editor_paused_is_not_reported(prepared_mailing: Mailing) -> None:
    Mailing.objects.update(state=Mailing.State.PAUSED)

    assert find_problems() == []


def test_a_mailing_in_which_nobody_got_the_email_has_failed(prepared_mailing: Mailing) -> None:
    finish(prepared_mailing, Result.FAILED, Result.FAILED)

    [problem] = find_problems()

    assert problem.kind is Kind.FAILED
    assert problem.facts == {
        "failed": 2,
        "readers": 2,
        "fault": "sender",
        "code": 550,
        "status": "5.4.5",
    }


def test_readers_left_unknown_are_reported(prepared_mailing: Mailing) -> None:
    finish(prepared_mailing, *[Result.SENT] * 30, Result.UNKNOWN)

    [problem] = find_problems()

    assert (problem.kind, problem.facts) == (Kind.UNKNOWN, {"unknown": 1, "readers": 31})


def test_readers_who_are_gone_make_no_failure(prepared_mailing: Mailing) -> None:
    finish(prepared_mailing, Result.SENT, Result.REFUSED, Result.SKIPPED)

    assert find_problems() == []


@pytest.mark.parametrize(
    ("readers", "sent", "failed", "expected"),
    [
        (100, 0, 1, True),
        (100, 95, 5, True),
        (100, 96, 4, False),
        (100, 100, 0, False),
        (7, 5, 2, False),
    ],
)
def test_from_five_percent_on_a_mailing_has_failed(
    readers: int,
    sent: int,
    failed: int,
    expected: bool,  # noqa: FBT001
) -> None:
    assert has_failed(readers=readers, sent=sent, failed=failed) is expected


def test_a_transport_that_stays_down_is_reported() -> None:
    moments_ago = timezone.now() - timedelta(seconds=5)
    state = TransportState.objects.create(name="smtp://relay", down_since=moments_ago)
    assert find_problems() == []

    state.down_since = timezone.now() - timedelta(minutes=1)
    state.save()

    assert kinds() == [Kind.TRANSPORT]


def test_batches_that_nobody_sends_are_reported(prepared_mailing: Mailing) -> None:
    Batch.objects.update(due_at=timezone.now() - timedelta(minutes=11))

    [problem] = find_problems()

    assert problem.kind is Kind.BACKLOG
    assert problem.facts["readers"] == 10


def test_the_kill_switch_explains_a_backlog(prepared_mailing: Mailing) -> None:
    Batch.objects.update(due_at=timezone.now() - timedelta(minutes=11))
    KillSwitch.objects.create(engaged=True)

    assert find_problems() == []


def test_a_transport_whose_limit_is_used_up_explains_it_too(prepared_mailing: Mailing) -> None:
    Batch.objects.update(due_at=timezone.now() - timedelta(minutes=11))
    TransportState.objects.create(
        name="memory://relay",
        down_since=timezone.now(),
        retry_at=timezone.now() + timedelta(hours=5),
        fault="speed",
        reason="limit of 20/d reached",
    )

    assert find_problems() == []


def test_a_batch_that_is_being_sent_explains_why_others_wait(prepared_mailing: Mailing) -> None:
    batch = Batch.objects.get()
    Batch.objects.update(due_at=timezone.now() - timedelta(minutes=11))
    Batch.objects.create(
        mailing=prepared_mailing,
        edition=batch.edition,
        reader_ids=b"",
        size=0,
        state=Batch.State.CLAIMED,
        due_at=timezone.now(),
    )

    assert find_problems() == []


def test_failures_are_found_while_the_cache_is_away(
    prepared_mailing: Mailing, settings: Any, tmp_path: Path
) -> None:
    """The broker's server is the cache too, and it may be what failed."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"unix://{tmp_path}/nobody-listens.sock",
        }
    }
    finish(prepared_mailing, Result.FAILED)
    assert kinds() == [Kind.FAILED]
