"""Browsers in which an account was signed in to before: a stranger's guesses don't slow them down.

A signed cookie names the browser by a random ID, and the accounts by keyed hashes. Nothing is kept
on the server.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

COOKIE = "desk-browser"
YEAR = 365 * 24 * 3600
MOST_ACCOUNTS = 8
_SALT = "desk.sign_in.browser"


def known_browser(request: HttpRequest, username: str) -> str:
    """Return the browser's ID if the account was signed in to with it before, or else ""."""
    browser, accounts = _read(request)
    return browser if _hash(username) in accounts else ""


def remember(request: HttpRequest, response: HttpResponseBase, username: str) -> None:
    """Let the browser keep that the account was signed in to with it."""
    browser, accounts = _read(request)
    mine = _hash(username)
    kept = [mine, *(each for each in accounts if each != mine)][:MOST_ACCOUNTS]
    response.set_cookie(
        COOKIE,
        signing.dumps([browser or secrets.token_hex(8), kept], salt=_SALT),
        max_age=YEAR,
        path=settings.LANGUAGE_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def family(user_agent: str) -> str:
    """Return the browser's name and system, such as “Firefox, Linux”. Pure.

    No more than that is kept: versions and models would tell people's devices apart.
    """
    names = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("YaBrowser", "Yandex Browser"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]
    systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]
    found = [
        next((name for mark, name in table if mark in user_agent), "") for table in (names, systems)
    ]
    return ", ".join(part for part in found if part)


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        browser, accounts = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=YEAR)
    except signing.BadSignature:
        return "", []
    return browser, accounts


def _hash(username: str) -> str:
    return salted_hmac(_SALT, username, algorithm="sha256").hexdigest()[:24]
