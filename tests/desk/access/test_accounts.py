"""Accounts: who may change whose, invitations, and passwords that only their owner knows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import StaffEmail
from newsletter.delivery.transactional import staff_mail
from newsletter.desk.access.roles import EDITOR, PUBLISHER, ROLES, TRANSLATOR, WRITER
from newsletter.editorial.models import Membership, Newsletter, User
from newsletter.transport.memory import MemoryTransport
from tests.delivery.conftest import relay as relay
from tests.desk.access.pages import FOR_ADMINISTRATORS
from tests.desk.conftest import hire
from tests.desk.forms import form_data

pytestmark = pytest.mark.django_db
ADD = reverse("admin:editorial_user_add")
LIST = reverse("admin:editorial_user_changelist")


@pytest.fixture
def other(weekly: Newsletter) -> Newsletter:
    return Newsletter.objects.create(
        slug="other", languages=["en"], sender_address="other@news.example.org"
    )


def change(user: User) -> str:
    return reverse("admin:editorial_user_change", args=[user.pk])


def role(name: str) -> int:
    return Group.objects.get(name=name).pk


def add(client: Client, newsletter: Newsletter | None, **values: Any) -> Any:
    data = form_data(client, ADD) | {
        "first_name": "Vera",
        "last_name": "Lis",
        "email": "vera@newsroom.example",
        "invitation_language": "be",
        "memberships-0-role": role(TRANSLATOR),
        "memberships-0-newsletter": newsletter.pk if newsletter else "",
        "memberships-0-languages": ["be"],
    }
    return client.post(ADD, data | values)


def test_an_invited_colleague_chooses_a_password_and_has_the_role(
    relay: MemoryTransport, weekly: Newsletter, client: Client
) -> None:
    publisher = hire("adam", PUBLISHER, weekly)
    assert add(publisher, weekly).status_code == 302
    vera = User.objects.get(username="vera")
    assert (vera.is_staff, vera.is_superuser, vera.has_usable_password()) == (True, False, False)
    member = vera.memberships.get()
    assert (member.role.name, member.newsletter, member.languages) == (
        TRANSLATOR,
        weekly,
        ("be",),
    )
    assert not mail.outbox  # a worker sends it, not the web server
    staff_mail.drain()
    [message] = relay.to("vera@newsroom.example")
    text = message.parsed.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "adam" in text
    assert "Выберыце" in text or "пароль" in text
    link = re.search(r"https?://[^/\s]+(/admin/password/\S+)", text)
    assert link
    chosen = {"new_password1": "river-lock-46", "new_password2": "river-lock-46"}
    assert client.post(link[1], chosen).status_code == 302
    again = Client()
    signed = {"username": "vera@newsroom.example", "password": "river-lock-46"}
    assert again.post("/admin/login/", signed).status_code == 302
    assert again.get("/admin/").status_code == 200
    assert not StaffEmail.objects.exists()


def test_nobody_can_set_a_colleagues_password(weekly: Newsletter, admin_client: Client) -> None:
    add(admin_client, None)
    vera = User.objects.get(username="vera")
    page = admin_client.get(change(vera)).content.decode()
    assert 'type="password"' not in page
    assert admin_client.get(f"/admin/editorial/user/{vera.pk}/password/").status_code != 200
    data = form_data(admin_client, change(vera)) | {"password": "chosen", "password1": "chosen"}
    admin_client.post(change(vera), data)
    vera.refresh_from_db()
    assert not vera.has_usable_password()


def test_a_publisher_of_one_newsletter_gives_roles_for_that_one_only(
    relay: MemoryTransport, weekly: Newsletter, other: Newsletter
) -> None:
    publisher = hire("adam", PUBLISHER, weekly)
    for newsletter in (other, None):
        answer = add(publisher, newsletter)
        assert answer.status_code == 200, newsletter
    assert not User.objects.filter(username="vera").exists()


def test_a_publisher_manages_neither_strangers_nor_administrators_nor_themselves(
    relay: MemoryTransport, weekly: Newsletter, other: Newsletter, editor: User
) -> None:
    publisher = hire("adam", PUBLISHER, weekly)
    hire("ina", EDITOR, other)
    hire("olga", EDITOR)
    for name in ("editor", "ina", "olga", "adam"):
        user = User.objects.get(username=name)
        data = {"first_name": "Changed", "email": "x@newsroom.example", "is_superuser": "on"}
        assert publisher.post(change(user), data).status_code == 403, name
        invite = reverse("admin:editorial_user_invite", args=[user.pk])
        assert publisher.post(invite).status_code == 403, name
        user.refresh_from_db()
        assert user.first_name == ""
    assert not StaffEmail.objects.exists()


def test_a_publisher_cannot_make_an_administrator(
    relay: MemoryTransport, weekly: Newsletter
) -> None:
    publisher = hire("adam", PUBLISHER, weekly)
    add(publisher, weekly, is_superuser="on")
    vera = User.objects.get(username="vera")
    data = form_data(publisher, change(vera)) | {"is_superuser": "on", "first_name": "Viera"}
    assert publisher.post(change(vera), data).status_code == 302
    vera.refresh_from_db()
    assert (vera.first_name, vera.is_superuser) == ("Viera", False)


def test_a_closed_account_cannot_sign_in_and_its_texts_stay(
    relay: MemoryTransport, weekly: Newsletter
) -> None:
    publisher = hire("adam", PUBLISHER, weekly)
    writer = hire("ina", WRITER, weekly)
    ina = User.objects.get(username="ina")
    data = form_data(publisher, change(ina))
    data.pop("is_active", None)
    assert publisher.post(change(ina), data).status_code == 302
    assert writer.get("/admin/").status_code == 302
    assert publisher.get(reverse("admin:editorial_user_delete", args=[ina.pk])).status_code == 403


@pytest.mark.parametrize("name", [each for each in ROLES if each != PUBLISHER])
def test_accounts_are_closed_to_other_roles(name: str, weekly: Newsletter, editor: User) -> None:
    before = list(User.objects.order_by("pk").values())
    client = hire("ina", name)
    for page in FOR_ADMINISTRATORS:
        row = [] if page.endswith(("changelist", "add")) else [editor.pk]
        url = reverse(f"admin:{page}", args=row)
        assert client.post(url).status_code in {302, 403, 405}, page
        answer = client.get(url)
        assert answer.status_code in {302, 403, 405}, page
    assert list(User.objects.exclude(username="ina").order_by("pk").values()) == before


def test_a_role_is_given_once_per_newsletter(weekly: Newsletter, editor: User) -> None:
    from django.db import IntegrityError, transaction

    group = Group.objects.get(name=EDITOR)
    for newsletter in (weekly, None):
        Membership.objects.create(user=editor, role=group, newsletter=newsletter)
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.create(user=editor, role=group, newsletter=newsletter)
