"""The configuration's checks: each id, its cause, and what is let through."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
from django.core.checks import run_checks

from newsletter import checks
from subscribers.crypto import key_check

pytestmark = pytest.mark.django_db

PUBLIC = "https://news.example.org"
RELAY = ["smtp://mail.example.org:587"]


@pytest.fixture(autouse=True)
def sound(settings: Any) -> None:
    """A configuration that every check is content with."""
    settings.KEYS_ARE_TEMPORARY = False
    settings.USES_LOCAL_MAILBOX = False
    settings.DELIVERY_TRANSPORTS = RELAY
    settings.SITE_URL = PUBLIC
    settings.DEBUG = False


def found() -> list[str | None]:
    return [message.id for message in run_checks(tags=[checks.TAG])]


def test_a_sound_configuration_passes() -> None:
    assert found() == []
    checks.require_configuration()


def test_e001_temporary_keys(settings: Any) -> None:
    settings.KEYS_ARE_TEMPORARY = True
    assert found() == ["newsletter.E001"]
    with pytest.raises(SystemExit, match=r"manage\.py keys new"):
        checks.require_configuration()


def test_e001_lets_through_what_touches_no_reader(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KEYS_ARE_TEMPORARY = True
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    assert found() == []
    monkeypatch.setattr(sys, "argv", ["manage.py", "add_reader"])
    assert found() == ["newsletter.E001"]


def test_e002_the_local_mailbox_in_public(settings: Any) -> None:
    settings.USES_LOCAL_MAILBOX = True
    settings.DELIVERY_TRANSPORTS = ["smtp://127.0.0.1:8025"]
    assert found() == ["newsletter.E002"]
    settings.SITE_URL = "http://127.0.0.1:8000"
    assert found() == []


def test_e002_the_local_mailbox_beside_a_relay(settings: Any) -> None:
    settings.USES_LOCAL_MAILBOX = True
    settings.SITE_URL = "http://localhost:8000"
    settings.DELIVERY_TRANSPORTS = [*RELAY, "smtp://127.0.0.1:8025"]
    assert found() == ["newsletter.E002"]


@pytest.mark.parametrize("url", ["smtp://", "carrier-pigeon://loft", "smtp://host:99999"])
def test_e003_a_transport_that_cannot_be_used(settings: Any, url: str) -> None:
    settings.DELIVERY_TRANSPORTS = [url]
    assert found() == ["newsletter.E003"]


def test_e003_shows_no_password(settings: Any) -> None:
    settings.DELIVERY_TRANSPORTS = ["smtp://desk:hunter2@mail.example.org:587?conections=8"]
    (message,) = run_checks(tags=[checks.TAG])
    assert "hunter2" not in str(message)
    assert "hunter2" not in str(message.hint)


def test_e003_no_transport_at_all(settings: Any) -> None:
    settings.DELIVERY_TRANSPORTS = []
    assert found() == ["newsletter.E003"]


def test_e004_debug_in_public(settings: Any) -> None:
    settings.DEBUG = True
    assert found() == ["newsletter.E004"]
    settings.SITE_URL = "http://localhost:8000"
    assert found() == []


def test_w001_links_in_clear(settings: Any) -> None:
    settings.SITE_URL = "http://news.example.org"
    assert found() == ["newsletter.W001"]
    checks.require_configuration()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://0.0.0.0:8000", False),
        ("http://192.168.1.4", False),
        ("https://localhost.example.org", False),
        ("https://news.example.org", False),
    ],
)
def test_loopback(url: str, *, expected: bool) -> None:
    assert checks.is_loopback(url) is expected


@pytest.mark.parametrize(
    ("url", "transport", "ids"),
    [
        ("", "smtp://relay.example:25?return_path=bounces.example.org", []),
        ("https://notes.example.net", "smtp://relay.example:25", []),
        (
            "https://notes.example.net",
            "smtp://relay.example:25?return_path=b.example.org",
            ["E006"],
        ),
        ("https://news.example.org", "smtp://relay.example:25", ["E006"]),
    ],
)
def test_discretion_is_kept(settings: Any, url: str, transport: str, ids: list[str]) -> None:
    settings.SITE_URL = "https://news.example.org"
    settings.DISCREET_URL, settings.DELIVERY_TRANSPORTS = url, [transport]
    found = checks.discreet_domain_is_neutral(None)
    assert [each.id for each in found] == [f"newsletter.{each}" for each in ids]


def test_w003_a_variable_with_a_slip_in_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEND_STEPS", "4")
    (message,) = run_checks(tags=[checks.TAG])
    assert message.id == "newsletter.W003"
    assert message.msg == "SEND_STEPS isn't a setting. Did you mean SEND_STEP?"
    checks.require_configuration()


class TestDatabaseDownAtTheStart:
    """E005 is not skipped: a command says so, and a service waits."""

    @pytest.fixture
    def comparisons(self, monkeypatch: pytest.MonkeyPatch) -> list[list[str] | None]:
        """What the next comparisons come to; None is a database that is down."""
        answers: list[list[str] | None] = []

        def check() -> list[str]:
            if (answer := answers.pop(0)) is None:
                raise key_check.CannotCompareError("OperationalError")
            return answer

        monkeypatch.setattr(key_check, "check", check)
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        return answers

    def test_w004_is_reported(self, comparisons: list[list[str] | None]) -> None:
        comparisons.append(None)
        assert found() == ["newsletter.W004"]

    def test_a_service_compares_as_soon_as_it_is_back(
        self, comparisons: list[list[str] | None]
    ) -> None:
        comparisons += [None, None, ["tokens 1: not the key of this database"]]
        with pytest.raises(SystemExit, match=r"newsletter\.E005"):
            checks.require_configuration()
        assert comparisons == []

    def test_a_service_does_not_start_uncompared(self, comparisons: list[list[str] | None]) -> None:
        comparisons.append(None)
        with pytest.raises(SystemExit, match=r"newsletter\.W004"):
            checks.require_configuration(wait_seconds=0)
