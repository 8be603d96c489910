"""The cache of newsletters: few queries per sign-up, and no stale decisions."""

from __future__ import annotations

import pytest
from django.http import Http404
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from newsletter.editorial.models import Newsletter
from subscribers import intake
from subscribers.models import Intake, Subscription
from subscribers.views import signup

FORM = {"email": "ala@readers.example", "choices": "en"}


def test_a_newsletter_is_queried_once(
    weekly: Newsletter, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        assert signup.cached_newsletter("weekly") == weekly
        assert signup.cached_newsletter("weekly") == weekly


def test_a_change_shows_after_a_few_seconds(
    weekly: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    signup.cached_newsletter("weekly")
    Newsletter.objects.update(languages=["be"])
    monkeypatch.setattr(signup, "CACHE_SECONDS", 0.0)
    assert signup.cached_newsletter("weekly").languages == ["be"]


def test_an_unknown_slug_is_not_cached(weekly: Newsletter) -> None:
    with pytest.raises(Http404):
        signup.cached_newsletter("monthly")
    weekly.pk, weekly.slug = None, "monthly"
    weekly.save()
    assert signup.cached_newsletter("monthly") == weekly


def test_a_sign_up_runs_one_query(
    client: Client, weekly: Newsletter, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The goal is 500 sign-ups a second (benchmarks/signups.py)."""
    client.post("/en/embed/weekly/", FORM)
    with django_assert_num_queries(1):
        assert client.post("/en/embed/weekly/", FORM).status_code == 303


def test_a_language_withdrawn_before_processing_is_not_subscribed(
    client: Client, weekly: Newsletter
) -> None:
    """The worker queries the database, whatever the web process has cached."""
    signup.cached_newsletter("weekly")
    Newsletter.objects.update(languages=["be", "ru"], choices=[])
    assert client.post("/en/embed/weekly/", FORM).status_code == 303
    assert Intake.objects.count() == 1
    intake.drain(10)
    assert not Subscription.objects.exists()


def test_a_newsletter_removed_before_processing_is_not_subscribed(
    client: Client, weekly: Newsletter
) -> None:
    signup.cached_newsletter("weekly")
    Newsletter.objects.all().delete()
    assert client.post("/en/embed/weekly/", FORM).status_code == 303
    intake.drain(10)
    assert not Subscription.objects.exists()
