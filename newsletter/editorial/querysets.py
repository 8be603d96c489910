"""Querysets with the rules for what is public, which no other module repeats.

* A translation is ready if an editor marked it so. It is public once its article's
  `published_at` has passed, whether or not its issue has been sent.
* An article is public if one of its translations is.
* An issue is public if it is approved, isn't a planned break, and has a public article.

The site, the emails, the desk and the readers' account pages all use these. `at` is the moment at
which something is public.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from newsletter.editorial.schedule import Month
from newsletter.editorial.search.searchable import SearchableQuerySet

if TYPE_CHECKING:
    from newsletter.editorial import models


class ArticleTranslationQuerySet(SearchableQuerySet["models.ArticleTranslation"]):
    def with_page(self) -> ArticleTranslationQuerySet:
        """Keep translations with a slug. The others have no page."""
        return self.exclude(slug="")

    def ready(self) -> ArticleTranslationQuerySet:
        return self.with_page().filter(state=self.model.State.READY)

    def public(self, at: datetime) -> ArticleTranslationQuerySet:
        return self.ready().filter(article__published_at__lte=at)


class ArticleQuerySet(QuerySet["models.Article"]):
    """`public` and `visible_to` also prefetch the matching translations, so that a page about a
    public article can't show a draft."""

    def public(self, at: datetime) -> ArticleQuerySet:
        """Keep published articles with a ready translation, and prefetch only ready ones."""
        return self.filter(published_at__lte=at)._with_texts(_texts().ready())

    def visible_to(self, *, staff: bool, at: datetime) -> ArticleQuerySet:
        """Keep what a visitor may read. Staff can also read drafts and embargoed articles."""
        return self._with_texts(_texts().with_page()) if staff else self.public(at)

    def with_parts(self) -> ArticleQuerySet:
        """Load everything that a page or an email shows, in a constant number of queries."""
        related = self.select_related("issue", "topic", "picture", "newsletter")
        return related.prefetch_related("topic__translations")

    def _with_texts(self, texts: ArticleTranslationQuerySet) -> ArticleQuerySet:
        having = self.filter(Exists(texts.filter(article=OuterRef("pk"))))
        return having.prefetch_related(Prefetch("translations", queryset=texts.order_by("pk")))


class IssueQuerySet(QuerySet["models.Issue"]):
    def without_breaks(self) -> IssueQuerySet:
        return self.exclude(kind=self.model.Kind.BREAK)

    def scheduled(self) -> IssueQuerySet:
        """Keep issues that take up weeks: all but special issues."""
        return self.exclude(kind=self.model.Kind.SPECIAL)

    def public(self, at: datetime) -> IssueQuerySet:
        approved = self.without_breaks().filter(state=self.model.State.APPROVED)
        return approved.filter(Exists(_articles().public(at).filter(issue=OuterRef("pk"))))

    def visible_to(self, *, staff: bool, at: datetime) -> IssueQuerySet:
        """Keep what a visitor may read. Staff can also read issues in preparation."""
        return self.without_breaks() if staff else self.public(at)

    def newest_first(self) -> IssueQuerySet:
        return self.order_by("-ends_on", "-starts_on", "-pk")

    def latest_public(self, at: datetime) -> models.Issue | None:
        """Return the latest issue that is public at that moment."""
        return self.public(at).newest_first().first()

    def for_week(self, monday: date) -> models.Issue | None:
        """Return the scheduled issue or planned break that covers the week of that Monday."""
        return self.scheduled().filter(starts_on__lte=monday, ends_on__gt=monday).first()

    def for_month(self, month: Month) -> IssueQuerySet:
        """Keep issues, including special ones, that end in a week of that month."""
        # An issue of several weeks goes out after its last week, which therefore decides.
        return self.filter(ends_on__gte=month.starts_on, ends_on__lt=month.next.starts_on)

    def by_key(self, key: str) -> models.Issue | None:
        """Return the issue with that `key`: its Monday ("2017-07-24") or a special issue's slug."""
        special = self.filter(kind=self.model.Kind.SPECIAL, slug=key)
        try:
            monday = date.fromisoformat(key)
        except ValueError:
            return special.first()
        if monday.isoformat() != key:
            return special.first()  # such as "20170724": an issue has only one URL
        return self.scheduled().filter(starts_on=monday).first() or special.first()

    def with_texts(self) -> IssueQuerySet:
        """Load their texts and their newsletters' texts, in two more queries."""
        related = self.select_related("newsletter")
        return related.prefetch_related("translations", "newsletter__translations")

    def with_article_count(self, at: datetime) -> IssueQuerySet:
        """Annotate `article_count`, the number of public articles."""
        ready = Exists(_texts().ready().filter(article=OuterRef("articles__pk")))
        published = Q(ready, articles__published_at__lte=at)
        return self.annotate(article_count=Count("articles", filter=published, distinct=True))


class TrendQuerySet(QuerySet["models.Trend"]):
    def for_issues(self, issues: Iterable[models.Issue]) -> dict[int, dict[int, str]]:
        """Return the status by topic ID for each issue ID, in one query.

        If an issue covers several weeks, the last week with a trend counts. Special issues have no
        trends, which belong to weeks.
        """
        weekly = {each.pk: each for each in issues if each.kind != each.Kind.SPECIAL}
        if not weekly:
            return {}
        condition = Q()
        for issue in weekly.values():
            condition |= Q(
                topic__newsletter=issue.newsletter_id,
                week__range=(issue.starts_on, issue.ends_on),
            )
        found: dict[int, dict[int, str]] = {}
        rows = self.filter(condition).order_by("week")
        for newsletter, topic, week, status in rows.values_list(
            "topic__newsletter", "topic", "week", "status"
        ):
            for issue in weekly.values():
                if issue.newsletter_id == newsletter and issue.starts_on <= week <= issue.ends_on:
                    found.setdefault(issue.pk, {})[topic] = status
        return found

    def for_issue(self, issue: models.Issue) -> dict[int, str]:
        """Return the status by topic ID for one issue."""
        return self.for_issues([issue]).get(issue.pk, {})


# The models import this module, so it looks them up in Django's registry.
def _texts() -> ArticleTranslationQuerySet:
    model: type[models.ArticleTranslation] = apps.get_model("editorial", "ArticleTranslation")
    return model.objects.all()


def _articles() -> ArticleQuerySet:
    model: type[models.Article] = apps.get_model("editorial", "Article")
    return model.objects.all()
