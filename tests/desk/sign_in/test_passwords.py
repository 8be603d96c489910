"""Forgotten passwords and invitations: emailed by a worker, and no link is stored."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import identify_hasher, make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.models import StaffEmail
from newsletter.delivery.transactional import staff_mail
from newsletter.desk.sign_in.invitation import invite
from newsletter.editorial.models import Newsletter, User
from newsletter.transport.outcomes import Email, Recipient
from tests.desk.sign_in.conftest import browser, is_in, password

pytestmark = pytest.mark.django_db
NEW = "a wholly new password"
Sent = list[tuple[Email, Recipient]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, weekly: Newsletter) -> Sent:
    taken: Sent = []

    def take(email: Email, to: Recipient, facts: dict[str, object]) -> bool:
        taken.append((email, to))
        return True

    monkeypatch.setattr(staff_mail, "hand_over", take)
    return taken


@pytest.fixture
def owner(editor: User) -> User:
    editor.email = "Editor@example.org"
    editor.save()
    return editor


def ask(client: Client, email: str, language: str = "en") -> Any:
    return client.post(
        reverse("password_forgotten"), {"email": email}, headers={"Accept-Language": language}
    )


def link_in(email: Email) -> str:
    found = re.search(r"http://\S+(/admin/password/\S+)", email.text)
    assert found
    return found[1]


def test_a_forgotten_password_is_chosen_anew_once(owner: User, sent: Sent) -> None:
    elsewhere = browser()
    password(elsewhere)
    client = browser()
    assert ask(client, "editor@example.org")["Location"] == reverse("password_requested")
    assert staff_mail.drain() == 1
    [(email, to)] = sent
    assert to.address == owner.email
    assert not StaffEmail.objects.exists()
    link = link_in(email)
    assert link.startswith(staff_mail.PASSWORD_PATH)
    chosen = client.post(link, {"new_password1": NEW, "new_password2": NEW})
    assert chosen["Location"] == f"{reverse('account_login')}?chosen"
    assert not is_in(elsewhere)
    assert "no longer works" in client.get(link).content.decode()
    assert password(client, NEW)["Location"] == "/admin/"


def test_the_answer_is_the_same_for_every_address(owner: User, sent: Sent) -> None:
    answers = [ask(browser(), email) for email in ("editor@example.org", "who@example.org")]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert StaffEmail.objects.count() == 2
    assert "who@example.org" not in str(list(StaffEmail.objects.values()))
    staff_mail.drain()
    assert len(sent) == 1


def test_nobody_is_flooded(owner: User, sent: Sent) -> None:
    for _time in range(10):
        assert ask(browser(), "editor@example.org").status_code == 302
    assert StaffEmail.objects.count() == 3


def test_the_email_is_in_the_language_of_the_page(owner: User, sent: Sent) -> None:
    ask(browser(), "editor@example.org", "be")
    staff_mail.drain()
    [(email, _to)] = sent
    assert email.subject == "Выберыце новы пароль"
    assert ("Content-Language", "be") in email.headers


def test_a_link_expires(owner: User) -> None:
    token = staff_mail.make_token(StaffEmail.Kind.RESET, owner)
    assert staff_mail.user_of_token(token)
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=5)):
        assert staff_mail.user_of_token(token) is None
    assert staff_mail.user_of_token(token + "x") is None


def test_an_invited_colleague_chooses_their_own_password(
    owner: User, sent: Sent, client: Client
) -> None:
    colleague = User.objects.create(username="vera", email="vera@example.org", is_staff=True)
    invite(colleague, by=owner, language="ru")
    assert not password(browser(), "", "vera").has_header("Location")
    staff_mail.drain()
    [(email, to)] = sent
    assert to.address == "vera@example.org"
    assert "vera" in email.text
    with time_machine.travel(timezone.now() + timedelta(days=6)):
        client.post(link_in(email), {"new_password1": NEW, "new_password2": NEW})
    assert password(browser(), NEW, "vera")["Location"] == "/admin/"


def test_an_email_that_nobody_takes_is_tried_again(
    owner: User, weekly: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff_mail, "hand_over", lambda *arguments: False)
    staff_mail.queue(StaffEmail.Kind.RESET, [owner], "en")
    assert staff_mail.drain() == 0
    waiting = StaffEmail.objects.get()
    assert waiting.attempts == 1
    assert waiting.due_at > timezone.now()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        StaffEmail.objects.update(due_at=timezone.now() - timedelta(days=1))
        staff_mail.drain()
    assert not StaffEmail.objects.exists()


def test_passwords_are_hashed_by_argon2() -> None:
    from newsletter import settings as ours

    hasher = "django.contrib.auth.hashers.Argon2PasswordHasher"
    assert ours.PASSWORD_HASHERS[0] == hasher
    assert identify_hasher(make_password("x", hasher="default")).algorithm == "md5"  # in tests
