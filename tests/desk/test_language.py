"""The buttons that choose the desk's language."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

ISSUES = "/admin/editorial/issue/?q=river"


def test_the_chosen_language_is_kept_for_the_desk_alone(as_editor: Client) -> None:
    assert '<html lang="en"' in as_editor.get(ISSUES).content.decode()
    answer = as_editor.post(reverse("admin:set_language"), {"language": "be", "next": ISSUES})
    assert (answer.status_code, answer["Location"]) == (302, ISSUES)
    cookie = answer.cookies["django_language"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/admin/", True, "Lax")
    page = as_editor.get(ISSUES).content.decode()
    assert '<html lang="be"' in page
    assert "Мова рэдакцыі" in page


def test_a_page_is_returned_to_and_a_refused_form_is_not(as_editor: Client) -> None:
    add = "/admin/editorial/picture/add/"
    assert f'name="next" value="{add}"' in as_editor.get(add).content.decode()
    refused = as_editor.post(add, {})
    assert refused.status_code == 200
    assert 'name="next" value="/admin/"' in refused.content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/"])
def test_the_language_leads_to_no_other_site(as_editor: Client, target: str) -> None:
    answer = as_editor.post(reverse("admin:set_language"), {"language": "ru", "next": target})
    assert answer["Location"] == "/"
