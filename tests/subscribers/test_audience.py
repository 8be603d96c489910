"""Who is in the audience of an issue, and the second read."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.editorial.models import Newsletter
from subscribers import audience, lifecycle, personal_data
from subscribers.addresses import Address
from subscribers.audience import Frequency, Segment
from subscribers.crypto.sealing import address_hash, seal_address
from subscribers.models import Subscriber, Subscription, Suppression
from tests.subscribers.conftest import AddReader

BE_RU = Segment(("be", "ru"), "be", None, "", True, False, False)


def test_readers_are_grouped_into_segments(weekly: Newsletter, add_reader: AddReader) -> None:
    first = add_reader("be", "ru", address="a@readers.example")
    english = add_reader("en", address="b@readers.example", topics={3, 7}, content="lead")
    second = add_reader("be", "ru", address="c@readers.example")
    wanted = Segment(("en",), "en", frozenset({3, 7}), "lead", True, False, False)
    assert audience.segments(weekly) == [(BE_RU, 2), (wanted, 1)]
    assert list(audience.stream(weekly)) == [
        (BE_RU, None, first.subscriber_id),
        (BE_RU, None, second.subscriber_id),
        (wanted, None, english.subscriber_id),
    ]


def test_within_a_segment_readers_are_grouped_by_preferred_hour(
    weekly: Newsletter, add_reader: AddReader
) -> None:
    hours = [19, None, 7, 19, None]
    ids = [
        add_reader(
            "be", "ru", address=f"r{number}@readers.example", preferred_hour=hour
        ).subscriber_id
        for number, hour in enumerate(hours)
    ]
    order = [1, 4, 2, 0, 3]
    assert list(audience.stream(weekly)) == [(BE_RU, hours[at], ids[at]) for at in order]
    assert audience.segments(weekly) == [(BE_RU, 5)]


def test_each_frequency_has_its_own_audience(weekly: Newsletter, add_reader: AddReader) -> None:
    monthly = add_reader("be", "ru", address="m@readers.example", frequency="monthly")
    paused = {"frequency": "monthly", "paused_until": date(2099, 1, 1)}
    add_reader("be", "ru", address="p@readers.example", **paused)
    assert not audience.has_readers(weekly, Frequency.WEEKLY)
    assert audience.has_readers(weekly, Frequency.MONTHLY)
    assert audience.segments(weekly) == []
    assert audience.segments(weekly, Frequency.MONTHLY) == [(BE_RU, 1)]
    streamed = list(audience.stream(weekly, Frequency.MONTHLY))
    assert streamed == [(BE_RU, None, monthly.subscriber_id)]


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({}, True),
        ({"state": "pending"}, False),
        ({"state": "unsubscribed"}, False),
        ({"frequency": "monthly"}, False),
        ({"paused_until": date(2017, 8, 2)}, False),
        ({"paused_until": date(2017, 8, 1)}, True),
    ],
)
def test_state_frequency_and_pause_decide_who_is_in_the_audience(
    weekly: Newsletter,
    add_reader: AddReader,
    columns: dict[str, Any],
    wanted: bool,  # noqa: FBT001
) -> None:
    add_reader("be", "ru", **columns)
    with time_machine.travel(date(2017, 8, 1), tick=False):
        assert bool(list(audience.stream(weekly))) is wanted
        assert bool(audience.segments(weekly)) is wanted


def test_suppressed_readers_are_left_out(weekly: Newsletter, add_reader: AddReader) -> None:
    subscription = add_reader("be")
    reader = subscription.subscriber
    Suppression.objects.create(
        address_hash=bytes(reader.address_hash),
        address_hash_key=reader.address_hash_key,
        reason="bounced",
    )
    assert list(audience.stream(weekly)) == []
    assert audience.still_wanted(weekly.pk, [reader.pk]) == {}


@pytest.mark.parametrize(("until", "wanted"), [(date(2017, 8, 2), False), (date(2017, 8, 1), True)])
def test_the_second_read_obeys_a_pause(
    weekly: Newsletter,
    add_reader: AddReader,
    until: date,
    wanted: bool,  # noqa: FBT001
) -> None:
    """A reader who waits for their preferred hour may pause in between."""
    reader = add_reader("be", paused_until=until).subscriber_id
    with time_machine.travel(date(2017, 8, 1), tick=False):
        assert (reader in audience.still_wanted(weekly.pk, [reader])) is wanted


def test_the_second_read_returns_only_current_readers_with_their_addresses(
    weekly: Newsletter, add_reader: AddReader
) -> None:
    stays = add_reader("be", address="Stays@readers.example")
    leaves = add_reader("be", address="leaves@readers.example")
    lifecycle.unsubscribe(leaves.pk)
    found = audience.still_wanted(weekly.pk, [stays.subscriber_id, leaves.subscriber_id, 999])
    reader = found.pop(stays.subscriber_id)
    assert not found
    assert (reader.address, reader.language) == ("Stays@readers.example", "be")
    assert reader.subscription_id == stays.pk
    assert "Stays" not in repr(reader)


def add_readers(newsletter: Newsletter, count: int) -> list[int]:
    readers = []
    for number in range(count):
        address, public_id = Address(f"reader{number}", "readers.example"), uuid.uuid4()
        sealed, hashed = seal_address(address, public_id), address_hash(address)
        readers.append(
            Subscriber(
                public_id=public_id,
                sealed_address=sealed.data,
                storage_key=sealed.key_number,
                address_hash=hashed.digest,
                address_hash_key=hashed.key_number,
                language="be",
            )
        )
    ids = [reader.pk for reader in Subscriber.objects.bulk_create(readers)]
    Subscription.objects.bulk_create(
        Subscription(subscriber_id=pk, newsletter=newsletter, languages=("be",), state="active")
        for pk in ids
    )
    return ids


def test_a_thousand_readers_take_one_query(
    weekly: Newsletter, django_assert_num_queries: Any
) -> None:
    ids = add_readers(weekly, 1000)
    with django_assert_num_queries(1):
        found = audience.still_wanted(weekly.pk, ids)
    assert len(found) == 1000
    with django_assert_num_queries(1):
        assert [pk for _segment, _hour, pk in audience.stream(weekly)] == ids


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by the rows it has")
def test_the_second_read_does_not_scan_all_readers(weekly: Newsletter) -> None:
    """A regression: it scanned them for each STEP, and 100,000 readers took ten times as long."""
    with CaptureQueriesContext(connection) as queries:
        audience.still_wanted(weekly.pk, add_readers(weekly, 3))
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + queries.captured_queries[-1]["sql"])
        steps = [step for *_, step in cursor.fetchall() if " subscription " in step]
    assert len(steps) == 1
    assert steps[0].endswith("(subscriber_id=?)") or "subscriber_id=? AND" in steps[0]


def test_b9_erasure_leaves_only_a_hash(weekly: Newsletter, add_reader: AddReader) -> None:
    subscription = add_reader("be", address="gone@readers.example")
    reader = subscription.subscriber
    digest = bytes(reader.address_hash)
    exported = personal_data.export(reader)
    assert exported["address"] == "gone@readers.example"
    assert exported["reader"]["subscriptions"][0]["consents"][0]["action"] == "recorded"
    personal_data.erase(reader)
    assert not Subscriber.objects.exists()
    assert not Subscription.objects.exists()
    suppression = Suppression.objects.get()
    assert (bytes(suppression.address_hash), suppression.reason) == (digest, "erased")
