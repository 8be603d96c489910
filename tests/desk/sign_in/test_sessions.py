"""Sessions last a day, and their owner sees and ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.models import StaffSession
from newsletter.desk.sign_in.browsers import family
from newsletter.editorial.models import User
from tests.desk.sign_in.conftest import PASSWORD, browser, is_in, password

pytestmark = pytest.mark.django_db


def test_a_session_ends_a_day_after_signing_in_however_it_is_used(editor: User) -> None:
    client, start = browser(), timezone.now()
    password(client)
    for hours in (10, 20, 23):
        with time_machine.travel(start + timedelta(hours=hours)):
            assert is_in(client)
    with time_machine.travel(start + timedelta(hours=24, minutes=1)):
        assert not is_in(client)


def test_ones_own_sessions_are_listed_and_ended(editor: User) -> None:
    here, there = browser(), browser()
    for client in (here, there):
        password(client)
        assert is_in(client)
    page = here.get(reverse("account_home")).content.decode()
    assert page.count("Firefox, Linux</strong>") == 2
    assert page.count("this browser") == 1
    other = StaffSession.objects.exclude(key=here.session.session_key).get()
    here.post(reverse("account_end_session", args=[other.pk]))
    assert is_in(here)
    assert not is_in(there)


def test_nobody_ends_anybody_elses(editor: User) -> None:
    other = User.objects.create_user("other", password=PASSWORD, is_staff=True)
    theirs, mine = browser(), browser()
    password(theirs, name=other.username)
    is_in(theirs)
    password(mine)
    assert (
        mine.post(
            reverse("account_end_session", args=[StaffSession.objects.filter(user=other).get().pk])
        ).status_code
        == 404
    )
    mine.post(reverse("account_end_others"))
    assert is_in(theirs)


def test_a_new_password_ends_the_others(editor: User) -> None:
    here, there = browser(), browser()
    for client in (here, there):
        password(client)
        is_in(client)
    new = "a wholly new password"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post(reverse("admin:password_change"), form).status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert StaffSession.objects.get().key == here.session.session_key


def test_closing_an_account_ends_all(editor: User) -> None:
    client = browser()
    password(client)
    is_in(client)
    editor.is_active = False
    editor.save()
    assert not is_in(client)
    assert not StaffSession.objects.exists()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit Chrome/140.0 Mobile Safari",
            "Chrome, Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile Safari", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari Edg/140", "Edge, Windows"),
        ("curl/8", ""),
    ],
)
def test_only_the_family_is_kept(agent: str, name: str) -> None:
    assert family(agent) == name
