"""The second factor: the code, recovery codes, and accounts that need one."""

from __future__ import annotations

import io
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse

from newsletter.desk.access.roles import TRANSLATOR
from newsletter.editorial.models import User
from tests.desk.sign_in.conftest import (
    PASSWORD,
    SECRET,
    app_code,
    browser,
    code,
    is_in,
    password,
)

pytestmark = pytest.mark.django_db


def test_the_password_alone_opens_nothing(protected: User) -> None:
    client = browser()
    assert password(client)["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)
    assert "The code is wrong" in code(client, "000000").content.decode()
    assert not is_in(client)
    assert code(client)["Location"] == "/admin/"
    assert is_in(client)


def test_the_page_asked_for_comes_after_the_code(protected: User) -> None:
    client = browser()
    password(client, next="/admin/editorial/issue/")
    assert code(client)["Location"] == "/admin/editorial/issue/"


def test_a_recovery_code_works_once(protected: User, recovery_codes: list[str]) -> None:
    first, again = browser(), browser()
    for client in (first, again):
        password(client)
        code(client, recovery_codes[0])
    assert is_in(first)
    assert not is_in(again)


def test_a_trusted_browser_isnt_asked_again(protected: User) -> None:
    client = browser()
    password(client)
    code(client, trust="1")
    client.post("/admin/logout/")
    assert password(client)["Location"] == "/admin/"
    stranger = browser()
    assert password(stranger)["Location"] == reverse("mfa_authenticate")


def test_the_stored_secret_is_encrypted_and_recovery_codes_too(
    protected: User, recovery_codes: list[str]
) -> None:
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in stored
    assert recovery_codes[0] not in stored


def test_codes_are_guessed_ever_more_slowly(protected: User) -> None:
    client = browser()
    password(client)
    for _guess in range(5):
        code(client, "000000")
    assert "Too many wrong codes" in code(client).content.decode()
    assert not is_in(client)


def test_an_app_is_set_up_and_the_recovery_codes_are_shown_once(editor: User) -> None:
    client = browser()
    password(client)
    asked = client.get(reverse("mfa_activate_totp"))
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    client.post(asked["Location"], {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200, page["Location"]
    secret = page.context["form"].secret
    done = client.post(reverse("mfa_activate_totp"), {"code": app_code(secret)})
    assert done["Location"] == reverse("mfa_view_recovery_codes")
    first = client.get(done["Location"])
    shown = first.context["unused_codes"]
    assert len(shown) == 10
    assert shown[0] in first.content.decode()
    assert shown[0] not in client.get(done["Location"]).content.decode()


def test_nobody_can_sign_up(client: Client) -> None:
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
    for path in ("/admin/signup/", "/accounts/signup/", "/admin/account/signup/"):
        assert client.get(path).status_code in {302, 404}


@pytest.mark.parametrize(
    ("rule", "who", "is_led"),
    [
        ("nobody", "sender", False),
        ("senders", "sender", True),
        ("senders", "translator", False),
        ("everyone", "translator", True),
    ],
)
def test_the_rule_says_who_needs_one(
    editor: User, settings: Any, rule: str, who: str, is_led: Any
) -> None:
    if who == "translator":
        editor.is_superuser = False
        editor.save()
        editor.groups.set([Group.objects.get(name=TRANSLATOR)])
    settings.SECOND_FACTOR_REQUIRED = rule
    client = browser()
    password(client)
    answer = client.get("/admin/editorial/article/?q=x")
    expected = f"{reverse('mfa_index')}?next=%2Fadmin%2Feditorial%2Farticle%2F%3Fq%3Dx"
    assert (answer.status_code == 302) == is_led
    if is_led:
        assert answer["Location"] == expected
        assert "Set one up to go on" in client.get(expected).content.decode()


def test_without_the_factor_a_posted_text_comes_back(editor: User, settings: Any) -> None:
    client = browser()
    password(client)
    settings.SECOND_FACTOR_REQUIRED = "everyone"
    text = "A long text that took an hour & <b>more</b>"
    answer = client.post("/admin/editorial/article/add/", {"headline": text})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "A long text that took an hour &amp; &lt;b&gt;" in page
    assert "Go on with what I entered" in page
    json = client.post(
        "/admin/editorial/article/add/", {"a": "b"}, headers={"Accept": "application/json"}
    )
    assert json.json()["reason"] == "second-factor"


def test_once_it_is_set_up_the_desk_is_open(protected: User, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = "everyone"
    client = browser()
    password(client)
    code(client)
    assert is_in(client)


def test_signing_in_again_asks_for_the_code_as_well(protected: User) -> None:
    client, url = browser(), reverse("admin:sign_in_again")
    data = {"desk-username": "editor", "desk-password": PASSWORD}
    assert "code" in client.post(url, data).json()["error"]
    assert "wrong" in client.post(url, data | {"desk-code": "000000"}).json()["error"]
    assert not is_in(client)
    assert client.post(url, data | {"desk-code": app_code()}).json()["token"]
    assert is_in(client)


def test_the_operator_resets_it(protected: User) -> None:
    client = browser()
    password(client)
    code(client)
    out = io.StringIO()
    call_command("reset_second_factor", "editor", stdout=out)
    assert "Removed 2" in out.getvalue()
    assert not is_in(client)
    assert "reset_second_factor" in LogEntry.objects.get().change_message
    assert password(browser())["Location"] == "/admin/"
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody")
