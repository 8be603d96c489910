"""Signing in leads to the requested page, never to another site."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.editorial.models import User

CREDENTIALS = {"username": "editor", "password": "sign-me-in"}
UNSAFE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "http:///evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example/",
    "\t//evil.example/",
    "//testserver@evil.example/",
    "https://testserver.evil.example/",
]


@pytest.mark.parametrize("target", UNSAFE)
def test_an_unsafe_next_page_leads_to_the_desk(client: Client, editor: User, target: str) -> None:
    for query, form in (({"next": target}, CREDENTIALS), ({}, {**CREDENTIALS, "next": target})):
        answer = client.post(f"/admin/login/?{urlencode(query)}", form, follow=True)
        assert answer.redirect_chain == [("/admin/", 302)]
        assert answer.status_code == 200
        client.logout()


@pytest.mark.parametrize("target", UNSAFE)
def test_an_unsafe_next_page_is_ignored_when_signed_in_or_signing_out(
    client: Client, editor: User, target: str
) -> None:
    client.force_login(editor)
    signed_in = client.get("/admin/login/", {"next": target})
    assert (signed_in.status_code, signed_in["Location"]) == (302, "/admin/")
    signed_out = client.post("/admin/logout/", {"next": target})
    assert signed_out.status_code == 200


def test_signing_in_leads_to_the_requested_page(client: Client, editor: User) -> None:
    requested = reverse("admin:editorial_issue_changelist")
    answer = client.get(requested)
    assert answer["Location"] == f"/admin/login/?next={requested}"
    assert client.post(answer["Location"], CREDENTIALS)["Location"] == requested


def test_without_a_next_page_signing_in_leads_to_the_desk(client: Client, editor: User) -> None:
    assert client.post("/admin/login/", CREDENTIALS)["Location"] == "/admin/"
