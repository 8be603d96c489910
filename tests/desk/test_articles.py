"""Writing an article: its languages in one form, and nothing lost where something is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from newsletter.editorial.models import Article, ArticleTranslation, Issue, Newsletter, Picture
from tests.conftest import WriteArticle
from tests.desk.forms import form_of
from tests.editorial.test_content import draw_picture

pytestmark = pytest.mark.django_db
ADD = "/admin/editorial/article/add/"


def text(number: int, **values: str) -> dict[str, str]:
    return {f"translations-{number}-{name}": value for name, value in values.items()}


def new_article(client: Client, issue: Issue) -> dict[str, Any]:
    return form_of(client, f"{ADD}?issue={issue.pk}")


def change_url(article: Article) -> str:
    return reverse("admin:editorial_article_change", args=[article.pk])


def test_an_article_in_two_languages_with_one_save(issue: Issue, as_editor: Client) -> None:
    data = new_article(as_editor, issue) | {"original_language": "be"}
    data |= text(0, headline="Headline", body="<p>Text<script>x</script></p>", state="ready")
    data |= text(1, headline="Загаловак", lead="Лід.", state="draft")
    answer = as_editor.post(ADD, data)
    assert answer.status_code == 302, answer.context["errors"]
    article = Article.objects.get()
    assert (article.issue, article.newsletter) == (issue, issue.newsletter)
    texts = {one.language: one for one in article.translations.all()}
    assert set(texts) == {"en", "be"}  # the empty Russian tab is no text
    assert texts["en"].body == "<p>Text</p>"
    assert texts["be"].slug == "zahalovak"


def test_a_tab_for_each_language_with_its_direction(issue: Issue, as_editor: Client) -> None:
    Newsletter.objects.update(languages=["en", "ar", "ka"])
    page = as_editor.get(f"{ADD}?issue={issue.pk}").content.decode()
    assert re.findall(r'aria-controls="translations-panel-(\w+)"', page) == ["en", "ar", "ka"]
    assert '<div dir="rtl" lang="ar"' in page
    # Without JavaScript the strip is out of the way and every panel is shown.
    assert re.search(r'role="tablist"[^>]* hidden>', page)
    assert not re.search(r"<section[^>]* hidden", page)


def test_every_script_of_the_page_has_the_nonce_or_is_ours(issue: Issue, as_editor: Client) -> None:
    answer = as_editor.get(f"{ADD}?issue={issue.pk}")
    nonce = re.search(r"'nonce-([^']+)'", answer["Content-Security-Policy"])
    assert nonce
    for tag in re.findall(r"<script[^>]*>", answer.content.decode()):
        assert f'nonce="{nonce[1]}"' in tag or 'src="/' in tag


def test_a_mistake_in_one_tab_loses_nothing(issue: Issue, as_editor: Client) -> None:
    data = new_article(as_editor, issue)
    data |= text(0, headline="Headline", body="<p>A long text</p>")
    data |= text(1, headline="", lead="Лід без загалоўка")
    answer = as_editor.post(ADD, data)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert not Article.objects.exists()
    assert "A long text" in page
    assert "Лід без загалоўка" in page
    tab = re.search(r'id="translations-tab-be"[^>]*>', page)
    assert tab
    assert "has-errors" in tab[0]


def test_an_article_of_another_newsletters_issue_is_refused(
    issue: Issue, as_editor: Client
) -> None:
    other = Newsletter.objects.create(
        slug="other", languages=["en"], sender_address="desk@news.example.org"
    )
    data = new_article(as_editor, issue) | {"newsletter": other.pk} | text(0, headline="Headline")
    answer = as_editor.post(ADD, data)
    assert "belongs to another newsletter" in answer.content.decode()


def test_a_stale_translation_is_marked_and_can_be_taken_as_current(
    write_article: WriteArticle, as_translator: Client, issue: Issue
) -> None:
    article = write_article(issue=issue, en="Headline", be="Загаловак")
    original = article.translations.get(language="en")
    original.lead = "Another lead."
    original.save()
    url = change_url(article)
    assert "older than the original" in as_translator.get(url).content.decode()
    data = form_of(as_translator, url) | {"translations-1-is_current": "on"}
    assert as_translator.post(url, data).status_code == 302
    assert "older than the original" not in as_translator.get(url).content.decode()
    assert ArticleTranslation.objects.get(language="be").source_revision == 2


def test_times_are_those_of_the_newsroom(issue: Issue, as_editor: Client) -> None:
    data = new_article(as_editor, issue) | text(0, headline="Headline")
    data |= {"published_at_0": "2017-08-01", "published_at_1": "09:00:00"}
    as_editor.post(ADD, data)
    article = Article.objects.get()
    assert article.published_at.isoformat() == "2017-08-01T06:00:00+00:00"
    page = as_editor.get(change_url(article)).content.decode()
    assert 'value="09:00:00"' in page
    assert "Europe/Minsk" in page


def test_saving_without_a_change_changes_nothing(
    write_article: WriteArticle, as_editor: Client, issue: Issue
) -> None:
    article = write_article(issue=issue, en="Headline", be="Загаловак")
    before = [*ArticleTranslation.objects.order_by("pk").values(), *Article.objects.values()]
    data = form_of(as_editor, change_url(article))
    assert as_editor.post(change_url(article), data).status_code == 302
    after = [*ArticleTranslation.objects.order_by("pk").values(), *Article.objects.values()]
    assert after == before


@pytest.mark.parametrize(
    "content", [b"no picture", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_a_picture_that_is_no_picture(content: bytes, as_editor: Client) -> None:
    file = SimpleUploadedFile("x.png", content, content_type="image/png")
    answer = as_editor.post(
        "/admin/editorial/picture/add/", {"file": file, "kind": "photo", "credit": "A. Pen"}
    )
    page = answer.content.decode()
    assert "errornote" in page
    assert 'value="A. Pen"' in page
    assert not Picture.objects.exists()


def test_a_picture_is_added_with_its_credit(as_editor: Client) -> None:
    file = SimpleUploadedFile("A Reporter.png", draw_picture().read(), content_type="image/png")
    as_editor.post(
        "/admin/editorial/picture/add/", {"file": file, "kind": "graphic", "credit": "A. Pen"}
    )
    picture = Picture.objects.get()
    assert (picture.credit, "Reporter" in str(picture.file.name)) == ("A. Pen", False)


def test_several_are_deleted_from_the_list(
    write_article: WriteArticle, issue: Issue, as_editor: Client
) -> None:
    articles = [write_article(issue=issue, en=f"H{n}", be=f"З{n}") for n in range(3)]
    url = "/admin/editorial/article/"
    found = as_editor.get(url, {"translations__state": "ready", "q": "H1"}).content.decode()
    assert "Articles: 1" in found
    chosen = {"action": "delete_selected", "_selected_action": [a.pk for a in articles[:2]]}
    as_editor.post(url, {**chosen, "post": "yes"})
    assert list(Article.objects.all()) == articles[2:]


@pytest.mark.parametrize("query", ["issue=x", "issue=²", "newsletter=x", "issue=99999"])
def test_a_strange_address_opens_an_empty_form(query: str, issue: Issue, as_editor: Client) -> None:
    assert as_editor.get(f"/admin/editorial/issue/add/?{query}").status_code == 200
