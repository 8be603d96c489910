"""The desk's cast: an editor and a translator, with the permissions of their groups."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from newsletter.desk.groups import EDITORS, TRANSLATORS
from newsletter.editorial.models import User


def _staff(name: str, group: str) -> Client:
    user = User.objects.create_user(name, password="sign-me-in", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_editor(db: None) -> Client:
    return _staff("alena", EDITORS)


@pytest.fixture
def as_translator(db: None) -> Client:
    return _staff("taras", TRANSLATORS)
