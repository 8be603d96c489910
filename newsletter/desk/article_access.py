"""Who may see and change what of an article. Every view of an article's page asks here (I5)."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from newsletter.desk.access.roles import MAKE_READY
from newsletter.desk.access.rows import may, require
from newsletter.desk.access.scopes import Scope
from newsletter.desk.view_helpers import user_of
from newsletter.editorial.models import Article

VIEW = "editorial.view_article"


def visible_article(request: HttpRequest, article_id: int) -> Article:
    """Return the article. Raises PermissionDenied or Http404."""
    if not user_of(request).has_perm(VIEW):
        raise PermissionDenied
    rows = Article.objects.select_related("newsletter", "issue__newsletter", "picture")
    article = get_object_or_404(rows.prefetch_related("translations"), pk=article_id)
    require(request, VIEW, article)
    return article


def language_of(article: Article, code: str) -> str:
    """Return the code if the article has, had or may get a text in it. Raises Http404."""
    known = {*languages_of(article), *article.revisions.values_list("language", flat=True)}
    if code not in known:
        raise Http404
    return code


def languages_of(article: Article) -> list[str]:
    """Return the languages of the article's tabs, the original first."""
    codes = [article.original_language, *article.newsletter.languages, *article.texts()]
    return list(dict.fromkeys(codes))


def place_of(article: Article, language: str) -> Scope:
    """Return what a permission to write the article's text in the language is asked for."""
    return Scope(frozenset({article.newsletter_id}), language)


def may_write(request: HttpRequest, article: Article, language: str) -> bool:
    """Return whether the user may write in this language, or start the translation."""
    action = "change" if language in article.texts() else "add"
    place = place_of(article, language)
    return may(request, VIEW, article) and may(
        request, f"editorial.{action}_articletranslation", place
    )


def may_publish(request: HttpRequest, article: Article, language: str) -> bool:
    """Return whether the user may make the text ready, and change it while it is."""
    return may(request, MAKE_READY, place_of(article, language))


def is_locked(request: HttpRequest, article: Article, language: str) -> bool:
    """Return whether the text is ready, and the user may not change a ready one."""
    text = article.texts().get(language)
    return bool(text and text.is_ready) and not may_publish(request, article, language)


def writable_article(request: HttpRequest, article_id: int, code: str) -> Article:
    """Return the article, in whose language the user may write. The text may be ready, and closed
    to them (`is_locked`).

    Raises PermissionDenied or Http404.
    """
    article = visible_article(request, article_id)
    if not may_write(request, article, language_of(article, code)):
        raise PermissionDenied
    return article


def may_remove(request: HttpRequest, article: Article, language: str) -> bool:
    place = place_of(article, language)
    return may(request, "editorial.delete_articletranslation", place)
