"""Fixtures of the page tests: an empty cache, a browser that checks CSRF, a second newsletter."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from newsletter.editorial.models import Newsletter


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Reset the rate limits."""
    cache.clear()


@pytest.fixture
def csrf_client(db: None) -> Client:
    """A test client for which Django checks CSRF, as for a browser."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def second(weekly: Newsletter) -> Newsletter:
    """Another newsletter beside the weekly."""
    return Newsletter.objects.create(
        slug="second", languages=["en"], sender_address="desk@news.example.org", time=weekly.time
    )
