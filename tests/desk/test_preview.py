"""The preview: the email as each group of readers would get it, in a sandboxed frame."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.editorial.models import Article, Issue, Picture
from tests.conftest import WriteArticle
from tests.desk.test_permissions import mailing, ready
from tests.editorial.test_content import draw_picture

__all__ = ["mailing", "ready"]
pytestmark = pytest.mark.django_db


def test_each_chain_and_length_can_be_previewed(ready: Issue, as_editor: Client) -> None:
    url = reverse("admin:editorial_issue_preview", args=[ready.pk])
    page = as_editor.get(url).content.decode()
    for chain in ("en", "be,ru"):
        for length in ("lead", "full"):
            assert f"?chain={chain}&amp;length={length}" in page
    assert page.count("<small>headline and lead</small>") == 2
    assert page.count("<small>full text</small>") == 2
    belarusian = as_editor.get(url, {"chain": "be,ru"}).content.decode()
    assert "Загаловак" in belarusian
    assert "Headline" not in belarusian


def test_the_frame_holds_only_the_email(ready: Issue, as_editor: Client) -> None:
    article = Article.objects.get()
    article.picture = Picture.objects.create(file=draw_picture())
    article.save()
    answer = as_editor.get(
        reverse("admin:editorial_issue_preview_frame", args=[ready.pk]), {"chain": "be,ru"}
    )
    policy = answer["Content-Security-Policy"]
    assert "sandbox allow-popups" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    html = answer.content.decode()
    assert "Загаловак" in html
    assert "cid:" not in html
    assert f"/media/{article.picture.file.name}" in html


def test_an_issue_without_ready_articles_has_no_preview(
    issue: Issue,
    write_article: WriteArticle,
    as_editor: Client,
) -> None:
    url = reverse("admin:editorial_issue_preview", args=[issue.pk])
    assert "no article is ready" in as_editor.get(url).content.decode()
    frame = reverse("admin:editorial_issue_preview_frame", args=[issue.pk])
    assert as_editor.get(frame).status_code == 404


@pytest.mark.parametrize("query", ["chain=xx", "chain=<script>", "length=all", "chain="])
def test_an_unknown_choice_shows_the_default(ready: Issue, as_editor: Client, query: str) -> None:
    url = reverse("admin:editorial_issue_preview", args=[ready.pk])
    assert as_editor.get(f"{url}?{query}").status_code == 200
