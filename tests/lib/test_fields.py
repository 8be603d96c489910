"""Language chains and topic sets: the values in a model, and the text in the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Count
from django.test import Client

from newsletter.editorial.models import Newsletter
from newsletter.lib.fields import join_chain, join_topics, split_chain, split_topics
from subscribers.models import Subscriber, Subscription

Add = Any


@pytest.fixture
def add(weekly: Newsletter) -> Add:
    """A function that saves a subscription with the given columns and reads it back."""

    def make(**columns: Any) -> Subscription:
        number = Subscriber.objects.count()
        reader = Subscriber.objects.create(
            address_hash=bytes([number]),
            address_hash_key=1,
            storage_key=1,
            sealed_address=b"",
            language="en",
        )
        made = Subscription.objects.create(subscriber=reader, newsletter=weekly, **columns)
        return Subscription.objects.get(pk=made.pk)

    return make


def stored(subscription: Subscription) -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT languages, topics FROM subscribers_subscription WHERE id = %s",
            [subscription.pk],
        )
        row: tuple[str, str] = cursor.fetchone()
    return row


@pytest.mark.parametrize(
    ("text", "chain"), [("be,ru", ("be", "ru")), ("en", ("en",)), ("", ()), (",en,", ("en",))]
)
def test_a_chain_keeps_its_order(text: str, chain: tuple[str, ...]) -> None:
    assert split_chain(text) == chain
    assert split_chain(join_chain(chain)) == chain


def test_topics_are_stored_in_ascending_order() -> None:
    assert join_topics({11, 3, 7}) == "3,7,11"
    assert split_topics("3,7,11") == frozenset({3, 7, 11})
    assert join_topics(None) == join_topics(frozenset()) == ""
    assert split_topics("") is None


def test_the_database_stores_text(add: Add) -> None:
    chosen = add(languages=["be", "ru"], topics={7, 3})
    assert (chosen.languages, chosen.topics) == (("be", "ru"), {3, 7})
    assert stored(chosen) == ("be,ru", "3,7")
    columns: list[dict[str, Any]] = [{}, {"topics": None}, {"topics": frozenset()}]
    for topics in columns:
        other = add(languages=("en",), **topics)
        assert other.topics is None
        assert stored(other) == ("en", "")


def test_readers_are_grouped_in_the_database(add: Add) -> None:
    add(languages=("be", "ru"), topics={3, 7})
    add(languages=("be", "ru"), topics={7, 3})
    add(languages=("ru", "be"))
    rows = Subscription.objects.values_list("languages", "topics").annotate(readers=Count("pk"))
    assert list(rows.order_by("languages")) == [
        (("be", "ru"), frozenset({3, 7}), 2),
        (("ru", "be"), None, 1),
    ]


def test_each_stored_text_is_parsed_once(add: Add) -> None:
    for _ in range(2):
        add(languages=("be", "ru"), topics={3, 7})
    first, second = Subscription.objects.values_list("languages", "topics")
    assert first[0] is second[0]
    assert first[1] is second[1]


def test_lookups_accept_values_and_text(add: Add) -> None:
    wanted = add(languages=("be", "ru"), topics={3, 7})
    add(languages=("ru", "be"))
    for lookup in (
        {"languages": ("be", "ru")},
        {"languages": "be,ru"},
        {"languages__startswith": "be"},
        {"languages__in": [("be", "ru"), ("en",)]},
        {"topics": {7, 3}},
    ):
        assert Subscription.objects.get(**lookup) == wanted
    assert Subscription.objects.filter(topics=None).count() == 1


def test_text_cannot_be_saved_as_a_chain(add: Add) -> None:
    """Iterating over "be" would give two languages, "b" and "e"."""
    with pytest.raises(TypeError, match="languages takes a collection, not the text 'be'"):
        add(languages="be")
    with pytest.raises(TypeError, match="topics takes a collection"):
        Subscription.objects.update(topics="3,7")


def test_a_subscription_needs_a_language(add: Add) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        add()


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"languages": ()}, "languages"),
        ({"languages": ("be", "Not a code")}, "languages"),
        ({"languages": ("be",) * 40}, "languages"),
        ({"topics": set(range(1000, 1100))}, "topics"),
    ],
    ids=["empty", "not a code", "text too long", "topics too long"],
)
def test_validation_names_the_field(add: Add, columns: dict[str, Any], field: str) -> None:
    subscription = add(languages=("be",), topics={3})
    subscription.full_clean()
    for name, value in columns.items():
        setattr(subscription, name, value)
    with pytest.raises(ValidationError) as caught:
        subscription.full_clean()
    assert list(caught.value.message_dict) == [field]


def test_a_dump_can_be_loaded(add: Add) -> None:
    add(languages=("be", "ru"), topics={3, 7})
    dumped = serializers.serialize("json", Subscription.objects.all())
    assert '"languages": "be,ru", "topics": "3,7"' in dumped
    (loaded,) = serializers.deserialize("json", dumped)
    assert isinstance(loaded.object, Subscription)
    assert (loaded.object.languages, loaded.object.topics) == (("be", "ru"), frozenset({3, 7}))


def test_the_desk_filters_by_chain(admin_client: Client, add: Add) -> None:
    add(languages=("be", "ru"))
    add(languages=("en",))
    page = admin_client.get("/admin/subscribers/subscription/").content.decode()
    assert "?languages=be%2Cru" in page
    assert "be, ru</td>" in page
    found = admin_client.get("/admin/subscribers/subscription/?languages=be%2Cru")
    assert [row.languages for row in found.context["cl"].result_list] == [("be", "ru")]
