"""What a row belongs to: the newsletters and the language that a role may be limited to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from newsletter.delivery.models import Mailing, Release
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Deletion,
    Issue,
    IssueTranslation,
    Newsletter,
    NewsletterTranslation,
    Picture,
    Topic,
    TopicTranslation,
    Trend,
)
from subscribers.models import (
    Consent,
    Export,
    Subscriber,
    Subscription,
    Suppression,
    UnsubscribeReason,
)

SHARED = None
"""The newsletters of a row that all newsletters share: a role for any of them is enough."""


@dataclass(frozen=True)
class Scope:
    """Where a permission is asked for.

    A role for one of the newsletters is enough. If there is none, as for the newsroom itself, only
    a role for all newsletters covers it.
    """

    newsletters: frozenset[int] | None = frozenset()
    """IDs of newsletters, or SHARED."""
    language: str = ""
    """The language that is written in; "" if the row has none."""


@singledispatch
def scope_of(row: object) -> Scope:
    """Return what the row belongs to. Rows of other kinds belong to the whole newsroom."""
    return row if isinstance(row, Scope) else Scope()


def _of(newsletter_id: int | None, language: str = "") -> Scope:
    return Scope(frozenset() if newsletter_id is None else frozenset({newsletter_id}), language)


@scope_of.register(Article)
@scope_of.register(Issue)
@scope_of.register(Topic)
@scope_of.register(NewsletterTranslation)
@scope_of.register(Deletion)
@scope_of.register(Release)
@scope_of.register(Subscription)
@scope_of.register(UnsubscribeReason)
def _with_newsletter(row: Article) -> Scope:
    return _of(row.newsletter_id)


@scope_of.register
def _newsletter(row: Newsletter) -> Scope:
    return _of(row.pk)


@scope_of.register
def _text(row: ArticleTranslation) -> Scope:
    return _of(row.article.newsletter_id, row.language)


@scope_of.register
def _issue_text(row: IssueTranslation) -> Scope:
    return _of(row.issue.newsletter_id, row.language)


@scope_of.register(TopicTranslation)
@scope_of.register(Trend)
def _of_topic(row: Trend) -> Scope:
    return _of(row.topic.newsletter_id)


@scope_of.register
def _mailing(row: Mailing) -> Scope:
    return _of(row.release.newsletter_id)


@scope_of.register(Picture)
@scope_of.register(Suppression)
def _shared(_row: object) -> Scope:
    return Scope(SHARED)


@scope_of.register
def _export(row: Export) -> Scope:
    return _of(Newsletter.objects.filter(slug=row.newsletter).values_list("pk", flat=True).first())


@scope_of.register
def _subscriber(row: Subscriber) -> Scope:
    return Scope(frozenset(row.subscriptions.values_list("newsletter", flat=True)))


@scope_of.register
def _consent(row: Consent) -> Scope:
    return _of(row.subscription.newsletter_id)
