"""Intake items are encrypted, opened by a worker, and acted on once."""

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
from subscribers.crypto.sealing import SealedError, seal_intake
from subscribers.models import Intake, Subscriber, Subscription, TransactionalEmail
from tests.subscribers.conftest import ALA

NOON = datetime(2017, 8, 1, 12, 0, tzinfo=UTC)


def sign_up(newsletter: Newsletter, address: str = ALA, *languages: str) -> None:
    intake.receive_sign_up(
        normalise(address),
        newsletter=newsletter,
        languages=languages or ("en",),
        page_language="en",
    )


def test_items_are_acted_on_and_deleted(weekly: Newsletter) -> None:
    sign_up(weekly, "a@readers.example")
    sign_up(weekly, "b@readers.example", "be", "ru")
    assert intake.drain(1) == 1
    assert intake.drain(10) == 1
    assert intake.drain(10) == 0
    assert not Intake.objects.exists()
    assert list(Subscription.objects.order_by("pk").values_list("languages", flat=True)) == [
        ("en",),
        ("be", "ru"),
    ]
    assert TransactionalEmail.objects.count() == 2


def test_without_worker_keys_nothing_is_tried(weekly: Newsletter, settings: Any) -> None:
    sign_up(weekly)
    settings.WORKER_KEYS = None
    with pytest.raises(SealedError, match="no worker keys"):
        intake.drain(10)
    assert Intake.objects.get().attempts == 0


def end_waiting() -> None:
    """Let what waits be due: the database's clock decides, and it can't be moved (E8)."""
    Intake.objects.update(due_at=datetime(2020, 1, 1, tzinfo=UTC))


def test_an_item_that_cannot_be_opened_is_retried_and_then_given_up(
    weekly: Newsletter, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        sign_up(weekly)
        right = settings.WORKER_KEYS
        settings.WORKER_KEYS = replace(
            right, opening=keys.parse_worker_keys(keys.generate_temporary()[1]).opening
        )
        for attempt in range(1, 5):
            assert intake.drain(10) == 0
            assert intake.drain(10) == 0
            assert Intake.objects.get().attempts == attempt
            clock.shift(timedelta(hours=1))
            end_waiting()
        intake.drain(10)
        assert not Intake.objects.exists()
    assert "action=intake-given-up" in caplog.text
    assert "reason=SealedError" in caplog.text
    assert "readers.example" not in caplog.text


def test_a_worker_with_the_right_keys_handles_it_later(weekly: Newsletter, settings: Any) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        sign_up(weekly)
        right = settings.WORKER_KEYS
        settings.WORKER_KEYS = replace(
            right, opening=keys.parse_worker_keys(keys.generate_temporary()[1]).opening
        )
        intake.drain(10)
        settings.WORKER_KEYS = right
        clock.shift(timedelta(hours=1))
        end_waiting()
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
def test_a_bad_item_does_not_stop_the_others(
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
    sealed = seal_intake({**good, **data} if data else {"address": ALA})
    Intake.objects.create(kind="sign-up", sealed=sealed.data, sealing_key=sealed.key_number)
    sign_up(weekly, "good@readers.example")
    assert intake.drain(10) == 1
    assert Intake.objects.get().attempts == 1
    assert Subscriber.objects.count() == 1
    assert "Ala" not in caplog.text


def test_an_item_that_fails_half_way_leaves_nothing(
    weekly: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleting the item and acting on it are one transaction."""
    sign_up(weekly)

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError(ALA)

    with monkeypatch.context() as patch:
        patch.setattr(TransactionalEmail.objects, "create", fail)
        assert intake.drain(10) == 0
    assert not Subscriber.objects.exists()
    Intake.objects.update(due_at=NOON)
    assert intake.drain(10) == 1
    assert TransactionalEmail.objects.count() == 1
