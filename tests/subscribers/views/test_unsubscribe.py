"""Unsubscribing from one newsletter or all, the reasons, and resubscribing (A5, B2, F4)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from newsletter.editorial.models import Newsletter
from subscribers import lifecycle
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription, UnsubscribeReason
from tests.subscribers.conftest import ALA, AddReader
from tests.subscribers.views.urls import page_path

pytestmark = pytest.mark.django_db
Both = tuple[Subscription, Subscription]


@pytest.fixture
def both(add_reader: AddReader, second: Newsletter) -> Both:
    """One reader of two newsletters."""
    other = lifecycle.add_confirmed(
        ALA, newsletter=second, languages=["en"], page_language="en", source="operator"
    )
    return add_reader("en"), other


def states(*subscriptions: Subscription) -> list[str]:
    for each in subscriptions:
        each.refresh_from_db()
    return [each.state for each in subscriptions]


def test_unsubscribing_from_one_keeps_the_other(client: Client, both: Both) -> None:
    client.post(page_path("unsubscribe", both[0].pk))
    assert states(*both) == ["unsubscribed", "active"]


def test_unsubscribing_from_all_can_be_undone(client: Client, both: Both) -> None:
    assert 'name="all"' in client.get(page_path("unsubscribe", both[0].pk)).content.decode()
    client.post(page_path("unsubscribe", both[0].pk), {"all": "1"})
    assert states(*both) == ["unsubscribed", "unsubscribed"]
    client.post(page_path("undo", both[0].pk))
    assert states(*both) == ["active", "active"]


def test_undoing_does_not_restore_earlier_unsubscriptions(client: Client, both: Both) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        client.post(page_path("unsubscribe", both[1].pk))
    client.post(page_path("unsubscribe", both[0].pk), {"all": "1"})
    client.post(page_path("undo", both[0].pk))
    assert states(*both) == ["active", "unsubscribed"]


def test_undoing_works_for_a_day(client: Client, both: Both) -> None:
    client.post(page_path("unsubscribe", both[0].pk), {"all": "1"})
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert (
            page_path("undo", both[0].pk)
            not in client.get(page_path("unsubscribe", both[0].pk)).content.decode()
        )
        client.post(page_path("undo", both[0].pk))
    assert states(*both) == ["unsubscribed", "unsubscribed"]


def test_unsubscribing_from_all_is_offered_to_every_reader(
    client: Client, add_reader: AddReader, second: Newsletter
) -> None:
    """A forwarded email must not reveal the reader's other subscriptions."""
    pages = [client.get(page_path("unsubscribe", add_reader("en").pk)).content]
    lifecycle.add_confirmed(
        ALA, newsletter=second, languages=["en"], page_language="en", source="operator"
    )
    pages.append(
        client.get(
            page_path("unsubscribe", Subscription.objects.get(newsletter__slug="weekly").pk)
        ).content
    )
    assert pages[0] == pages[1]


def test_unsubscribing_from_all_is_not_offered_for_a_single_newsletter(
    client: Client, add_reader: AddReader
) -> None:
    assert (
        'name="all"'
        not in client.get(page_path("unsubscribe", add_reader("en").pk)).content.decode()
    )


def unsubscribe_reasons() -> set[tuple[str, str, int]]:
    return set(UnsubscribeReason.objects.values_list("newsletter__slug", "reason", "readers"))


def test_a_reason_is_stored_as_a_count_only(client: Client, add_reader: AddReader) -> None:
    for number in range(3):
        reader = add_reader("en", address=f"reader{number}@readers.example")
        client.post(
            page_path("unsubscribe", reader.pk), {"reason": "safety" if number else "language"}
        )
    assert unsubscribe_reasons() == {("weekly", "language", 1), ("weekly", "safety", 2)}
    fields = {field.name for field in UnsubscribeReason._meta.get_fields()}
    assert fields == {"id", "newsletter", "year", "reason", "readers"}


@pytest.mark.parametrize("reason", ["", "because", "x" * 500, "sa\0fety"])
def test_an_invalid_reason_is_ignored(client: Client, add_reader: AddReader, reason: str) -> None:
    subscription = add_reader("en")
    assert (
        client.post(page_path("unsubscribe", subscription.pk), {"reason": reason}).status_code
        == 303
    )
    assert states(subscription) == ["unsubscribed"]
    assert not unsubscribe_reasons()


def test_unsubscribing_again_is_not_counted_again(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    for _ in range(3):
        client.post(page_path("unsubscribe", subscription.pk), {"reason": "safety"})
    assert unsubscribe_reasons() == {("weekly", "safety", 1)}


def test_unsubscribing_from_all_counts_each_newsletter(client: Client, both: Both) -> None:
    client.post(page_path("unsubscribe", both[0].pk), {"all": "1", "reason": "too-much"})
    assert unsubscribe_reasons() == {("weekly", "too-much", 1), ("second", "too-much", 1)}


def test_unsubscribing_needs_no_worker_keys(
    client: Client, add_reader: AddReader, settings: Any
) -> None:
    subscription = add_reader("en")
    settings.WORKER_KEYS = None
    client.post(page_path("unsubscribe", subscription.pk), {"all": "1", "reason": "safety"})
    assert states(subscription) == ["unsubscribed"]


def test_the_desk_hides_exact_counts_below_five(admin_client: Client, weekly: Newsletter) -> None:
    """Four readers who unsubscribed for safety might be identified by their dates."""
    few = UnsubscribeReason.objects.create(newsletter=weekly, year=2017, reason="safety", readers=4)
    many = UnsubscribeReason.objects.create(
        newsletter=weekly, year=2017, reason="too-much", readers=4321
    )
    shown = admin_client.get("/admin/subscribers/unsubscribereason/").content.decode()
    rows = re.findall(r'field-reader_count">([^<]*)<', shown)
    assert rows == ["fewer than 5", "4321"]
    assert "It isn’t safe for me to receive it" in shown
    for reason, shown_count in ((few, "fewer than 5"), (many, "4321")):
        page = f"/admin/subscribers/unsubscribereason/{reason.pk}/change/"
        form = admin_client.get(page).content.decode()
        assert shown_count in form
        assert not re.search(r">\s*4\s*<", form)
        assert admin_client.post(page, {"readers": 1}).status_code == 403
    # Sorting and filtering must not reveal more than the page shows.
    sorted_by_number = admin_client.get(
        "/admin/subscribers/unsubscribereason/?o=-4"
    ).content.decode()
    assert re.findall(r'field-reader_count">([^<]*)<', sorted_by_number) == rows
    for hidden in (
        "unsubscribereason/?readers=4",
        "unsubscribereason/?readers__lt=3",
        "subscription/?mailbox_provider=x",
    ):
        assert admin_client.get(f"/admin/subscribers/{hidden}").status_code == 400
    offered = "unsubscribereason/?newsletter__id__exact=1&year=2017"
    assert admin_client.get(f"/admin/subscribers/{offered}").status_code == 200


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_b2_opening_a_page_does_not_unsubscribe(
    client: Client, add_reader: AddReader, method: str
) -> None:
    subscription = add_reader("en")
    one_click = page_path("one-click", subscription.pk)
    for link in (
        page_path("unsubscribe", subscription.pk),
        page_path("undo", subscription.pk),
        page_path("preferences", subscription.pk),
        one_click,
    ):
        getattr(client, method)(link)
    assert states(subscription) == ["active"]
    assert subscription.consents.count() == 1


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_f4_buttons_unsubscribe_and_undo_in_each_language(
    csrf_client: Client, add_reader: AddReader, language: str
) -> None:
    subscription = add_reader("en")
    link = page_path("unsubscribe", subscription.pk, language=language)
    assert f'<html lang="{language}"' in csrf_client.get(link).content.decode()
    response = csrf_client.post(link)
    assert (response.status_code, response["Location"]) == (303, link)
    assert states(subscription) == ["unsubscribed"]
    undo = page_path("undo", subscription.pk, language=language)
    assert undo in csrf_client.get(link).content.decode()
    assert csrf_client.post(undo).status_code == 303
    assert states(subscription) == ["active"]


@pytest.mark.parametrize(
    "body",
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            "One-Click\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["urlencoded", "multipart"],
)
def test_a5_one_click_unsubscribes(
    csrf_client: Client, add_reader: AddReader, body: tuple[str, str], settings: Any
) -> None:
    subscription = add_reader("en")
    link = page_path("one-click", subscription.pk)
    settings.WORKER_KEYS = None
    for _ in range(2):
        response = csrf_client.post(link, data=body[0], content_type=body[1])
        assert response.status_code == 200
        assert not response.cookies
    assert states(subscription) == ["unsubscribed"]
    assert subscription.consents.filter(action="unsubscribed").count() == 1


def test_a5_one_click_is_committed_before_the_response() -> None:
    """Requests aren't wrapped in a transaction; lifecycle's own ends before the response."""
    assert not connection.settings_dict["ATOMIC_REQUESTS"]


@pytest.mark.parametrize(
    "token",
    ["x", "A" * 36, pytest.param(tokens.make(LinkPurpose.PREFERENCES, 1), id="another purpose")],
)
def test_a5_a_forged_one_click_token_is_refused(csrf_client: Client, token: str) -> None:
    assert csrf_client.post(f"/u/{token}/").status_code == 404


def test_a5_a_person_who_opens_the_one_click_url_sees_the_button(
    client: Client, add_reader: AddReader
) -> None:
    subscription = add_reader("be")
    link = page_path("one-click", subscription.pk)
    page = client.get(link).content.decode()
    assert '<html lang="be"' in page
    assert f'action="{page_path("unsubscribe", subscription.pk, language="be")}"' in page
