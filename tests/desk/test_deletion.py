"""Deleting at the desk: what the confirmation says, the page “Deleted”, and who may restore."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Mailing, Release
from newsletter.editorial.models import Article, Deletion, Issue, Picture, Topic, Trend
from tests.conftest import WriteArticle
from tests.desk.test_permissions import mailing, mailing_urls, ready

__all__ = ["mailing", "ready"]
pytestmark = pytest.mark.django_db


def delete_url(row: Article | Issue | Picture | Topic) -> str:
    return reverse(f"admin:editorial_{row._meta.model_name}_delete", args=[row.pk])


def confirmation(client: Client, row: Article | Issue | Picture | Topic) -> str:
    return client.get(delete_url(row)).content.decode()


def delete(client: Client, row: Article | Issue | Picture | Topic) -> Deletion:
    client.post(delete_url(row), {"post": "yes"})
    return Deletion.objects.get()


def restore_url(entry: Deletion) -> str:
    return reverse("admin:restore", args=[entry.pk])


def test_the_confirmation_says_what_else_goes_and_whether_it_was_sent(
    ready: Issue, security: Topic, write_article: WriteArticle, as_editor: Client
) -> None:
    picture = Picture.objects.create(file="pictures/a.png", width=3, height=2)
    Article.objects.update(picture=picture, topic=security)
    Trend.objects.create(topic=security, week=date(2017, 7, 24), status="improved")
    article = ready.articles.get()
    expected: dict[Article | Issue | Picture | Topic, list[str]] = {
        article: ["English, Belarusian", "is left without it", "disappears from the site"],
        ready: ["Its 1 article stays, without an issue.", "Trends stay"],
        picture: ["1 article loses its picture."],
        security: ["1 article stays, without a topic.", "Its trend of 1 week is deleted too."],
    }
    for row, sentences in expected.items():
        page = confirmation(as_editor, row)
        for sentence in [*sentences, "It was never sent.", "For 30 days"]:
            assert sentence in page, (row, sentence)


def test_what_was_sent_can_still_be_viewed_after_its_issue_was_deleted(
    ready: Issue, mailing: Mailing, as_editor: Client
) -> None:
    """P6: everything that was sent can be viewed, exactly as it was sent."""
    Mailing.objects.update(snapshot_at=ready.articles.get().published_at, state="finished")
    for row in (ready, ready.articles.get()):
        page = confirmation(as_editor, row)
        assert "It was sent:" in page
        assert mailing_urls(mailing)["show"] in page
    delete(as_editor, ready)
    for name in ("show", "edition", "edition_frame"):
        assert as_editor.get(mailing_urls(mailing)[name]).status_code == 200, name
    frame = as_editor.get(mailing_urls(mailing)["edition_frame"]).content.decode()
    assert "Як выслана" in frame
    assert as_editor.get("/admin/").status_code == 200


def test_a_deletion_is_listed_and_restored(ready: Issue, as_editor: Client, client: Client) -> None:
    article = ready.articles.get()
    public = article.get_absolute_url()
    assert client.get(public).status_code == 200
    entry = delete(as_editor, article)
    assert client.get(public).status_code == 404
    page = as_editor.get("/admin/deleted/").content.decode()
    assert "Headline" in page
    assert "alena" in page
    answer = as_editor.post(restore_url(entry), follow=True)
    assert "Restored: “Headline”." in answer.content.decode()
    assert answer.redirect_chain[-1][0] == reverse(
        "admin:editorial_article_change", args=[article.pk]
    )
    assert client.get(public).status_code == 200


def test_several_rows_are_deleted_together(
    ready: Issue, write_article: WriteArticle, as_editor: Client
) -> None:
    write_article(en="Other")
    ids = list(Article.objects.values_list("pk", flat=True))
    data = {"action": "delete_selected", "_selected_action": ids}
    listing = reverse("admin:editorial_article_changelist")
    assert "It was never sent." in as_editor.post(listing, data).content.decode()
    as_editor.post(listing, data | {"post": "yes"})
    assert Deletion.objects.count() == 2
    assert not Article.objects.exists()


def test_an_old_link_to_a_deleted_row_says_so(ready: Issue, as_editor: Client) -> None:
    delete(as_editor, ready)
    for name in ("change", "delete", "history"):
        url = reverse(f"admin:editorial_issue_{name}", args=[ready.pk])
        answer = as_editor.get(url, follow=True)
        assert answer.status_code == 200
        assert answer.redirect_chain[-1][0] == "/admin/deleted/", name
        assert "was deleted. (alena)" in answer.content.decode()


def test_an_issue_whose_week_is_taken_is_refused_with_the_reason(
    issue: Issue, as_editor: Client
) -> None:
    entry = delete(as_editor, issue)
    Issue.objects.create(
        newsletter=issue.newsletter, starts_on=issue.starts_on, ends_on=issue.ends_on
    )
    answer = as_editor.post(restore_url(entry), follow=True)
    assert "It was not restored. These weeks overlap" in answer.content.decode()
    assert Deletion.objects.exists()


def test_only_who_may_delete_sees_and_restores(
    ready: Issue, as_editor: Client, as_translator: Client, client: Client
) -> None:
    entry = delete(as_editor, ready)
    release = Release.objects.filter(issue=ready)
    assert not release
    assert as_translator.get("/admin/deleted/").status_code == 403
    assert as_translator.post(restore_url(entry)).status_code == 403
    assert client.get("/admin/deleted/").status_code == 302
    assert client.post(restore_url(entry)).status_code == 302
    assert as_editor.get(restore_url(entry)).status_code == 405
    assert as_editor.post(restore_url(Deletion(pk=entry.pk + 1))).status_code == 404
    assert Deletion.objects.get() == entry
