"""The article page, and redirects from slugs of other languages."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from newsletter.digest.languages import pick_or_any
from newsletter.editorial.models import Article, ArticleTranslation
from newsletter.web import articles, topics
from newsletter.web.articles import corrected_on
from newsletter.web.page_urls import PageUrls, article_urls, localized_path, site_languages
from newsletter.web.similar import similar_articles
from newsletter.web.trends import load_statuses
from newsletter.web.views.page import is_staff, page_language, render_page


@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show an article under the slug of the translation that the page shows.

    Another translation's slug redirects there, so that changing the language in the URL works.
    """
    now, language = timezone.now(), page_language()
    found = _find_article(slug, language, at=now, staff=is_staff(request))
    if found is None:
        raise Http404(_("Article not found."))
    text = found.any_text(found.newsletter.chain_for(language))
    if text is None:
        raise Http404(_("Article not found."))
    if text.slug != slug:
        return redirect(localized_path(language, "web:article", slug=text.slug))
    return _render_article(request, found, text, at=now)


def _find_article(slug: str, language: str, *, at: datetime, staff: bool) -> Article | None:
    """Return the visible article with this slug in the page's language, else in any language."""
    owners = dict(ArticleTranslation.objects.filter(slug=slug).values_list("language", "article"))
    visible = Article.objects.visible_to(staff=staff, at=at).with_parts()
    found = {article.pk: article for article in visible.filter(pk__in=owners.values())}
    ordered = sorted(owners, key=lambda code: (code != language, code))
    return next((found[owners[code]] for code in ordered if owners[code] in found), None)


def _render_article(
    request: HttpRequest, found: Article, text: ArticleTranslation, *, at: datetime
) -> HttpResponse:
    language = page_language()
    shown = articles.article_view(found, text, language, load_statuses([found]), at=at)
    context = {
        "article": shown,
        "similar": similar_articles(found, language, at=at),
        "recent": topics.recent_weeks(found.topic, language, at=at) if found.topic else [],
        "corrected": corrected_on(text, found, language),
        "not_public": not shown.is_public,
    }
    urls = _article_page_urls(found, text, language)
    return render_page(request, "web/article.html", context, urls=urls, newsletter=found.newsletter)


def _article_page_urls(found: Article, text: ArticleTranslation, language: str) -> PageUrls:
    texts = found.texts()
    fallbacks = {
        code: pick_or_any(found.newsletter.chain_for(code), texts) or text.language
        for code in site_languages()
    }
    slugs = {code: translation.slug for code, translation in texts.items()}
    return article_urls(slugs, language=language, shown=text.language, fallbacks=fallbacks)
