"""The RSS feed of each language."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.feedgenerator import Rss201rev2Feed
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.digest.rich_text.page import for_feed
from newsletter.editorial.models import ArticleTranslation
from newsletter.lib.characters import for_xml
from newsletter.web.articles import plain_text
from newsletter.web.context import Masthead
from newsletter.web.page_urls import absolute_url, fits_url, localized_path
from newsletter.web.views.page import page_language

FEED_ITEMS = 30


class _Feed(Rss201rev2Feed):
    """RSS with the whole text of each article, in the element that feed readers know for it.

    Well-formed even if a row was written past the forms, which check every character (H1).
    """

    content_type = "application/rss+xml; charset=utf-8"

    def __init__(self, **texts: str) -> None:
        super().__init__(**_for_xml(texts))

    def add_item(self, *args: Any, **values: Any) -> None:
        super().add_item(*args, **_for_xml(values))

    def rss_attributes(self) -> dict[str, str]:
        return {
            **super().rss_attributes(),
            "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
        }

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        if item["content"]:
            handler.addQuickElement("content:encoded", item["content"])


def _for_xml(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: for_xml(value) if isinstance(value, str) else value for name, value in values.items()
    }


@require_safe
@cache_control(public=True, max_age=300)
def feed(request: HttpRequest) -> HttpResponse:
    """Return the newest articles in the page's language.

    A feed declares one language for all items, so articles without a translation are left out.
    """
    language = page_language()
    newsroom = Masthead(request, language)
    rss = _Feed(
        title=newsroom.name,
        link=absolute_url(localized_path(language, "web:home")),
        description=newsroom.tagline or newsroom.name,
        language=language,
        feed_url=absolute_url(localized_path(language, "web:feed")),
    )
    for text in _newest_texts(language):
        url = absolute_url(localized_path(language, "web:article", slug=text.slug))
        rss.add_item(
            title=text.headline,
            link=url,
            description=text.lead or plain_text(text.body)[:500],
            unique_id=url,
            unique_id_is_permalink=True,
            pubdate=text.article.published_at,
            author_name=text.authors or None,
            content=for_feed(
                text.body,
                language=text.language,
                site_url=settings.SITE_URL,
                prefix=f"a{text.article_id}-",
            ),
        )
    return HttpResponse(rss.writeString("utf-8"), content_type=_Feed.content_type)


def _newest_texts(language: str) -> list[ArticleTranslation]:
    texts = ArticleTranslation.objects.public(timezone.now()).filter(language=language)
    newest = texts.select_related("article").order_by("-article__published_at", "-pk")
    return [text for text in newest[:FEED_ITEMS] if fits_url(text.slug)]
