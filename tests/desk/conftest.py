"""The desk's cast: one person of each role, for all newsletters and languages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from newsletter.desk.access.roles import EDITOR, PUBLISHER, TRANSLATOR
from newsletter.editorial.models import Membership, Newsletter, User


def hire(
    name: str, role: str, newsletter: Newsletter | None = None, languages: tuple[str, ...] = ()
) -> Client:
    """Give somebody the role, and return their browser."""
    user = User.objects.filter(username=name).first() or User.objects.create_user(
        name, password="sign-me-in", is_staff=True
    )
    group = Group.objects.get(name=role)
    Membership.objects.create(user=user, role=group, newsletter=newsletter, languages=languages)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_publisher(db: None) -> Client:
    return hire("adam", PUBLISHER)


@pytest.fixture
def as_editor(db: None) -> Client:
    return hire("alena", EDITOR)


@pytest.fixture
def as_translator(db: None) -> Client:
    return hire("taras", TRANSLATOR)
