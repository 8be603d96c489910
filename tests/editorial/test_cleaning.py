"""Cleaning editors' HTML before it is stored."""

from __future__ import annotations

import pytest

from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.models import Article, ArticleTranslation, Issue, IssueTranslation
from tests.conftest import WriteArticle


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<p>Text<script>steal()</script></p>", "<p>Text</p>"),
        ("<style>p{}</style><p>Text</p>", "<p>Text</p>"),
        ('<p onclick="steal()" style="color:red" class="x" id="y">Text</p>', "<p>Text</p>"),
        ('<p><a href="javascript:steal()">Text</a></p>', "<p>Text</p>"),
        ('<p><a href="  jAvA\tscript:steal()">Text</a></p>', "<p>Text</p>"),
        ('<p><a href="data:text/html,x">Text</a></p>', "<p>Text</p>"),
        ('<p><a href="//elsewhere.example/x">Text</a></p>', "<p>Text</p>"),
        ('<p>Text<img src="https://elsewhere.example/pixel.gif" onerror="x"></p>', "<p>Text</p>"),
        ('<iframe src="https://elsewhere.example"></iframe><p>Text</p>', "<p>Text</p>"),
        ("<svg><script>x</script></svg><math></math><p>Text</p>", "<p>Text</p>"),
        ("<form><input name=q><button>Go</button></form>", "<p>Go</p>"),
        ("<!-- note --><p>Text</p>", "<p>Text</p>"),
        ("<h1>Head</h1><H1 class=x>Two</H1>", "<h2>Head</h2><h2>Two</h2>"),
        ("<h5>Small</h5>", "<h4>Small</h4>"),
        ("<p><b>Bold</b> <i>slanted</i></p>", "<p><strong>Bold</strong> <em>slanted</em></p>"),
        ("<p></p><p>Text</p><p>&nbsp;</p><p><strong></strong></p>", "<p>Text</p>"),
        ("", ""),
    ],
)
def test_only_allowed_html_is_kept(html: str, clean: str) -> None:
    assert clean_html(html) == clean


def test_everything_an_editor_needs_is_kept() -> None:
    html = (
        "<h2>A</h2><h3>B</h3><p>C <strong>d</strong> <em>e</em><br>"
        '<a href="https://news.example.org/x?a=1&amp;b=2">f</a> '
        '<a href="mailto:desk@news.example.org">g</a></p>'
        "<ul><li>h</li></ul><ol><li>i</li></ol><blockquote><p>j</p></blockquote>"
    )
    assert clean_html(html) == html


@pytest.mark.parametrize("html", ["<h1><h1><b><script>x", "<<p>a</p>", "<p>a<p>b", "a & b < c"])
def test_cleaning_twice_changes_nothing(html: str) -> None:
    assert clean_html(clean_html(html)) == clean_html(html)


def test_every_way_of_saving_cleans_the_html(write_article: WriteArticle, issue: Issue) -> None:
    article: Article = write_article(en="Headline")
    text = article.translations.get()
    text.body = "<p>Text<script>steal()</script></p>"
    text.save(update_fields=["headline"])
    assert ArticleTranslation.objects.get().body == "<p>Text</p>"
    note = IssueTranslation.objects.create(
        issue=issue, language="en", introduction="<h1 onclick=x>Hello</h1>"
    )
    note.refresh_from_db()
    assert note.introduction == "<h2>Hello</h2>"
