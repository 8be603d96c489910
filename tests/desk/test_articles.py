"""Writing an article: one translation, one save; facts on their own; no input lost to an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from newsletter.desk.article_page import page_url, text_url
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    Picture,
    Revision,
    Topic,
    User,
)
from tests.conftest import WriteArticle
from tests.desk.forms import facts_data, text_data
from tests.editorial.test_content import draw_picture

pytestmark = pytest.mark.django_db
ADD = "/admin/editorial/article/add/"


def change_url(article: Article) -> str:
    return reverse("admin:editorial_article_change", args=[article.pk])


def add(client: Client, issue: Issue, **values: Any) -> Any:
    data = facts_data(client, f"{ADD}?issue={issue.pk}")
    return client.post(ADD, data | {"headline": "Headline"} | values)


def test_one_save_adds_an_article_with_its_headline_in_the_original_language(
    issue: Issue, as_editor: Client
) -> None:
    answer = add(as_editor, issue, original_language="be", headline="Загаловак")
    article = Article.objects.get()
    assert answer["Location"] == page_url(article, "be")
    assert (article.issue, article.newsletter) == (issue, issue.newsletter)
    text = article.translations.get()
    assert (text.language, text.headline, text.state) == ("be", "Загаловак", "draft")
    assert article.revisions.get().author == User.objects.get(username="alena")


def test_an_article_joins_its_issue_as_the_last_one(issue: Issue, as_editor: Client) -> None:
    for headline in ("First", "Second"):
        add(as_editor, issue, headline=headline)
    articles = issue.articles.order_by("position")
    assert [str(article) for article in articles] == ["First", "Second"]
    assert [article.position for article in articles] == [1, 2]


def test_a_translation_has_its_own_page_form_and_save(
    write_article: WriteArticle, issue: Issue, as_translator: Client
) -> None:
    article = write_article(issue=issue, en="Headline")
    data = text_data(as_translator, article, "be")
    data |= {"headline": "Загаловак", "body": "<p>Тэкст<script>x</script></p>", "state": "review"}
    answer = as_translator.post(text_url(article, "be"), data)
    assert answer["Location"].startswith(page_url(article, "be"))
    text = article.translations.get(language="be")
    assert (text.body, text.slug, text.state) == ("<p>Тэкст</p>", "zahalovak", "review")
    assert article.translations.get(language="en").revision == 1


def test_tabs_are_links_the_original_first(issue: Issue, as_editor: Client) -> None:
    Newsletter.objects.update(languages=["en", "ar", "ka"])
    add(as_editor, issue, original_language="ar")
    article = Article.objects.get()
    page = as_editor.get(change_url(article)).content.decode()
    tabs = page[page.index('<nav class="tabs"') :]
    assert re.findall(r'href="[^"]*\?language=(\w+)"', tabs)[:3] == ["ar", "en", "ka"]
    assert re.search(r'<textarea[^>]*name="headline"[^>]*lang="ar"[^>]*dir="rtl"', page)
    assert not re.search(r'role="tab', page)


def test_every_script_is_ours_or_has_the_nonce(issue: Issue, as_editor: Client) -> None:
    add(as_editor, issue)
    for url in (f"{ADD}?issue={issue.pk}", change_url(Article.objects.get())):
        answer = as_editor.get(url)
        nonce = re.search(r"'nonce-([^']+)'", answer["Content-Security-Policy"])
        assert nonce
        for tag in re.findall(r"<script[^>]*>", answer.content.decode()):
            assert f'nonce="{nonce[1]}"' in tag or 'src="/' in tag
        assert not re.search(r'<[a-z][^>]* (style|onclick)="', answer.content.decode())


def test_the_skip_link_leads_to_the_headline_without_scripts(
    write_article: WriteArticle, as_editor: Client
) -> None:
    page = as_editor.get(change_url(write_article(en="Headline"))).content.decode()
    links = re.findall(r'<a[^>]*class="skip-to-content-link"[^>]*>|<a[^>]*#id_headline[^>]*>', page)
    assert any('href="#id_headline"' in link for link in links[:2])
    assert 'id="id_headline"' in page


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"headline": "", "state": "ready"}, "A ready text needs a headline."),
        ({"headline": "x" * 251}, "at most 250 characters"),
        ({"slug": "taken"}, "Another article has this slug."),
    ],
)
def test_an_error_loses_no_input(
    values: dict[str, str], message: str, write_article: WriteArticle, as_editor: Client
) -> None:
    other = write_article(en="Other")
    other.translations.update(slug="taken")
    article = write_article(en="Headline")
    data = text_data(as_editor, article, "en") | {"body": "<p>A long text</p>", **values}
    answer = as_editor.post(text_url(article, "en"), data)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert message in page
    assert "A long text" in page
    assert article.translations.get().body == "<p>Headline: text.</p>"


def test_a_draft_may_be_empty(write_article: WriteArticle, as_editor: Client) -> None:
    article = write_article(en="Headline")
    data = text_data(as_editor, article, "ru") | {"lead": "Лид"}
    assert as_editor.post(text_url(article, "ru"), data).status_code == 302
    text = article.translations.get(language="ru")
    assert (text.headline, text.slug, str(text)) == ("", "", "no headline yet")


def test_an_issue_of_another_newsletter_is_refused(issue: Issue, as_editor: Client) -> None:
    other = Newsletter.objects.create(
        slug="other", languages=["en"], sender_address="desk@news.example.org"
    )
    answer = add(as_editor, issue, newsletter=other.pk)
    assert "belongs to another newsletter" in answer.content.decode()
    assert not Article.objects.exists()


def test_a_stale_translation_shows_what_has_changed_until_it_is_marked(
    write_article: WriteArticle, as_translator: Client, issue: Issue
) -> None:
    article = write_article(issue=issue, en="Headline", be="Загаловак")
    article.translations.filter(language="be").update(state="review")
    original = article.translations.get(language="en")
    original.body = "<p>Headline: another text.</p>"
    original.save()
    page = as_translator.get(page_url(article, "be")).content.decode()
    assert "The original has changed in 1 place" in page
    assert "Headline: <ins>another </ins>text." in page
    # A full stop more, saved without the mark, changes nothing about that.
    data = text_data(as_translator, article, "be") | {"lead": "Загаловак: lead.."}
    as_translator.post(text_url(article, "be"), data)
    page = as_translator.get(page_url(article, "be")).content.decode()
    assert "<ins>another </ins>" in page
    data = text_data(as_translator, article, "be") | {"up_to_date": "on"}
    assert as_translator.post(text_url(article, "be"), data).status_code == 302
    page = as_translator.get(page_url(article, "be")).content.decode()
    assert "The original has changed" not in page
    assert "<ins>" not in page
    assert ArticleTranslation.objects.get(language="be").source_revision == 2


def test_times_are_in_the_newsrooms_zone(issue: Issue, as_editor: Client) -> None:
    add(as_editor, issue, published_at_0="2017-08-01", published_at_1="09:00")
    article = Article.objects.get()
    assert article.published_at.isoformat() == "2017-08-01T06:00:00+00:00"
    page = as_editor.get(change_url(article)).content.decode()
    assert 'value="09:00"' in page
    assert "Europe/Minsk" in page


def test_saving_without_a_change_changes_nothing(
    write_article: WriteArticle, as_editor: Client, issue: Issue
) -> None:
    article = write_article(
        issue=issue,
        en="Headline",
        be="Загаловак",
        published_at=datetime(2017, 8, 1, 6, 0, 31, tzinfo=UTC),
    )

    def stored() -> list[Any]:
        rows = (ArticleTranslation.objects, Article.objects, Revision.objects)
        return [list(each.order_by("pk").values()) for each in rows]

    before = stored()
    facts = facts_data(as_editor, change_url(article))
    assert as_editor.post(change_url(article), facts).status_code == 302
    for language in ("en", "be"):
        data = text_data(as_editor, article, language)
        assert as_editor.post(text_url(article, language), data).status_code == 302
    assert stored() == before


def test_facts_are_saved_by_themselves_and_logged(
    write_article: WriteArticle, as_editor: Client, security: Topic
) -> None:
    article = write_article(en="Headline", published_at=datetime(2017, 8, 1, 6, 0, 31, tzinfo=UTC))
    facts = facts_data(as_editor, change_url(article)) | {"topic": security.pk}
    answer = as_editor.post(f"{change_url(article)}?language=be", facts)
    assert answer["Location"] == page_url(article, "be")
    article.refresh_from_db()
    assert (article.topic, article.version, article.published_at.second) == (security, 2, 31)
    assert LogEntry.objects.get().object_id == str(article.pk)


def test_facts_that_somebody_changed_in_the_meantime_are_shown_beside_mine(
    write_article: WriteArticle, as_editor: Client, security: Topic
) -> None:
    article = write_article(en="Headline")
    mine = facts_data(as_editor, change_url(article)) | {"dateline": "moment"}
    theirs = facts_data(as_editor, change_url(article)) | {"topic": security.pk}
    as_editor.post(change_url(article), theirs)
    answer = as_editor.post(change_url(article), mine)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Somebody has changed the facts" in page
    assert "Stored now: Security" in page
    article.refresh_from_db()
    assert (article.topic, article.dateline) == (security, "auto")
    again = mine | {"opened_version": 2, "topic": security.pk}
    assert as_editor.post(change_url(article), again).status_code == 302
    article.refresh_from_db()
    assert (article.topic, article.dateline, article.version) == (security, "moment", 3)


def test_an_article_that_does_not_exist_is_not_found(as_editor: Client) -> None:
    for end in ("99/change/", "x/change/", "99/text/en/", "99/text/en/history/"):
        assert as_editor.get(f"/admin/editorial/article/{end}").status_code == 404


@pytest.mark.parametrize(
    "content",
    [b"not a picture", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
)
def test_a_file_that_is_not_a_picture_is_refused(content: bytes, as_editor: Client) -> None:
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


def test_several_articles_are_deleted_from_the_list(
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
def test_a_malformed_query_opens_an_empty_form(query: str, issue: Issue, as_editor: Client) -> None:
    assert as_editor.get(f"/admin/editorial/issue/add/?{query}").status_code == 200
