"""The mail as each group would get it, in a frame that lets nothing else in."""

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


def test_each_chain_of_the_newsletter_can_be_chosen(ready: Issue, as_editor: Client) -> None:
    url = reverse("admin:editorial_issue_preview", args=[ready.pk])
    page = as_editor.get(url).content.decode()
    for chain in ("en", "be,ru"):
        for length in ("lead", "full"):
            assert f"?chain={chain}&amp;amount={length}" in page
    belarusian = as_editor.get(url, {"chain": "be,ru"}).content.decode()
    assert "Загаловак" in belarusian
    assert "Headline" not in belarusian


def test_the_frame_is_a_mail_and_nothing_else(ready: Issue, as_editor: Client) -> None:
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


def test_nothing_to_read_is_said(
    issue: Issue,
    write_article: WriteArticle,
    as_editor: Client,
) -> None:
    url = reverse("admin:editorial_issue_preview", args=[issue.pk])
    assert "no article is ready" in as_editor.get(url).content.decode()
    frame = reverse("admin:editorial_issue_preview_frame", args=[issue.pk])
    assert as_editor.get(frame).status_code == 404


@pytest.mark.parametrize("query", ["chain=xx", "chain=<script>", "amount=all", "chain="])
def test_a_strange_choice_gives_the_first(ready: Issue, as_editor: Client, query: str) -> None:
    url = reverse("admin:editorial_issue_preview", args=[ready.pk])
    assert as_editor.get(f"{url}?{query}").status_code == 200
