"""What may be read: every rule that decides it is here, and nowhere else.

* A translation is ready if an editor marked it so. It is public once its article's
  `published_at` has passed, whether or not its issue has been sent.
* An article is public if one of its translations is.
* An issue is public if it is approved, is not a planned break and has a public article.

The site, the emails, the desk and the readers' own pages all ask here. `at` is the moment for
which they ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from newsletter.editorial.schedule import Month

if TYPE_CHECKING:
    from newsletter.editorial import models


class ArticleTranslationQuerySet(QuerySet["models.ArticleTranslation"]):
    def with_page(self) -> ArticleTranslationQuerySet:
        """Those with a slug: without one there is no page to show or to link to."""
        return self.exclude(slug="")

    def ready(self) -> ArticleTranslationQuerySet:
        return self.with_page().filter(state=self.model.State.READY)

    def public(self, at: datetime) -> ArticleTranslationQuerySet:
        return self.ready().filter(article__published_at__lte=at)


class ArticleQuerySet(QuerySet["models.Article"]):
    """`public` and `visible_to` also load the translations that go with the answer, so that a
    draft can't show up on a page about a public article."""

    def public(self, at: datetime) -> ArticleQuerySet:
        """Articles with a ready translation whose time has come, with those translations."""
        return self.filter(published_at__lte=at)._with(_texts().ready())

    def visible_to(self, *, staff: bool, at: datetime) -> ArticleQuerySet:
        """What a visitor may read; staff see drafts and embargoed articles too."""
        return self._with(_texts().with_page()) if staff else self.public(at)

    def with_parts(self) -> ArticleQuerySet:
        """With all that a page or an email shows of them: a constant number of queries."""
        related = self.select_related("issue", "topic", "picture", "newsletter")
        return related.prefetch_related("topic__translations")

    def _with(self, texts: ArticleTranslationQuerySet) -> ArticleQuerySet:
        having = self.filter(Exists(texts.filter(article=OuterRef("pk"))))
        return having.prefetch_related(Prefetch("translations", queryset=texts.order_by("pk")))


class IssueQuerySet(QuerySet["models.Issue"]):
    def without_breaks(self) -> IssueQuerySet:
        return self.exclude(kind=self.model.Kind.BREAK)

    def scheduled(self) -> IssueQuerySet:
        """Those that take up weeks: all but special issues."""
        return self.exclude(kind=self.model.Kind.SPECIAL)

    def public(self, at: datetime) -> IssueQuerySet:
        approved = self.without_breaks().filter(state=self.model.State.APPROVED)
        return approved.filter(Exists(_articles().public(at).filter(issue=OuterRef("pk"))))

    def visible_to(self, *, staff: bool, at: datetime) -> IssueQuerySet:
        """What a visitor may read; staff see issues in preparation too."""
        return self.without_breaks() if staff else self.public(at)

    def newest_first(self) -> IssueQuerySet:
        return self.order_by("-ends_on", "-starts_on", "-pk")

    def latest_public(self, at: datetime) -> models.Issue | None:
        """The latest issue that can be read at that moment."""
        return self.public(at).newest_first().first()

    def for_week(self, monday: date) -> models.Issue | None:
        """The scheduled issue, or the planned break, that covers the week of that Monday."""
        return self.scheduled().filter(starts_on__lte=monday, ends_on__gt=monday).first()

    def for_month(self, month: Month) -> IssueQuerySet:
        """Those that end in the weeks of that month; special issues too."""
        # An issue of several weeks goes out with its last one, so that is the one that counts.
        return self.filter(ends_on__gte=month.starts_on, ends_on__lt=month.next.starts_on)

    def by_key(self, key: str) -> models.Issue | None:
        """The issue with that `key`: its Monday ("2017-07-24") or, for a special one, its slug."""
        special = self.filter(kind=self.model.Kind.SPECIAL, slug=key)
        try:
            monday = date.fromisoformat(key)
        except ValueError:
            return special.first()
        if monday.isoformat() != key:
            return special.first()  # "20170724": an issue has one address, not two
        return self.scheduled().filter(starts_on=monday).first() or special.first()

    def with_texts(self) -> IssueQuerySet:
        """With their own words and the newsletter's: two more queries, however many there are."""
        related = self.select_related("newsletter")
        return related.prefetch_related("translations", "newsletter__translations")

    def with_article_count(self, at: datetime) -> IssueQuerySet:
        """With `article_count`, the number of their public articles."""
        ready = Exists(_texts().ready().filter(article=OuterRef("articles__pk")))
        published = Q(ready, articles__published_at__lte=at)
        return self.annotate(article_count=Count("articles", filter=published, distinct=True))


class TrendQuerySet(QuerySet["models.Trend"]):
    def for_issues(self, issues: Iterable[models.Issue]) -> dict[int, dict[int, str]]:
        """By issue and topic, how the topic's situation changed in the weeks that the issue
        covers; the last of these weeks with a trend counts. One query.

        A special issue has no trends: they belong to weeks, and so to their own issues.
        """
        weekly = {each.pk: each for each in issues if each.kind != each.Kind.SPECIAL}
        if not weekly:
            return {}
        wanted = Q()
        for issue in weekly.values():
            wanted |= Q(
                topic__newsletter=issue.newsletter_id,
                week__range=(issue.starts_on, issue.ends_on),
            )
        found: dict[int, dict[int, str]] = {}
        rows = self.filter(wanted).order_by("week")
        for newsletter, topic, week, status in rows.values_list(
            "topic__newsletter", "topic", "week", "status"
        ):
            for issue in weekly.values():
                if issue.newsletter_id == newsletter and issue.starts_on <= week <= issue.ends_on:
                    found.setdefault(issue.pk, {})[topic] = status
        return found

    def for_issue(self, issue: models.Issue) -> dict[int, str]:
        """The same for one issue: the status by topic."""
        return self.for_issues([issue]).get(issue.pk, {})


# The models import this module, so it looks them up in Django's registry.
def _texts() -> ArticleTranslationQuerySet:
    model: type[models.ArticleTranslation] = apps.get_model("editorial", "ArticleTranslation")
    return model.objects.all()


def _articles() -> ArticleQuerySet:
    model: type[models.Article] = apps.get_model("editorial", "Article")
    return model.objects.all()
