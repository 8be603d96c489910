"""Slows down whoever guesses passwords or codes, without keeping anybody out (I4).

Wrong passwords are counted per account and source: the browser, if the account was signed in to
with it before, or else the visitor's network. A second, gentler count per account covers all
browsers that are new to it; it never stops a person whose account has a second factor, because
their password alone opens nothing. So a stranger can slow down only strangers.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from newsletter.delivery.models import PasswordGuessing
from newsletter.desk.sign_in import browsers
from newsletter.desk.sign_in.counters import Counter
from newsletter.editorial.models import User
from subscribers.antiabuse.rate_limits import network_of

MANY = 50
"""So many wrong passwords within a day, from elsewhere, raise an alert."""


@dataclass(frozen=True)
class Attempt:
    """Somebody who wants to sign in to the account, whether or not it exists."""

    username: str
    source: str
    is_known: bool

    @property
    def passwords(self) -> Counter:
        return Counter(("password", self.username, self.source))

    @property
    def codes(self) -> Counter:
        return Counter(("code", self.username, self.source))

    @property
    def passwords_from_elsewhere(self) -> Counter:
        """All wrong passwords for the account from browsers that are new to it."""
        return Counter(("elsewhere", self.username), free=20, first=60, longest=900)

    @property
    def codes_from_elsewhere(self) -> Counter:
        """Wrong codes from browsers that are new to the account: they know its password."""
        return Counter(("codes elsewhere", self.username), free=15, first=60, longest=3600)

    def count_wrong_password(self) -> None:
        self.passwords.count()
        if self.is_known:
            return
        failures = self.passwords_from_elsewhere.count()
        if failures >= MANY:
            _report(self.username, failures)

    def seconds_until_next_code(self) -> int:
        elsewhere = 0 if self.is_known else self.codes_from_elsewhere.seconds_to_wait()
        return max(self.codes.seconds_to_wait(), elsewhere)

    def count_wrong_code(self) -> None:
        self.codes.count()
        if not self.is_known:
            self.codes_from_elsewhere.count()

    def forget(self) -> None:
        """Start over for this source: it has signed in."""
        self.passwords.forget()
        self.codes.forget()


def attempt(request: HttpRequest, username: str) -> Attempt:
    name = User.normalize_username(username)[:150]
    browser = browsers.known_browser(request, name)
    return Attempt(name, f"browser {browser}" if browser else _network(request), bool(browser))


def resets_of(request: HttpRequest, email: str) -> tuple[Counter, Counter]:
    """Return the counters of password emails to one address, and of those that one source asks
    for."""
    per_address = Counter(("reset", email.lower()), free=3, first=900, longest=6 * 3600)
    per_source = Counter(("resets", _network(request)), free=20, first=600, longest=6 * 3600)
    return per_address, per_source


def _network(request: HttpRequest) -> str:
    """Return the visitor's network. It only ever becomes part of a keyed hash."""
    network = network_of(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.TRUSTED_PROXIES,
    )
    return f"network {network or 'unknown'}"


def _report(username: str, failures: int) -> None:
    """Have the owner and the staff told (delivery.oversight.problems), of the account only."""
    user = User.objects.filter(username=username).first()
    if user is not None:
        PasswordGuessing.objects.update_or_create(
            user=user, defaults={"failures": failures, "last_at": timezone.now()}
        )
