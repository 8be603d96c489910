"""The article page, and where an address leads whose text is elsewhere."""

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
from newsletter.web.page_urls import PageUrls, of_article, path_in, site_languages
from newsletter.web.similar import similar
from newsletter.web.trends import statuses
from newsletter.web.views.page import is_staff, page, page_language


@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponseBase:
    """An article under the slug of the text that the page shows.

    The slug of another language leads to the page's own text where there is one: who changes
    the language in the address arrives.
    """
    now, language = timezone.now(), page_language()
    found = _find(slug, language, at=now, staff=is_staff(request))
    if found is None:
        raise Http404(_("Article not found."))
    text = found.any_text(found.newsletter.chain_for(language))
    if text is None:
        raise Http404(_("Article not found."))
    if text.slug != slug:
        return redirect(path_in(language, "web:article", slug=text.slug))
    return _answer(request, found, text, at=now)


def _find(slug: str, language: str, *, at: datetime, staff: bool) -> Article | None:
    """By its slug in the page's language, else in any other."""
    owners = dict(ArticleTranslation.objects.filter(slug=slug).values_list("language", "article"))
    visible = Article.objects.visible_to(staff=staff, at=at).with_parts()
    found = {each.pk: each for each in visible.filter(pk__in=owners.values())}
    ordered = sorted(owners, key=lambda code: (code != language, code))
    return next((found[owners[code]] for code in ordered if owners[code] in found), None)


def _answer(
    request: HttpRequest, found: Article, text: ArticleTranslation, *, at: datetime
) -> HttpResponse:
    language = page_language()
    shown = articles.in_text(found, text, language, statuses([found]), at=at)
    context = {
        "article": shown,
        "similar": similar(found, language, at=at),
        "recent": topics.recent(found.topic, language, at=at) if found.topic else [],
        "corrected": corrected_on(text, found, language),
        "not_public": not shown.is_public,
    }
    addresses = _addresses(found, text, language)
    return page(
        request, "web/article.html", context, addresses=addresses, newsletter=found.newsletter
    )


def _addresses(found: Article, text: ArticleTranslation, language: str) -> PageUrls:
    texts = found.texts()
    fallbacks = {
        code: pick_or_any(found.newsletter.chain_for(code), texts) or text.language
        for code in site_languages()
    }
    slugs = {code: each.slug for code, each in texts.items()}
    return of_article(slugs, language=language, shown=text.language, fallbacks=fallbacks)
