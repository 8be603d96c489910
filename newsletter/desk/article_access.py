"""Who may see and change what of an article. Every view of an article's page asks here (I5)."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from newsletter.desk.view_helpers import user_of
from newsletter.editorial.models import Article, ArticleTranslation

VIEW = ("editorial.view_article", "editorial.change_article")


def visible_article(request: HttpRequest, article_id: int) -> Article:
    """Return the article. Raises PermissionDenied or Http404."""
    user = user_of(request)
    if not any(user.has_perm(permission) for permission in VIEW):
        raise PermissionDenied
    rows = Article.objects.select_related("newsletter", "issue__newsletter", "picture")
    return get_object_or_404(rows.prefetch_related("translations"), pk=article_id)


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


def may_write(request: HttpRequest, text: ArticleTranslation | None) -> bool:
    """Return whether the user may change this text, or start the translation if it is None."""
    user = user_of(request)
    action = "change" if text else "add"
    sees_article = any(user.has_perm(permission) for permission in VIEW)
    return sees_article and user.has_perm(f"editorial.{action}_articletranslation")


def writable_article(request: HttpRequest, article_id: int, code: str) -> Article:
    """Return the article, whose text in the language the user may change.

    Raises PermissionDenied or Http404.
    """
    article = visible_article(request, article_id)
    if not may_write(request, article.texts().get(language_of(article, code))):
        raise PermissionDenied
    return article


def may_remove(request: HttpRequest) -> bool:
    return user_of(request).has_perm("editorial.delete_articletranslation")
