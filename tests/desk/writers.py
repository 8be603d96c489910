"""What the tests of writing share: an article in two languages, and people who save it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from newsletter.desk.article_page import text_url
from newsletter.editorial.models import Article, ArticleTranslation
from tests.conftest import WriteArticle
from tests.desk.forms import text_data


@pytest.fixture
def article(write_article: WriteArticle) -> Article:
    return write_article(en="Low water", be="Нізкая вада", state="draft")


def stored(article: Article, language: str = "be") -> ArticleTranslation:
    return article.translations.get(language=language)


def post_text(client: Client, article: Article, data: dict[str, Any], **values: str) -> Any:
    return client.post(text_url(article, "be"), data | values)


def meet(article: Article, first: Client, second: Client, **seconds: str) -> str:
    """Let both save on top of the same revision; return the URL of the second one's choice."""
    data = text_data(first, article, "be")
    post_text(first, article, data, lead="Першы лід.")
    answer = post_text(second, article, data, **(seconds or {"lead": "Другі лід."}))
    assert "/conflict/" in answer["Location"]
    return str(answer["Location"]).partition("?")[0]
