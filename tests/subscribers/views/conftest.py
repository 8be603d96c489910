"""Fixtures of the page tests: an empty cache, a browser that checks CSRF, a second newsletter."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from newsletter.editorial.models import Newsletter
from subscribers import suppression
from subscribers.crypto.sealing import AddressHash
from subscribers.models import Subscriber


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


def complain(reader: Subscriber) -> None:
    """Suppress the reader's address as if they had reported an email as spam."""
    suppression.suppress(
        AddressHash(reader.address_hash_key, bytes(reader.address_hash)), "complained"
    )
