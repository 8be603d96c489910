"""`manage.py add_reader`."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from newsletter.editorial.models import Newsletter
from subscribers.models import Subscriber, Subscription, TransactionalEmail


def test_a_reader_is_added_as_confirmed_by_the_operator(
    weekly: Newsletter, capsys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    call_command("add_reader", "ala@readers.example", "--newsletter=weekly", "--languages=be,ru")
    subscription = Subscription.objects.get()
    assert (subscription.state, subscription.languages) == ("active", ("be", "ru"))
    assert (subscription.source, subscription.subscriber.language) == ("operator", "be")
    consent = subscription.consents.get()
    assert (consent.action, consent.source) == ("recorded", "operator")
    assert "беларуская, русский" in capsys.readouterr().out
    assert "ala@" not in caplog.text
    assert not TransactionalEmail.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody", "--newsletter=weekly", "--languages=be"], "needs an @"),
        (["ala@readers.example", "--newsletter=none", "--languages=be"], "There is: weekly"),
        (["ala@readers.example", "--newsletter=weekly", "--languages=ka"], "isn’t available in ka"),
        (["ala@readers.example", "--newsletter=weekly", "--languages="], "isn’t available in –"),
    ],
)
def test_a_mistake_is_reported_and_nobody_is_added(
    weekly: Newsletter, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("add_reader", *arguments)
    assert not Subscriber.objects.exists()


def test_without_worker_keys_it_reports_that(weekly: Newsletter, settings: Any) -> None:
    settings.WORKER_KEYS = None
    with pytest.raises(CommandError, match="no worker keys"):
        call_command("add_reader", "ala@readers.example", "--newsletter=weekly", "--languages=be")
