"""The preferences page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from newsletter.editorial.models import Issue, Topic
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.subscribers.conftest import AddReader
from tests.subscribers.views.urls import page_path

pytestmark = pytest.mark.django_db


def save(client: Client, subscription: Subscription, **data: Any) -> Any:
    form = {"language_0": "be", "language_1": "ru", "language_2": "", "page_language": "be"}
    return client.post(page_path("preferences", subscription.pk), {**form, **data})


def test_preferences_are_saved(client: Client, add_reader: AddReader, security: Topic) -> None:
    subscription = add_reader("en")
    response = save(
        client, subscription, topics=[str(security.pk)], content="full", plain_text="on"
    )
    assert response.status_code == 303
    assert response["Location"].startswith("/be/preferences/")
    subscription.refresh_from_db()
    assert subscription.languages == ("be", "ru")
    assert subscription.topics == frozenset({security.pk})
    assert (subscription.content, subscription.pictures) == ("full", False)
    assert subscription.plain_text
    assert subscription.subscriber.language == "be"
    assert subscription.consents.order_by("pk").last().action == "changed"  # type: ignore[union-attr]
    with translation.override("be"):
        saved = translation.gettext("Your preferences have been saved.")
    assert saved in client.get(response["Location"]).content.decode()


def test_the_form_shows_the_current_preferences(
    client: Client, add_reader: AddReader, security: Topic
) -> None:
    subscription = add_reader("ru", "be", topics={security.pk}, content="lead")
    page = client.get(page_path("preferences", subscription.pk, language="ru")).content.decode()
    assert '<option value="ru" selected>русский</option>' in page
    assert "Безопасность" in page
    assert page.count("checked") == 4  # topic, frequency, content, pictures


def test_a_language_chosen_twice_counts_once(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    save(client, subscription, language_1="", language_2="be")
    subscription.refresh_from_db()
    assert subscription.languages == ("be",)


def test_a_pause_can_be_set_and_cleared(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("be")
    until = (timezone.now() + timedelta(days=30)).date()
    save(client, subscription, paused_until=until.isoformat())
    subscription.refresh_from_db()
    assert (subscription.frequency, subscription.paused_until) == ("weekly", until)
    save(client, subscription, paused_until="")
    subscription.refresh_from_db()
    assert (subscription.frequency, subscription.paused_until) == ("weekly", None)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"frequency": "daily"}, "not one of the available choices"),
        ({"preferred_hour": "24"}, "not one of the available choices"),
        ({"preferred_hour": "noon"}, "not one of the available choices"),
        ({"language_0": ""}, "at least one language"),
        ({"language_0": "ka"}, "isn’t available in this language"),
        ({"topics": ["999999"]}, "Topic not found"),
        ({"topics": ["x"]}, "Topic not found"),
        ({"paused_until": "soon"}, "Enter a date such as"),
        ({"paused_until": "2017-01-01"}, "This day has passed"),
        ({"paused_until": "2999-01-01"}, "up to a year"),
        ({"content": "everything"}, "not one of the available choices"),
        ({"page_language": "ka"}, "not one of the available choices"),
    ],
)
def test_an_invalid_form_explains_the_problem_and_saves_nothing(
    client: Client, add_reader: AddReader, data: dict[str, Any], message: str
) -> None:
    subscription = add_reader("en")
    response = save(client, subscription, **data)
    assert response.status_code == 422
    assert message in response.content.decode()
    subscription.refresh_from_db()
    assert subscription.languages == ("en",)


def test_an_unsubscribed_readers_preferences_offer_to_resubscribe(
    client: Client, add_reader: AddReader
) -> None:
    subscription = add_reader("en")
    lifecycle.unsubscribe(subscription.pk)
    page = client.get(page_path("preferences", subscription.pk))
    assert "You’ve been unsubscribed" in page.content.decode()
    save(client, subscription)
    subscription.refresh_from_db()
    assert subscription.state == "unsubscribed"


def move_up(client: Client, subscription: Subscription, position: object) -> Any:
    chain = dict(enumerate([*subscription.languages, "", ""][:3]))
    data = {f"language_{n}": code for n, code in chain.items()}
    data |= {"page_language": "en", "pictures": "on", "up": str(position)}
    response = client.post(page_path("preferences", subscription.pk), data)
    subscription.refresh_from_db()
    return response


def test_a_button_moves_a_language_up(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en", "be", "ru")
    page = client.get(page_path("preferences", subscription.pk)).content.decode()
    assert page.count('name="up"') == 2
    response = move_up(client, subscription, 2)
    assert subscription.languages == ("en", "ru", "be")
    assert response["Location"].endswith("#languages")
    move_up(client, subscription, 1)
    assert subscription.languages == ("ru", "en", "be")


@pytest.mark.parametrize("position", ["0", "3", "99", "-1", "x", "²"])
def test_an_invalid_position_is_ignored(
    client: Client, add_reader: AddReader, position: str
) -> None:
    subscription = add_reader("en", "be")
    assert move_up(client, subscription, position).status_code == 303
    assert subscription.languages == ("en", "be")


def test_the_enter_key_saves_without_moving_a_language(
    client: Client, add_reader: AddReader
) -> None:
    """Enter presses the form's first button."""
    page = client.get(page_path("preferences", add_reader("en", "be").pk)).content.decode()
    form = page[page.index('class="preferences"') :]
    assert 'name="up"' not in form[: form.index("</button>")]


def test_missing_translations_of_names_are_taken_from_the_next_language(
    client: Client, add_reader: AddReader, issue: Issue, security: Topic
) -> None:
    """Belarusian falls back to Russian, as BE/RU is one choice."""
    security.translations.filter(language="be").delete()
    weekly = security.newsletter
    weekly.translations.filter(language="be").delete()
    pages = [
        client.get("/be/").content.decode(),
        client.get(page_path("preferences", add_reader("be").pk, language="be")).content.decode(),
    ]
    for page in pages:
        assert "Безопасность" in page
        assert "Неделя в фокусе" in page
        assert "Week in View" not in page
