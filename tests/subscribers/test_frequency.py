"""The reader chooses the frequency and the preferred hour."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.editorial.models import Issue, Newsletter
from subscribers import personal_data
from subscribers.models import Subscription
from tests.conftest import WriteArticle
from tests.subscribers.conftest import AddReader
from tests.subscribers.views.test_preferences import url

pytestmark = pytest.mark.django_db


def choose(client: Client, subscription: Subscription, **data: Any) -> Any:
    form = {"language_0": "be", "page_language": "be", "pictures": "on"}
    return client.post(url("preferences", subscription), {**form, **data})


def test_frequency_and_hour_are_kept_through_a_pause(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("be")
    until = (timezone.now() + timedelta(days=30)).date().isoformat()
    choose(client, subscription, frequency="monthly", preferred_hour="7", paused_until=until)
    subscription.refresh_from_db()
    assert (subscription.frequency, subscription.preferred_hour) == ("monthly", 7)
    assert subscription.consents.order_by("pk").last().action == "changed"  # type: ignore[union-attr]
    page = client.get(url("preferences", subscription)).content.decode()
    assert re.search(r'name="frequency" value="monthly"[^>]*checked', page)
    assert '<option value="7" selected>07:00</option>' in page
    choose(client, subscription, preferred_hour="", paused_until="")
    subscription.refresh_from_db()
    assert (subscription.frequency, subscription.preferred_hour) == ("monthly", None)
    choose(client, subscription, frequency="weekly", preferred_hour="0")
    subscription.refresh_from_db()
    assert (subscription.frequency, subscription.preferred_hour) == ("weekly", 0)


@time_machine.travel("2017-07-31 06:05Z", tick=False)
def test_the_page_names_the_time_zone_of_the_hours(
    client: Client, add_reader: AddReader, weekly: Newsletter
) -> None:
    subscription = add_reader("en")
    page = client.get(url("preferences", subscription)).content.decode()
    assert "In the time zone Europe/Minsk, where it is now 09:05." in page
    assert '<option value="" selected>As soon as it’s sent</option>' in page
    Newsletter.objects.update(schedule_active=True)
    for language, words in {
        "en": "As soon as it’s sent: Monday, around 09:00",
        "be": "Разам з усімі: панядзелак, каля 09:00",
        "ru": "Вместе со всеми: понедельник, около 09:00",
    }.items():
        page = client.get(url("preferences", subscription, language=language)).content.decode()
        assert words in page


def test_a_monthly_reader_previews_the_round_up(
    client: Client, add_reader: AddReader, weekly: Newsletter, write_article: WriteArticle
) -> None:
    for day, headline in {3: "Older", 10: "Newer", 17: "Not approved"}.items():
        issue = Issue.objects.create(
            newsletter=weekly,
            starts_on=date(2017, 7, day),
            ends_on=date(2017, 7, day + 6),
            state="draft" if day == 17 else "approved",
        )
        write_article(issue=issue, en=headline)
    subscription = add_reader("en", frequency="monthly")
    page = client.get(url("preview", subscription)).content.decode()
    assert "July 2017: Newer" in page
    assert "This is the round-up of the latest month so far" in page
    mail = client.get(url("preview-mail", subscription)).content.decode()
    assert mail.index("Newer") < mail.index("Older")
    assert "Not approved" not in mail


def test_b9_the_export_contains_frequency_and_hour(add_reader: AddReader) -> None:
    subscription = add_reader("en", frequency="monthly", preferred_hour=19)
    [exported] = personal_data.export_without_address(subscription.subscriber)["reader"][
        "subscriptions"
    ]
    assert (exported["frequency"], exported["preferred_hour"]) == ("monthly", 19)
