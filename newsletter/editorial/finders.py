"""Find articles, issues, pictures and topics by what somebody typed (H5).

The condition and the order are the same on both databases: rows in which everything is found in the
headline come first, then those in which it is found in headline, lead or authors; within each group
the newest come first. The functions narrow a queryset, so that a caller can first decide which rows
may be found at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Case, Max, Min, Q, QuerySet, Value, When

from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    IssueTranslation,
    Picture,
    Topic,
)
from newsletter.editorial.search import weeks
from newsletter.editorial.search.query import Query, parse
from newsletter.editorial.search.words import words


def find_articles(
    rows: QuerySet[Article], text: str, *, texts: QuerySet[ArticleTranslation] | None = None
) -> QuerySet[Article]:
    """Keep articles with a text that has all the words, the most relevant first.

    `texts` are those that may be found, by default all.
    """
    query = parse(text)
    if not query:
        return rows.none()

    def found(part: Query) -> Q:
        return Q(pk__in=_texts(texts, part).values("article"))

    groups = Case(
        When(found(query.in_headline()), then=Value(0)),
        When(found(query.in_lead()), then=Value(1)),
        default=Value(2),
    )
    ranked = rows.filter(found(query)).alias(relevance=groups)
    return ranked.order_by("relevance", "-published_at", "-pk")


def find_issues(rows: QuerySet[Issue], text: str) -> QuerySet[Issue]:
    """Keep issues whose weeks, texts or articles the text names, in this order.

    If the text names days (“9 November”), only weeks count: those with just these days come first.
    """
    written, query = weeks.parse(text), parse(text)
    days = _days(rows, written) if written else []
    own = _any(Q(starts_on__lte=last, ends_on__gte=first) for first, last in days)
    if not query or (written and written.names_days):
        exact = _any(Q(starts_on=first, ends_on=last) for first, last in days)
        groups = Case(When(exact, then=Value(0)), default=Value(1))
        in_weeks = rows.filter(own).alias(relevance=groups)
        return in_weeks.order_by("relevance", "-starts_on", "-pk")
    own |= Q(pk__in=IssueTranslation.objects.filter(lexemes__matches=query).values("issue"))
    own |= Q(kind=Issue.Kind.SPECIAL, slug__contains="-".join(words(text[:200])))
    articles = Article.objects.filter(pk__in=_texts(None, query).values("article"))
    groups = Case(When(own, then=Value(0)), default=Value(1))
    # An article without an issue would make the set of issues contain NULL.
    ranked = rows.filter(own | Q(pk__in=articles.exclude(issue=None).values("issue")))
    return ranked.alias(relevance=groups).order_by("relevance", "-starts_on", "-pk")


def find_pictures(rows: QuerySet[Picture], text: str) -> QuerySet[Picture]:
    """Keep pictures with the words in their credit, then those with it in an article's headline."""
    query = parse(text)
    if not query:
        return rows.none()
    by_credit = Q(pk__in=Picture.objects.filter(lexemes__matches=query).values("pk"))
    articles = Article.objects.filter(pk__in=_texts(None, query.in_headline()).values("article"))
    by_headline = Q(pk__in=articles.exclude(picture=None).values("picture"))
    groups = Case(When(by_credit, then=Value(0)), default=Value(1))
    ranked = rows.filter(by_credit | by_headline).alias(relevance=groups)
    return ranked.order_by("relevance", "-pk")


def find_topics(rows: QuerySet[Topic], text: str) -> QuerySet[Topic]:
    """Keep topics with the words in a name or in the slug. There are few, so they have no index."""
    query = parse(text)
    found = [
        topic.pk
        for topic in rows.prefetch_related("translations")
        if any(
            query.matches(words(name))
            for name in (topic.slug, *(each.name for each in topic.texts().values()))
        )
    ]
    return rows.filter(pk__in=found)


def _texts(
    texts: QuerySet[ArticleTranslation] | None, query: Query
) -> QuerySet[ArticleTranslation]:
    rows = ArticleTranslation.objects.all() if texts is None else texts
    return rows.filter(lexemes__matches=query)


def _days(rows: QuerySet[Issue], written: weeks.Written) -> list[weeks.Days]:
    """Return the days that were written; without a year, those of each year that has issues."""
    if written.has_year:
        return written.in_years(0, 0)
    span = rows.aggregate(first=Min("starts_on"), last=Max("ends_on"))
    return written.in_years(span["first"].year, span["last"].year) if span["first"] else []


def _any(conditions: Iterable[Q]) -> Q:
    """Return a condition that holds if one of them does. Without any, nothing satisfies it."""
    return reduce(or_, conditions, Q(pk__in=[]))
