"""Leaving one newsletter or all, why, and the way back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.editorial.models import Newsletter
from subscribers import lifecycle
from subscribers.links import tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.models import Subscription, UnsubscribeReason
from tests.subscribers.conftest import ALA, AddReader

pytestmark = pytest.mark.django_db
Both = tuple[Subscription, Subscription]


@pytest.fixture
def second(weekly: Newsletter) -> Newsletter:
    return Newsletter.objects.create(
        slug="second", languages=["en"], sender_address="desk@news.example.org", time=weekly.time
    )


@pytest.fixture
def both(add_reader: AddReader, second: Newsletter) -> Both:
    """One reader of two newsletters."""
    other = lifecycle.add_confirmed(
        ALA, newsletter=second, languages=["en"], page_language="en", source="operator"
    )
    return add_reader("en"), other


def url(subscription: Subscription, name: str = "unsubscribe") -> str:
    token = tokens.make(LinkPurpose.UNSUBSCRIBE, subscription.pk)
    return reverse(f"subscribers:{name}", args=[token])


def states(*subscriptions: Subscription) -> list[str]:
    for each in subscriptions:
        each.refresh_from_db()
    return [each.state for each in subscriptions]


def test_leaving_one_leaves_the_other(client: Client, both: Both) -> None:
    client.post(url(both[0]))
    assert states(*both) == ["unsubscribed", "active"]


def test_leaving_all_and_undoing_it(client: Client, both: Both) -> None:
    assert 'name="all"' in client.get(url(both[0])).content.decode()
    client.post(url(both[0]), {"all": "1"})
    assert states(*both) == ["unsubscribed", "unsubscribed"]
    client.post(url(both[0], "undo"))
    assert states(*both) == ["active", "active"]


def test_undoing_brings_back_nothing_that_was_left_before(client: Client, both: Both) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        client.post(url(both[1]))
    client.post(url(both[0]), {"all": "1"})
    client.post(url(both[0], "undo"))
    assert states(*both) == ["active", "unsubscribed"]


def test_undoing_is_over_after_a_day(client: Client, both: Both) -> None:
    client.post(url(both[0]), {"all": "1"})
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert url(both[0], "undo") not in client.get(url(both[0])).content.decode()
        client.post(url(both[0], "undo"))
    assert states(*both) == ["unsubscribed", "unsubscribed"]


def test_all_is_offered_to_each_reader_alike(
    client: Client, add_reader: AddReader, second: Newsletter
) -> None:
    """Whoever was passed a mail does not learn what else its reader gets."""
    pages = [client.get(url(add_reader("en"))).content]
    lifecycle.add_confirmed(
        ALA, newsletter=second, languages=["en"], page_language="en", source="operator"
    )
    pages.append(client.get(url(Subscription.objects.get(newsletter__slug="weekly"))).content)
    assert pages[0] == pages[1]


def test_all_is_not_offered_where_there_is_one(client: Client, add_reader: AddReader) -> None:
    assert 'name="all"' not in client.get(url(add_reader("en"))).content.decode()


def unsubscribe_reasons() -> set[tuple[str, str, int]]:
    return set(UnsubscribeReason.objects.values_list("newsletter__slug", "reason", "readers"))


def test_a_reason_is_a_count(client: Client, add_reader: AddReader) -> None:
    for number in range(3):
        reader = add_reader("en", address=f"reader{number}@readers.example")
        client.post(url(reader), {"reason": "safety" if number else "language"})
    assert unsubscribe_reasons() == {("weekly", "language", 1), ("weekly", "safety", 2)}
    fields = {field.name for field in UnsubscribeReason._meta.get_fields()}
    assert fields == {"id", "newsletter", "year", "reason", "readers"}


@pytest.mark.parametrize("reason", ["", "because", "x" * 500, "sa\0fety"])
def test_another_reason_is_not_counted_and_does_no_harm(
    client: Client, add_reader: AddReader, reason: str
) -> None:
    subscription = add_reader("en")
    assert client.post(url(subscription), {"reason": reason}).status_code == 303
    assert states(subscription) == ["unsubscribed"]
    assert not unsubscribe_reasons()


def test_leaving_again_is_not_counted_again(client: Client, add_reader: AddReader) -> None:
    subscription = add_reader("en")
    for _time in range(3):
        client.post(url(subscription), {"reason": "safety"})
    assert unsubscribe_reasons() == {("weekly", "safety", 1)}


def test_leaving_all_counts_each(client: Client, both: Both) -> None:
    client.post(url(both[0]), {"all": "1", "reason": "too-much"})
    assert unsubscribe_reasons() == {("weekly", "too-much", 1), ("second", "too-much", 1)}


def test_leaving_needs_no_keys(client: Client, add_reader: AddReader, settings: Any) -> None:
    subscription = add_reader("en")
    settings.WORKER_KEYS = None
    client.post(url(subscription), {"all": "1", "reason": "safety"})
    assert states(subscription) == ["unsubscribed"]


def test_the_desk_tells_reasons_but_not_of_a_few(admin_client: Client, weekly: Newsletter) -> None:
    """Four who left because it is not safe may be known by the days they left on."""
    few = UnsubscribeReason.objects.create(newsletter=weekly, year=2017, reason="safety", readers=4)
    many = UnsubscribeReason.objects.create(
        newsletter=weekly, year=2017, reason="too-much", readers=4321
    )
    shown = admin_client.get("/admin/subscribers/unsubscribereason/").content.decode()
    rows = re.findall(r'field-how_many">([^<]*)<', shown)
    assert rows == ["fewer than 5", "4321"]
    assert "It isn’t safe for me to receive it" in shown
    for departure, told in ((few, "fewer than 5"), (many, "4321")):
        page = f"/admin/subscribers/unsubscribereason/{departure.pk}/change/"
        form = admin_client.get(page).content.decode()
        assert told in form
        assert not re.search(r">\s*4\s*<", form)
        assert admin_client.post(page, {"readers": 1}).status_code == 403
    # No order and no filter tells more than is shown.
    sorted_by_number = admin_client.get(
        "/admin/subscribers/unsubscribereason/?o=-4"
    ).content.decode()
    assert re.findall(r'field-how_many">([^<]*)<', sorted_by_number) == rows
    for hidden in (
        "unsubscribereason/?readers=4",
        "unsubscribereason/?readers__lt=3",
        "subscription/?mailbox_provider=x",
    ):
        assert admin_client.get(f"/admin/subscribers/{hidden}").status_code == 400
    offered = "unsubscribereason/?newsletter__id__exact=1&year=2017"
    assert admin_client.get(f"/admin/subscribers/{offered}").status_code == 200
