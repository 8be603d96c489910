"""The rich-text editor: what it allows, its paste, its words, and what editors are told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import django_prose_editor
import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation.trans_real import DjangoTranslation

from newsletter.desk.article_page import text_url
from newsletter.desk.fields import EXTENSIONS, RichTextField
from newsletter.editorial.models import Article, ArticleTranslation, Issue
from tests.conftest import WriteArticle
from tests.desk.forms import text_data

OURS = Path(settings.BASE_DIR) / "newsletter/desk/static/desk/rich_text"
THEIRS = Path(django_prose_editor.__file__).parent / "static/django_prose_editor/editor.js.map"
_WORDS = re.compile(
    r"""gettext\(\s*"([^"]+)"(?:\s*\+\s*"([^"]+)")?|
    buttons\.material\(\s*(?:`[^`]*`|"[^"]*"),\s*"([^"]+)"|buttons\.svg\(\s*`[^`]*`,\s*"([^"]+)"|
    option:\ crel\("\w+",\ \{\ textContent:\ "([^"]+)""",
    re.VERBOSE,
)
_NOT_USED = {"left", "center", "right", "justify"}


def words_of_scripts() -> set[str]:
    """Return the labels in our scripts and in the package's, from its source map."""
    bundle = json.loads(THEIRS.read_text())
    own = ("src/menu.js", "src/table.js", "src/figure.js", "src/html.js", "src/link.js")
    used = (*own, "src/orderedList.js", "src/utils.js")
    pairs = zip(bundle["sources"], bundle["sourcesContent"], strict=True)
    sources = [text for name, text in pairs if name.endswith(used) and "node_modules" not in name]
    assert len(sources) == len(used)
    sources += [path.read_text() for path in OURS.glob("*.js")]
    found = {"".join(match) for text in sources for match in _WORDS.findall(text)}
    levels = [f"{word} {level}" for word in ("heading", "Heading") for level in (2, 3, 4)]
    return {*found, *levels} - _NOT_USED


@pytest.mark.parametrize("language", ["be", "ru"])
def test_every_word_of_the_editor_is_translated(language: str) -> None:
    catalog = DjangoTranslation(language, domain="djangojs", localedirs=[])
    words = words_of_scripts()
    assert {"bold", "Cancel", "Insert footnote", "Edit Link", "Merge cells"} <= words
    assert [word for word in words if catalog.gettext(word) == word] == []


def test_the_browser_checks_the_spelling() -> None:
    config = json.loads(json.dumps(RichTextField().widget.get_config(), default=str))
    assert "NoSpellCheck" not in config["extensions"]
    assert set(config["extensions"]) >= set(EXTENSIONS) - {"NoSpellCheck"}
    assert [path.rpartition("/")[2] for path in config["js_modules"]] == [
        "structure.js",
        "notes.js",
        "paste.js",
        "figure.js",
        "menu.js",
    ]


def test_pasted_html_comes_back_clean_with_what_was_lost(as_translator: Client) -> None:
    html = '<p onclick="x()">a <b>b</b><img src="https://elsewhere.example/i.png" alt="c"></p>'
    answer = as_translator.post("/admin/clean-pasted/", {"html": html}).json()
    assert answer["html"] == "<p>a <strong>b</strong></p>"
    assert answer["messages"] == [
        "A picture was removed because it isn’t stored here: c (https://elsewhere.example/i.png)"
    ]


def test_only_staff_may_have_something_cleaned(client: Client, db: None) -> None:
    answer = client.post("/admin/clean-pasted/", {"html": "<p>a</p>"})
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


def test_saving_says_what_was_removed(
    as_editor: Client, issue: Issue, write_article: WriteArticle
) -> None:
    """H2: anything that cannot be kept is reported to the editor."""
    article: Article = write_article(issue=issue, en="Headline")
    body = '<p>a <a href="https://news.example/?utm_source=x">b</a> <a href="#top">c</a></p>'
    data = {**text_data(as_editor, article, "en"), "body": body}
    text = as_editor.post(text_url(article, "en"), data, follow=True).content.decode()
    assert "Text, EN: Tracking parameters were removed from a link: https://news.example/" in text
    assert "Text, EN: A link was removed" in text
    saved = ArticleTranslation.objects.get()
    assert saved.body == '<p>a <a href="https://news.example/">b</a> c</p>'
