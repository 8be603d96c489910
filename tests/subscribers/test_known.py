"""What a sign-up asks the database for once in some seconds, and what it never takes from there."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from newsletter.editorial.models import Newsletter
from subscribers import inbox, known
from subscribers.models import Inbox, Subscription

FORM = {"email": "ala@readers.example", "choices": "en"}


def test_a_newsletter_is_looked_up_once(
    weekly: Newsletter, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        assert known.newsletter("weekly") == weekly
        assert known.newsletter("weekly") == weekly


def test_a_change_is_seen_after_some_seconds(
    weekly: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.newsletter("weekly")
    Newsletter.objects.update(languages=["be"])
    monkeypatch.setattr(known, "SECONDS", 0.0)
    found = known.newsletter("weekly")
    assert found is not None
    assert found.languages == ["be"]


def test_what_does_not_exist_is_not_kept(weekly: Newsletter) -> None:
    assert known.newsletter("monthly") is None
    weekly.pk, weekly.slug = None, "monthly"
    weekly.save()
    assert known.newsletter("monthly") == weekly


def test_a_sign_up_is_one_statement(
    client: Client, weekly: Newsletter, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """500 of them a second is the measure (benchmarks/signups.py)."""
    client.post("/en/embed/weekly/", FORM)
    with django_assert_num_queries(1):
        assert client.post("/en/embed/weekly/", FORM).status_code == 303


def test_a_language_withdrawn_meanwhile_is_not_subscribed(
    client: Client, weekly: Newsletter
) -> None:
    """The worker asks the database, whatever the web process still knew."""
    known.newsletter("weekly")
    Newsletter.objects.update(languages=["be", "ru"], choices=[])
    assert client.post("/en/embed/weekly/", FORM).status_code == 303
    assert Inbox.objects.count() == 1
    inbox.drain(10)
    assert not Subscription.objects.exists()


def test_one_that_was_removed_meanwhile(client: Client, weekly: Newsletter) -> None:
    known.newsletter("weekly")
    Newsletter.objects.all().delete()
    assert client.post("/en/embed/weekly/", FORM).status_code == 303
    inbox.drain(10)
    assert not Subscription.objects.exists()
