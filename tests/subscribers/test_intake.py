"""Arrivals: sealed, opened by a worker, acted on once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from newsletter.editorial.models import Newsletter
from newsletter.lib import keys
from subscribers import intake
from subscribers.addresses import normalise
from subscribers.crypto.sealing import SealedError, seal_arrival
from subscribers.models import Intake, Subscriber, Subscription, TransactionalEmail
from tests.subscribers.conftest import ALA

NOON = datetime(2017, 8, 1, 12, 0, tzinfo=UTC)


def arrive(newsletter: Newsletter, address: str = ALA, *languages: str) -> None:
    intake.receive_sign_up(
        normalise(address),
        newsletter=newsletter,
        languages=languages or ("en",),
        page_language="en",
    )


def test_arrivals_are_acted_on_and_deleted(weekly: Newsletter) -> None:
    arrive(weekly, "a@readers.example")
    arrive(weekly, "b@readers.example", "be", "ru")
    assert intake.drain(1) == 1
    assert intake.drain(10) == 1
    assert intake.drain(10) == 0
    assert not Intake.objects.exists()
    assert list(Subscription.objects.order_by("pk").values_list("languages", flat=True)) == [
        ("en",),
        ("be", "ru"),
    ]
    assert TransactionalEmail.objects.count() == 2


def test_without_keys_nothing_is_tried(weekly: Newsletter, settings: Any) -> None:
    arrive(weekly)
    settings.WORKER_KEYS = None
    with pytest.raises(SealedError, match="no worker keys"):
        intake.drain(10)
    assert Intake.objects.get().attempts == 0


def test_what_cannot_be_opened_is_tried_later_and_given_up(
    weekly: Newsletter, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        arrive(weekly)
        right = settings.WORKER_KEYS
        settings.WORKER_KEYS = replace(
            right, opening=keys.parse_worker_keys(keys.generate_temporary()[1]).opening
        )
        for attempt in range(1, 5):
            assert intake.drain(10) == 0
            assert intake.drain(10) == 0
            assert Intake.objects.get().attempts == attempt
            clock.shift(timedelta(hours=1))
        intake.drain(10)
        assert not Intake.objects.exists()
    assert "action=arrival-given-up" in caplog.text
    assert "reason=SealedError" in caplog.text
    assert "readers.example" not in caplog.text


def test_a_worker_with_the_right_keys_takes_it_up(weekly: Newsletter, settings: Any) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        arrive(weekly)
        right = settings.WORKER_KEYS
        settings.WORKER_KEYS = replace(
            right, opening=keys.parse_worker_keys(keys.generate_temporary()[1]).opening
        )
        intake.drain(10)
        settings.WORKER_KEYS = right
        clock.shift(timedelta(hours=1))
        assert intake.drain(10) == 1
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"newsletter": 999_999},
        {"address": "nobody"},
        {"languages": ["ka"]},
        {"at": "yesterday"},
        {"languages": []},
    ],
)
def test_one_bad_arrival_stops_nothing(
    weekly: Newsletter, data: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    good = {
        "address": ALA,
        "newsletter": weekly.pk,
        "languages": ["en"],
        "page_language": "en",
        "wording": "",
        "at": NOON.isoformat(),
    }
    sealed = seal_arrival({**good, **data} if data else {"address": ALA})
    Intake.objects.create(kind="sign-up", sealed=sealed.value, sealing_key=sealed.key)
    arrive(weekly, "good@readers.example")
    assert intake.drain(10) == 1
    assert Intake.objects.get().attempts == 1
    assert Subscriber.objects.count() == 1
    assert "Ala" not in caplog.text


def test_a_half_done_arrival_leaves_nothing(
    weekly: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The arrival and its effect are one transaction."""
    arrive(weekly)

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError(ALA)

    with monkeypatch.context() as patch:
        patch.setattr(TransactionalEmail.objects, "create", fail)
        assert intake.drain(10) == 0
    assert not Subscriber.objects.exists()
    Intake.objects.update(due_at=NOON)
    assert intake.drain(10) == 1
    assert TransactionalEmail.objects.count() == 1
