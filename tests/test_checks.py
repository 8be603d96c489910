"""The system checks of the configuration: each ID, what causes it, and what passes."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
from django.core.checks import run_checks

from newsletter import checks
from newsletter.lib.environment import is_loopback
from subscribers.crypto import key_check

pytestmark = pytest.mark.django_db

PUBLIC = "https://news.example.org"
RELAY = ["smtp://mail.example.org:587"]


@pytest.fixture(autouse=True)
def valid_configuration(settings: Any) -> None:
    """A configuration that passes every check."""
    settings.KEYS_ARE_TEMPORARY = False
    settings.USES_LOCAL_MAILBOX = False
    settings.DELIVERY_TRANSPORTS = RELAY
    settings.SITE_URL = PUBLIC
    settings.DEBUG = False


def check_ids() -> list[str | None]:
    return [message.id for message in run_checks(tags=[checks.TAG])]


def test_a_code_that_everybody_knows_is_refused(settings: Any) -> None:
    settings.MFA_TOTP_INSECURE_BYPASS_CODE = "123456"
    assert check_ids() == ["newsletter.E010"]


def test_a_valid_configuration_passes() -> None:
    assert check_ids() == []
    checks.require_configuration()


def test_e001_temporary_keys(settings: Any) -> None:
    settings.KEYS_ARE_TEMPORARY = True
    assert check_ids() == ["newsletter.E001"]
    with pytest.raises(SystemExit, match=r"manage\.py keys new"):
        checks.require_configuration()


def test_e001_ignores_commands_that_touch_no_reader(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KEYS_ARE_TEMPORARY = True
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    assert check_ids() == []
    monkeypatch.setattr(sys, "argv", ["manage.py", "add_reader"])
    assert check_ids() == ["newsletter.E001"]


def test_e002_the_local_mailbox_on_a_public_site(settings: Any) -> None:
    settings.USES_LOCAL_MAILBOX = True
    settings.DELIVERY_TRANSPORTS = ["smtp://127.0.0.1:8025"]
    assert check_ids() == ["newsletter.E002"]
    settings.SITE_URL = "http://127.0.0.1:8000"
    assert check_ids() == []


def test_e002_the_local_mailbox_beside_a_relay(settings: Any) -> None:
    settings.USES_LOCAL_MAILBOX = True
    settings.SITE_URL = "http://localhost:8000"
    settings.DELIVERY_TRANSPORTS = [*RELAY, "smtp://127.0.0.1:8025"]
    assert check_ids() == ["newsletter.E002"]


@pytest.mark.parametrize("url", ["smtp://", "carrier-pigeon://loft", "smtp://host:99999"])
def test_e003_an_invalid_transport_url(settings: Any, url: str) -> None:
    settings.DELIVERY_TRANSPORTS = [url]
    assert check_ids() == ["newsletter.E003"]


def test_e003_shows_no_password(settings: Any) -> None:
    settings.DELIVERY_TRANSPORTS = ["smtp://desk:hunter2@mail.example.org:587?conections=8"]
    (message,) = run_checks(tags=[checks.TAG])
    assert "hunter2" not in str(message)
    assert "hunter2" not in str(message.hint)


def test_e003_no_transport_at_all(settings: Any) -> None:
    settings.DELIVERY_TRANSPORTS = []
    assert check_ids() == ["newsletter.E003"]


def test_e004_debug_on_a_public_site(settings: Any) -> None:
    settings.DEBUG = True
    assert check_ids() == ["newsletter.E004"]
    settings.SITE_URL = "http://localhost:8000"
    assert check_ids() == []


def test_w001_a_public_site_without_https(settings: Any) -> None:
    settings.SITE_URL = "http://news.example.org"
    assert check_ids() == ["newsletter.W001"]
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
    assert is_loopback(url) is expected


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
def test_e006_discreet_emails_reveal_the_newsroom(
    settings: Any, url: str, transport: str, ids: list[str]
) -> None:
    settings.SITE_URL = "https://news.example.org"
    settings.DISCREET_URL, settings.DELIVERY_TRANSPORTS = url, [transport]
    found = checks.discreet_domain_is_neutral(None)
    assert [each.id for each in found] == [f"newsletter.{each}" for each in ids]


def test_w003_a_misspelt_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEND_STEPS", "4")
    (message,) = run_checks(tags=[checks.TAG])
    assert message.id == "newsletter.W003"
    assert message.msg == "SEND_STEPS isn't a setting. Did you mean SEND_STEP?"
    checks.require_configuration()


class TestDatabaseDownAtTheStart:
    """E005 is never skipped: a command reports W004, and a service waits."""

    @pytest.fixture
    def comparisons(self, monkeypatch: pytest.MonkeyPatch) -> list[list[str] | None]:
        """Return a list for the next comparisons' results. None means that the database is down."""
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
        assert check_ids() == ["newsletter.W004"]

    def test_a_service_compares_its_keys_once_the_database_is_back(
        self, comparisons: list[list[str] | None]
    ) -> None:
        comparisons += [None, None, ["tokens 1: not the key of this database"]]
        with pytest.raises(SystemExit, match=r"newsletter\.E005"):
            checks.require_configuration()
        assert comparisons == []

    def test_a_service_does_not_start_without_the_comparison(
        self, comparisons: list[list[str] | None]
    ) -> None:
        comparisons.append(None)
        with pytest.raises(SystemExit, match=r"newsletter\.W004"):
            checks.require_configuration(wait_seconds=0)


def test_e008_alert_urls_that_apprise_does_not_know(settings: Any) -> None:
    settings.ALERT_URLS = ["json://127.0.0.1:9/", "nosuch://x"]

    [message] = run_checks(tags=[checks.TAG])

    assert message.id == "newsletter.E008"
    assert "URL 2" in message.msg
    assert "nosuch" not in message.msg


def test_e008_apprise_is_not_installed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALERT_URLS = ["json://127.0.0.1:9/"]
    monkeypatch.setitem(sys.modules, "apprise", None)

    [message] = run_checks(tags=[checks.TAG])

    assert message.id == "newsletter.E008"
    assert "tydzen[alerts]" in str(message.hint)


def test_e009_a_webhook_without_a_secret(settings: Any) -> None:
    """D10: a missing secret stops startup."""
    settings.WEBHOOKS = ["mailgun", "brevo"]
    settings.WEBHOOK_SECRETS = {**settings.WEBHOOK_SECRETS, "brevo": "user:password"}
    (message,) = run_checks(tags=[checks.TAG])
    assert message.id == "newsletter.E009"
    assert "WEBHOOK_SECRET_MAILGUN" in message.msg
    with pytest.raises(SystemExit, match="WEBHOOK_SECRET_MAILGUN"):
        checks.require_configuration()
    settings.WEBHOOK_SECRETS = {**settings.WEBHOOK_SECRETS, "mailgun": "key"}
    assert check_ids() == []


@pytest.mark.parametrize(
    ("provider", "secret"),
    [
        ("brevo", "no-colon"),
        ("brevo", ":password"),
        ("sendgrid", "hunter2"),
        ("resend", "whsec_%%"),
    ],
)
def test_e009_a_secret_that_cannot_be_used(settings: Any, provider: str, secret: str) -> None:
    settings.WEBHOOKS = [provider]
    settings.WEBHOOK_SECRETS = {**settings.WEBHOOK_SECRETS, provider: secret}
    (message,) = run_checks(tags=[checks.TAG])
    assert message.id == "newsletter.E009"
    assert "hunter2" not in str(message)


def test_w005_a_provider_that_cannot_report_bounces(settings: Any) -> None:
    settings.DELIVERY_TRANSPORTS = [
        "anymail+mailgun://?api_key=k",
        "anymail+scaleway://?secret_key=s&project_id=p",
    ]
    settings.WEBHOOKS = []
    (message,) = run_checks(tags=[checks.TAG])
    assert message.id == "newsletter.W005"
    assert message.msg.startswith("mailgun ")
