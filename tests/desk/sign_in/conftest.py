"""Browsers, an editor with an authenticator app, and what their app shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client

from newsletter.desk.sign_in.adapters import SecondFactorAdapter
from newsletter.editorial.models import User

PASSWORD = "sign-me-in"
SECRET = "JBSWY3DPEHPK3PXP"
HOME, ELSEWHERE = "192.0.2.77", "203.0.113.99"


@pytest.fixture(autouse=True)
def fresh_counters() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def browser(address: str = HOME) -> Client:
    """Return a browser at this address, behind the proxy."""
    return Client(headers={"X-Forwarded-For": address, "User-Agent": "Firefox/140 Linux"})


def password(client: Client, word: str = PASSWORD, name: str = "editor", **extra: str) -> Any:
    return client.post("/admin/login/", {"username": name, "password": word, **extra})


def code(client: Client, digits: str = "", **extra: str) -> Any:
    return client.post("/admin/login/code/", {"code": digits or app_code(), **extra})


def app_code(secret: str = SECRET, *, period: int = 0) -> str:
    """Return what the app shows, in one of three periods around now: each works once."""
    counter = list(totp.yield_hotp_counters_from_time())[period]
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


@pytest.fixture
def protected(editor: User) -> User:
    """The editor, with an app and recovery codes."""
    secret = SecondFactorAdapter().encrypt(SECRET)
    Authenticator.objects.create(user=editor, type="totp", data={"secret": secret})
    RecoveryCodes.activate(editor)
    return editor


@pytest.fixture
def recovery_codes(protected: User) -> list[str]:
    return list(
        Authenticator.objects.get(user=protected, type="recovery_codes").wrap().get_unused_codes()
    )
