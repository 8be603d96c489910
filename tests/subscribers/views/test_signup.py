"""Signing up with the form on the site (B1, B7, F4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from newsletter.editorial.models import Newsletter
from subscribers import intake, lifecycle
from subscribers.models import Intake, Subscription, TransactionalEmail
from tests.subscribers.conftest import ALA, AddReader, Ask, filled
from tests.subscribers.views.conftest import complain

pytestmark = pytest.mark.django_db


def sign_up(client: Client, *, language: str = "en", **data: Any) -> Any:
    return client.post(f"/{language}/subscribe/", filled(**data))


def test_a_sign_up_stores_one_sealed_row(client: Client, weekly: Newsletter) -> None:
    response = sign_up(client, language="be", choices=["be,ru", "en"])
    assert (response.status_code, response["Location"]) == (303, "/be/subscribe/sent/")
    row = Intake.objects.get()
    assert row.kind == "sign-up"
    assert ALA.encode() not in bytes(row.sealed)
    intake.drain(10)
    subscription = Subscription.objects.get()
    assert subscription.languages == ("be", "en", "ru")
    assert subscription.subscriber.language == "be"
    assert "Тыдзень у фокусе" in subscription.consents.get().wording


def test_a_sign_up_needs_no_worker_keys(client: Client, weekly: Newsletter, settings: Any) -> None:
    settings.WORKER_KEYS = None
    assert sign_up(client).status_code == 303


def test_b1_the_response_is_the_same_for_every_address(
    client: Client, weekly: Newsletter, add_reader: AddReader, ask: Ask
) -> None:
    add_reader("en", address="active@readers.example")
    ask(address="pending@readers.example")
    lifecycle.unsubscribe(add_reader("en", address="unsubscribed@readers.example").pk)
    complained = add_reader("en", address="complained@readers.example").subscriber
    complain(complained)
    responses = set()
    for reader in ("new", "active", "pending", "unsubscribed", "complained"):
        response = sign_up(client, email=f"{reader}@readers.example")
        page = client.get(response["Location"])
        responses.add((response.status_code, response["Location"], response.content, page.content))
    assert len(responses) == 1
    assert Intake.objects.count() == 5


def test_a_form_sent_twice_sends_one_email(client: Client, weekly: Newsletter) -> None:
    sign_up(client)
    sign_up(client)
    intake.drain(10)
    assert TransactionalEmail.objects.count() == Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"email": "nobody"}, "needs an @"),
        ({"email": ""}, "Enter your email address"),
        ({"email": "x" * 5000 + "@readers.example"}, "too long"),
        ({"email": "ала@readers.example"}, "only contain Latin letters"),
        ({"choices": []}, "Choose at least one."),
        ({"choices": ["ka"]}, "isn’t available in this language"),
    ],
)
def test_an_invalid_form_explains_the_problem_and_keeps_the_input(
    client: Client, weekly: Newsletter, data: dict[str, Any], message: str
) -> None:
    response = sign_up(client, **{"email": "kept@readers.example", "choices": ["be,ru"], **data})
    page = response.content.decode()
    assert response.status_code == 422
    assert message in page
    assert 'aria-invalid="true"' in page
    assert ("kept@readers.example" in page) or "email" in data
    assert ('value="be,ru" id="subscribe_choices_1" checked' in page) or "choices" in data
    assert not Intake.objects.exists()


def test_a_bot_in_the_honeypot_gets_the_same_response_and_is_ignored(
    client: Client, weekly: Newsletter
) -> None:
    response = sign_up(client, website="https://spam.example")
    assert (response.status_code, response["Location"]) == (303, "/en/subscribe/sent/")
    assert not Intake.objects.exists()


def test_an_unknown_newsletter_is_not_found(client: Client, weekly: Newsletter) -> None:
    assert sign_up(client, newsletter="nothing").status_code == 404


def test_b7_the_form_checks_csrf(csrf_client: Client, weekly: Newsletter) -> None:
    assert sign_up(csrf_client).status_code == 403
    page = csrf_client.get("/en/subscribe/")
    token = page.context["csrf_token"]
    assert sign_up(csrf_client, csrfmiddlewaretoken=token).status_code == 303


@pytest.mark.parametrize(
    ("language", "preselected"), [("en", "en"), ("be", "be,ru"), ("ru", "be,ru")]
)
def test_f4_the_form_preselects_the_pages_language(
    client: Client, weekly: Newsletter, language: str, preselected: str
) -> None:
    page = client.get(f"/{language}/subscribe/").content.decode()
    assert f'<html lang="{language}"' in page
    assert page.count("checked") == 1
    assert (
        f'value="{preselected}" id="subscribe_choices_{["en", "be,ru"].index(preselected)}" checked'
        in page
    )


def test_a_newsletter_without_choices_offers_each_language(
    client: Client, weekly: Newsletter
) -> None:
    weekly.choices = []
    weekly.save()
    page = client.get("/ru/subscribe/").content.decode()
    for code in ("en", "be", "ru"):
        assert f'value="{code}"' in page
    assert sign_up(client, choices=["ru", "be"]).status_code == 303
