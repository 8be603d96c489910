"""Which row an article of a document is (H3): stated by its ID or its slug, never guessed.

Two rows that only look alike are never taken for one: what can't be told is a problem, which says
what to state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.utils.translation import gettext as _

from newsletter.editorial import models
from newsletter.editorial.importing import schema
from newsletter.editorial.importing.errors import DocumentError, Problem
from newsletter.editorial.slugs import slug_for

NEW = 0
"""Stands for the primary key of an article that the import adds."""

Key = TypeVar("Key")


# --- In the document ----------------------------------------------------------------------------
def repeated(document: schema.Document) -> dict[str, Problem]:
    """Return a problem for each category, issue or article that the document has already had.

    The keys are the locations of these objects, which must not be stored.
    """
    return dict(_repeated(document))


def _repeated(document: schema.Document) -> Iterator[tuple[str, Problem]]:
    categories: dict[str, str] = {}
    for index, category in enumerate(document.categories):
        yield from _repeats(categories, category.slug, f"categories[{index}]", "slug")
    issues: dict[tuple[bool, str], str] = {}
    for index, issue in enumerate(document.issues):
        special = issue.kind == models.Issue.Kind.SPECIAL
        known_by = (special, issue.slug if special else issue.starts_on.isoformat())
        field = "slug" if special else "starts_on"
        yield from _repeats(issues, known_by, f"issues[{index}]", field)
    ids: dict[str, str] = {}
    slugs: dict[tuple[str, str], str] = {}
    for location, article in document.located_articles():
        if article.id is not None:
            yield from _repeats(ids, article.id, location, "id")
        for code, slug in article.slugs.items():
            field = f"translations.{code}.headline"
            if article.translations[code].slug is not None:
                field = f"translations.{code}.slug"
            yield from _same_slug(slugs, (code, slug), location, field)


def _repeats(
    seen: dict[Key, str], key: Key, location: str, field: str
) -> Iterator[tuple[str, Problem]]:
    if (other := seen.setdefault(key, location)) != location:
        reason = _("is the same as in %(other)s. Keep one, or correct one.") % {"other": other}
        yield location, Problem(f"{location}.{field}", reason)


def _same_slug(
    seen: dict[tuple[str, str], str], key: tuple[str, str], location: str, field: str
) -> Iterator[tuple[str, Problem]]:
    if (other := seen.setdefault(key, location)) != location:
        reason = _(
            "makes the slug “%(slug)s”, like %(other)s. If these are two articles, state a “slug” "
            "for one of them; otherwise keep one."
        ) % {"slug": key[1], "other": other}
        yield location, Problem(f"{location}.{field}", reason)


# --- In the database ----------------------------------------------------------------------------
class StoredArticles:
    """The articles that were there before the import, by ID and by slug.

    All are looked up at once: a query for each of thousands of articles takes long.
    """

    def __init__(self, document: schema.Document, newsletter: models.Newsletter) -> None:
        self._newsletter = newsletter.pk
        stored = models.Article.objects.filter(newsletter=newsletter).exclude(external_id="")
        self._ids = dict(stored.values_list("external_id", "pk"))
        self._slugs = _stored_slugs(document)
        articles = [article for _location, article in document.located_articles()]
        found = {self._ids.get(article.id or "") for article in articles}
        found |= {self._holder(article) for article in articles}
        self._rows = _rows({pk for pk in found if pk is not None})
        self._taken: dict[int, str] = {}

    def _holder(self, data: schema.Article) -> int | None:
        """Return the article that has the slug in the original language."""
        return self._slugs.get((data.original_language, data.key))

    def find(
        self, data: schema.Article, issue: models.Issue | None, *, location: str
    ) -> models.Article | None:
        """Return the article with its translations prefetched, or None if it is a new one.

        Raises DocumentError if the document doesn't say enough to tell.
        """
        if data.id is not None and data.id in self._ids:
            found, at = self._ids[data.id], f"{location}.id"
        else:
            at = f"{location}.{_slug_field(data)}"
            holder = self._holder(data)
            if holder is None or not self._is_the_same(data, self._rows[holder], issue, at):
                return None
            found = holder
        if (other := self._taken.setdefault(found, location)) != location:
            reason = _("is the same stored article as %(other)s. State an ID or a slug.")
            raise DocumentError(Problem(at, reason % {"other": other}))
        return self._rows[found]

    def _is_the_same(
        self,
        data: schema.Article,
        holder: models.Article,
        issue: models.Issue | None,
        location: str,
    ) -> bool:
        """Return whether the article that has the slug is the document's, or an unrelated one."""
        named = {"slug": data.key, "id": holder.external_id}
        reason = ""
        if holder.newsletter_id != self._newsletter:
            is_same = False
            if data.states_slug or data.id is None:
                reason = _(
                    "An article of another newsletter has the slug “%(slug)s”. State another slug."
                )
        elif data.id is None:
            is_same = True
            if issue is not None and holder.issue_id != issue.pk and not data.states_slug:
                reason = _(
                    "An article of another issue has the slug “%(slug)s”. If it is this one, state "
                    "this slug; if it isn’t, state another one."
                )
        elif holder.external_id:
            is_same = False  # a number at the end will tell their slugs apart
            if data.states_slug:
                reason = _(
                    "The article with the ID “%(id)s” has the slug “%(slug)s”. State another slug."
                )
        else:
            is_same = True
            if not data.states_slug:
                reason = _(
                    "An article without an ID has the slug “%(slug)s”. If it is this one, state "
                    "this slug; if it isn’t, state another one."
                )
        if reason:
            raise DocumentError(Problem(location, reason % named))
        return is_same

    def new_slug(self, text: schema.Translation, language: str, *, location: str) -> str:
        """Return the stated slug, or that of the headline with a number if it is taken.

        Raises DocumentError if the stated slug belongs to another article.
        """
        if text.slug is not None:
            if (language, text.slug) in self._slugs:
                reason = _("Another article has the slug “%(slug)s”. State another slug.")
                problem = Problem(f"{location}.slug", reason % {"slug": text.slug})
                raise DocumentError(problem)
            return self._take(language, text.slug)
        base = slug = slug_for(text.headline, language)
        number = 1
        while (language, slug) in self._slugs:
            number += 1
            slug = f"{base}-{number}"
        return self._take(language, slug)

    def _take(self, language: str, slug: str) -> str:
        self._slugs[language, slug] = NEW
        return slug


def _slug_field(data: schema.Article) -> str:
    field = "slug" if data.states_slug else "headline"
    return f"translations.{data.original_language}.{field}"


def _stored_slugs(document: schema.Document) -> dict[tuple[str, str], int]:
    """Return the article that has each slug, in the languages of the document's articles."""
    articles = (article for _location, article in document.located_articles())
    languages = {code for article in articles for code in article.translations}
    texts = models.ArticleTranslation.objects.filter(language__in=languages).exclude(slug="")
    rows = texts.values_list("language", "slug", "article_id").iterator()
    return {(language, slug): article for language, slug, article in rows}


def _rows(keys: set[int]) -> dict[int, models.Article]:
    """Return the articles with their translations and pictures."""
    rows: dict[int, models.Article] = {}
    ordered = sorted(keys)
    for start in range(0, len(ordered), 500):
        found = models.Article.objects.filter(pk__in=ordered[start : start + 500])
        prefetched = found.select_related("picture", "issue", "topic")
        rows |= {row.pk: row for row in prefetched.prefetch_related("translations", "similar")}
    return rows
