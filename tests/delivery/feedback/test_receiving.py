"""What `/hooks/NAME/` takes, and what it refuses without repeating or keeping anything of it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client

from newsletter.delivery.feedback.providers import HOOKS
from subscribers.models import Intake
from tests.conftest import ReportedOutages
from tests.delivery.feedback.conftest import drain
from tests.delivery.feedback.payloads import NOW, Who, body
from tests.delivery.feedback.signing import BASIC, post, send, signed
from tests.subscribers.test_no_address_leaks import SECRET, assert_hidden, database

pytestmark = pytest.mark.django_db

WHO = Who("ala@readers.example")


def hard(provider: str) -> bytes:
    return body(provider, "hard", WHO)


@pytest.mark.parametrize("provider", HOOKS)
def test_an_unsigned_post_is_refused(provider: str, caplog: pytest.LogCaptureFixture) -> None:
    response = post(provider, hard(provider), {})
    # SES sends its password only after it was asked for it.
    assert response.status_code == (401 if provider == "amazon_ses" else 403)
    assert response.content == b""
    assert not Intake.objects.exists()
    assert "readers.example" not in caplog.text


@pytest.mark.parametrize("provider", HOOKS)
def test_a_changed_body_or_a_wrong_secret_is_refused(provider: str, settings: Any) -> None:
    made, headers = signed(provider, hard(provider))
    if HOOKS[provider].is_signed and provider != "mailgun":
        # Mailgun signs a time and a token only.
        changed = made.replace(b"ala", b"eve")
        assert changed != made
        assert post(provider, changed, headers).status_code == 403
    other = {
        "postal": settings.WEBHOOK_SECRETS["postal"][:50] + "AAAA",
        "sendgrid": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
        "resend": "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI=",
    }
    secrets = settings.WEBHOOK_SECRETS
    settings.WEBHOOK_SECRETS = {**secrets, provider: other.get(provider, "user:other")}
    assert post(provider, made, headers).status_code == 403
    assert not Intake.objects.exists()
    settings.WEBHOOK_SECRETS = secrets
    assert post(provider, made, headers).status_code == 200
    assert Intake.objects.get().kind == Intake.Kind.WEBHOOK


@pytest.mark.parametrize("provider", HOOKS)
def test_garbage_is_refused(provider: str, caplog: pytest.LogCaptureFixture) -> None:
    _, headers = signed(provider, hard(provider))
    for garbage in (b"\xff\xfe", b"[]", b"{", b'"ala@readers.example"'):
        if HOOKS[provider].is_signed or provider == "amazon_ses":
            assert post(provider, garbage, headers).status_code == 403
    assert "readers.example" not in caplog.text


@pytest.mark.parametrize("name", ["scaleway", "pigeon", "base"])
def test_an_unknown_provider_is_not_found(name: str) -> None:
    assert post(name, b"{}", {}).status_code == 404


def test_a_provider_that_is_not_switched_on_is_not_found(settings: Any) -> None:
    made, headers = signed("brevo", hard("brevo"))
    settings.WEBHOOKS = ["mailgun"]
    assert post("brevo", made, headers).status_code == 404
    settings.WEBHOOKS = ["brevo"]
    settings.WEBHOOK_SECRETS = {**settings.WEBHOOK_SECRETS, "brevo": ""}
    assert post("brevo", made, headers).status_code == 404
    assert Client().head("/hooks/brevo/").status_code == 404


@pytest.mark.parametrize("provider", HOOKS)
def test_the_test_of_a_url_is_answered(provider: str) -> None:
    """Mandrill sends HEAD, Unisender Go GET, when the URL is configured."""
    client = Client()
    assert client.head(f"/hooks/{provider}/").status_code == 200
    expected = 200 if provider == "unisender_go" else 405
    assert client.get(f"/hooks/{provider}/").status_code == expected
    assert client.put(f"/hooks/{provider}/").status_code == 405


def test_a_post_needs_no_cookie_no_csrf_token_and_no_final_slash() -> None:
    made, headers = signed("postmark", hard("postmark"))
    for path in ("/hooks/postmark/", "/hooks/postmark"):
        response = Client(enforce_csrf_checks=True).post(
            path, made, content_type="application/json", headers=headers
        )
        assert response.status_code == 200
        assert response.content == b""
        assert not response.cookies
    assert Intake.objects.count() == 2


def test_50_mb_are_refused_unread(settings: Any) -> None:
    """H4: the body isn't read; its length is enough."""

    class Unread:
        def read(self, *args: object) -> bytes:
            raise AssertionError("read")

        readline = read

    made, headers = signed("brevo", hard("brevo"))
    extra = {"wsgi.input": Unread(), "CONTENT_LENGTH": "50000000"}
    assert post("brevo", made, headers, **extra).status_code == 413
    settings.WEBHOOK_MAX_BYTES = len(made) - 1
    assert post("brevo", made, headers).status_code == 413
    settings.WEBHOOK_MAX_BYTES = len(made)
    assert post("brevo", made, headers).status_code == 200


def test_a_large_body_within_the_limit_is_taken() -> None:
    """It may be larger than Django's limit for forms."""
    made = json.dumps([json.loads(body("sendgrid", "hard", WHO))[0]] * 12_000).encode()
    assert 2_500_000 < len(made) < 5_000_000
    assert send("sendgrid", made) == 200


def test_a_body_without_its_length_is_refused() -> None:
    made, headers = signed("brevo", hard("brevo"))
    for length in ("", "many", "-1"):
        assert post("brevo", made, headers, CONTENT_LENGTH=length).status_code == 411


@pytest.mark.parametrize("provider", ["mailgun", "sendgrid", "resend"])
def test_a_signed_post_is_too_old_after_a_day(provider: str) -> None:
    made, headers = signed(provider, hard(provider))
    with time_machine.travel(NOW.timestamp() + 25 * 3600, tick=False):
        assert post(provider, made, headers).status_code == 403
    with time_machine.travel(NOW.timestamp() - 3600, tick=False):
        assert post(provider, made, headers).status_code == 403
    if provider != "resend":
        # Mailgun repeats a POST for eight hours. Resend signs again each time.
        with time_machine.travel(NOW.timestamp() + 8 * 3600, tick=False):
            assert post(provider, made, headers).status_code == 200


def test_anymails_own_secret_is_not_demanded_beside_a_signature(settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "another:secret"}
    for provider in ("mailersend", "mailgun", "mandrill", "unisender_go", "brevo"):
        assert send(provider, hard(provider)) == 200


def test_a_lost_database_has_the_provider_try_again(reported: ReportedOutages) -> None:
    def fail(execute: Any, sql: str, *args: Any) -> Any:
        raise DatabaseError("ala@readers.example")

    made, headers = signed("brevo", hard("brevo"))
    with connection.execute_wrapper(fail):
        response = post("brevo", made, headers)
    assert response.status_code == 503
    assert response["Retry-After"] == "60"


def test_a_post_costs_one_statement(django_assert_num_queries: Any) -> None:
    made, headers = signed("sendgrid", body("sendgrid", "hard", *[WHO] * 100))
    with django_assert_num_queries(1):
        assert post("sendgrid", made, headers).status_code == 200


def test_hooks_do_not_exist_under_the_discreet_domain(settings: Any) -> None:
    settings.DISCREET_URL = "https://letters.example"
    settings.ALLOWED_HOSTS = ["letters.example"]
    made, headers = signed("brevo", hard("brevo"))
    assert post("brevo", made, {**headers, "Host": "letters.example"}).status_code == 404


@pytest.mark.parametrize("provider", HOOKS)
def test_g6_g8_no_table_and_no_log_contains_what_was_posted(
    provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made, headers = signed(provider, body(provider, "hard", Who(SECRET)))
    assert post(provider, made, headers).status_code == 200
    assert post(provider, b"x" + made, headers).status_code in {200, 403}
    assert_hidden(database(), "the intake")
    assert BASIC.encode() not in database()
    drain()
    assert_hidden(database(), "the events")
    logs = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert_hidden(logs.encode(), "the log")
    assert "s3cret" not in logs
