"""Writing without a session, or without the right to write (I1, I5)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from newsletter.desk.access.roles import TRANSLATOR
from newsletter.desk.article_page import page_url, text_url
from newsletter.editorial.models import Article, ArticleTranslation, Revision, User
from tests.desk.forms import text_data
from tests.desk.writers import article as article
from tests.desk.writers import stored

pytestmark = pytest.mark.django_db
PASSWORD = "sign-me-in"


# --- Signed out ---------------------------------------------------------------------------------
@pytest.fixture
def strict() -> Client:
    """A browser without any cookie, on a site that checks CSRF tokens."""
    return Client(enforce_csrf_checks=True)


def test_a_text_posted_without_a_session_comes_back_and_is_saved_after_signing_in(
    article: Article, as_editor: Client, strict: Client
) -> None:
    data = text_data(as_editor, article, "be") | {"lead": 'A <lead> & "more"', "writer": "alena"}
    answer = strict.post(text_url(article, "be"), data)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "A &lt;lead&gt; &amp; &quot;more&quot;" in page
    assert stored(article).lead == "Нізкая вада: lead."
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    signed = data | {"csrfmiddlewaretoken": token[1], "desk-username": "alena"}
    wrong = strict.post(text_url(article, "be"), signed | {"desk-password": "wrong"})
    assert "password is wrong" in wrong.content.decode()
    assert "A &lt;lead&gt;" in wrong.content.decode()
    right = strict.post(text_url(article, "be"), signed | {"desk-password": PASSWORD})
    assert right.status_code == 302
    assert stored(article).lead == 'A <lead> & "more"'
    assert article.revisions.latest("pk").author == User.objects.get(username="alena")


def test_another_site_cannot_save_a_text_for_somebody_who_is_signed_in(
    article: Article, as_editor: Client, strict: Client
) -> None:
    strict.cookies = as_editor.cookies
    data = text_data(as_editor, article, "be") | {"lead": "Forged"}
    assert strict.post(text_url(article, "be"), data).status_code == 403
    assert stored(article).lead == "Нізкая вада: lead."


def test_a_pause_after_wrong_passwords_keeps_the_text(
    article: Article, as_editor: Client, client: Client
) -> None:
    data = text_data(as_editor, article, "be") | {"lead": "Kept", "desk-username": "alena"}
    for _attempt in range(6):
        answer = client.post(text_url(article, "be"), data | {"desk-password": "wrong"})
    assert "Too many wrong passwords" in answer.content.decode()
    assert 'value="Kept"' in answer.content.decode()
    cache.clear()


def test_signing_in_again_by_script(client: Client, as_editor: Client) -> None:
    url = reverse("admin:sign_in_again")
    assert client.get(url).json()["token"]
    wrong = client.post(url, {"desk-username": "alena", "desk-password": "wrong"})
    assert wrong.status_code == 403
    right = client.post(url, {"desk-username": "alena", "desk-password": PASSWORD})
    assert right.json()["token"]
    assert client.get("/admin/").status_code == 200


def test_an_account_that_was_closed_is_named_only_with_the_right_password(
    client: Client, as_editor: Client
) -> None:
    User.objects.filter(username="alena").update(is_active=False)
    url = reverse("admin:sign_in_again")
    answers = [
        client.post(url, {"desk-username": "alena", "desk-password": password}).json()["error"]
        for password in (PASSWORD, "wrong")
    ]
    assert "has been closed" in answers[0]
    assert "has been closed" not in answers[1]


# --- Permissions --------------------------------------------------------------------------------
def every_url(article: Article) -> dict[str, tuple[str, dict[str, str]]]:
    """Return each URL of an article's page, with what is posted to it."""
    text = {"base": "1", "headline": "Changed", "state": "draft"}
    urls = {
        "change": (reverse("admin:editorial_article_change", args=[article.pk]), {"position": "9"}),
        "text": (text_url(article, "be"), text),
        "autosave": (text_url(article, "be", "autosave"), text),
        "presence": (text_url(article, "be", "presence"), {}),
        "remove": (text_url(article, "be", "remove"), {"base": "1"}),
        "history": (text_url(article, "be", "history"), {}),
        "revision": (text_url(article, "be", "revision", 1), {"base": "1"}),
        "conflict": (text_url(article, "be", "conflict", 1), {"base": "1", "use": "mine"}),
    }
    return {**urls, "add": (reverse("admin:editorial_article_add"), text)}


def staff(name: str, **extra: Any) -> Client:
    user = User.objects.create_user(name, password=PASSWORD, **extra)
    client = Client()
    client.force_login(user)
    return client


def test_no_page_of_an_article_is_open_to_somebody_without_the_right(article: Article) -> None:
    """I5: history, comparison, autosave, presence and conflict as well as the page itself."""
    before = list(ArticleTranslation.objects.order_by("pk").values())
    clients = {
        "nobody": Client(),
        "reader": staff("reader"),
        "staff": staff("bare", is_staff=True),
    }
    for who, client in clients.items():
        for name, (url, data) in every_url(article).items():
            for answer in (client.get(url), client.post(url, data)):
                refused = answer.status_code in {401, 403, 405}
                to_sign_in = answer.status_code == 302 and "/login/" in answer["Location"]
                assert refused or to_sign_in, (who, name, answer.status_code)
    assert list(ArticleTranslation.objects.order_by("pk").values()) == before
    assert Revision.objects.count() == 2


def test_somebody_who_may_only_look_changes_nothing(article: Article) -> None:
    viewer = staff("viewer", is_staff=True)
    user = User.objects.get(username="viewer")
    group = Group.objects.get(name=TRANSLATOR)
    user.user_permissions.set(group.permissions.filter(codename__startswith="view_"))
    page = viewer.get(page_url(article, "be"))
    assert page.status_code == 200
    assert b'form="text"' not in page.content
    assert viewer.get(text_url(article, "be", "history")).status_code == 200
    for name, (url, data) in every_url(article).items():
        if name != "presence":
            assert viewer.post(url, data).status_code in {403, 405}, name
    assert Revision.objects.count() == 2


def test_a_translator_cannot_remove_a_translation(article: Article, as_translator: Client) -> None:
    url = text_url(article, "be", "remove")
    assert as_translator.get(url).status_code == 403
    assert as_translator.post(url, {"base": "1"}).status_code == 403
    assert b"Remove this translation" not in as_translator.get(page_url(article, "be")).content


def test_an_unknown_language_or_revision_is_not_found(article: Article, as_editor: Client) -> None:
    for url in (
        page_url(article, "xx"),
        text_url(article, "xx", "history"),
        text_url(article, "be", "revision", 99),
        text_url(article, "be", "conflict", 99),
    ):
        assert as_editor.get(url).status_code == 404
