"""Change an issue's order, add existing articles to it, and take articles out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.desk.access.rows import get_issue
from newsletter.desk.issue_page import rows
from newsletter.desk.issue_page.saving import content_changed, last_change, locked
from newsletter.desk.issue_page.values import token
from newsletter.desk.view_helpers import log_action, permission_required, render_page
from newsletter.editorial import finders, ordering
from newsletter.editorial.models import Article, Issue, Topic
from newsletter.editorial.ordering import OrderChange, StaleOrderError

STEPS = {"up": -1, "down": 1, "out": 0}
"""The buttons beside an article, and how many places they move it."""
LISTED = 30
"""How many articles that can be added are listed at most."""


def joined(ids: Iterable[int]) -> str:
    return ",".join(map(str, ids))


def parsed(text: str) -> list[int]:
    """Return the IDs of "3,1,2"; what isn't a number is left out."""
    return [int(part) for part in text.split(",") if part.isdecimal() and len(part) < 19]


def act(request: HttpRequest, issue: Issue, step: str, target: str) -> None:
    """Move an article by one place, or take it out, and say so in a message."""
    article = Article.objects.filter(issue=issue, pk=target if target.isdecimal() else 0).first()
    if article is None:
        messages.error(request, _("This article is no longer in the issue."))
    elif step == "out":
        _take_out(request, issue, article)
    else:
        _move(request, issue, article, STEPS[step])


@require_POST
@permission_required("editorial.change_issue")
def save_order(request: HttpRequest, issue_id: int) -> JsonResponse:
    """Store the order that the page's script posts (`order`, `seen`: article IDs with commas,
    `moved`: the ID of the one that was moved).

    Answers {"message", "token"}; with status 409 and {"message", "order"} if the order has
    changed since the page was opened.
    """
    issue = get_issue(request, issue_id, "editorial.change_issue")
    was_current = request.POST.get("token") == token(issue)
    wanted, seen = (parsed(request.POST.get(name, "")) for name in ("order", "seen"))
    try:
        message = _arrange(request, issue, wanted, seen, moved=request.POST.get("moved", ""))
    except StaleOrderError as stale:
        answer = {"message": _explain(issue, stale.change), "order": stale.current}
        return JsonResponse(answer, status=409)
    # A page that was out of date in other ways stays so: approving it will be refused.
    return JsonResponse(
        {"message": message, "token": token(issue) if was_current else request.POST.get("token")}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("editorial.change_issue")
def add_article(request: HttpRequest, issue_id: int) -> HttpResponse:
    """List the articles that can be added, filtered by `q`; add one on POST."""
    issue = get_issue(request, issue_id, "editorial.change_issue")
    if request.method == "POST":
        _add(request, issue, request.POST.get("article", ""))
        again = urlencode({"q": request.POST.get("q", "")})
        return redirect(f"{request.path}?{again}")
    query = request.GET.get("q", "").strip()
    found = find_articles(issue, query)
    shown = found[:LISTED]
    return render_page(
        request,
        "desk/issue/add_article.html",
        title=_("Add an article to %(issue)s") % {"issue": issue},
        issue=issue,
        query=query,
        found=[rows.article_row(each, issue.newsletter.languages) for each in shown],
        is_cut=len(found) > LISTED,
        count=issue.articles.count(),
    )


def addable(issue: Issue) -> QuerySet[Article]:
    """Return the newsletter's articles without an issue, or in another one that wasn't sent."""
    sent = rows.sent_mailings().filter(release__issue__isnull=False).values("release__issue")
    others = Article.objects.filter(newsletter=issue.newsletter_id).exclude(issue=issue.pk)
    return others.filter(Q(issue=None) | ~Q(issue__in=sent))


def find_articles(issue: Issue, query: str) -> list[Article]:
    """Return addable articles: the newest, or those whose texts or topic the query names."""
    articles = addable(issue).select_related("topic", "picture", "issue")
    articles = articles.prefetch_related("translations", "topic__translations")
    newest = articles.order_by("-published_at", "-pk")
    if not query:
        return list(newest[: LISTED + 1])
    topics = finders.find_topics(Topic.objects.filter(newsletter=issue.newsletter_id), query)
    by_text = finders.find_articles(articles, query)[: LISTED + 1]
    by_topic = newest.filter(topic__in=topics)[: LISTED + 1]
    return list(dict.fromkeys([*by_text, *by_topic]))


def new_article_url(issue: Issue, topic: str) -> str:
    """Return the URL of the page for a new article of the issue, with its topic chosen."""
    query = {"issue": issue.pk, "newsletter": issue.newsletter_id}
    if topic.isdecimal():
        query["topic"] = int(topic)
    return f"{reverse('admin:editorial_article_add')}?{urlencode(query)}"


@transaction.atomic
def _add(request: HttpRequest, issue: Issue, target: str) -> None:
    article = addable(issue).filter(pk=target if target.isdecimal() else 0).first()
    if article is None:
        messages.error(
            request, _("This article can’t be added: its issue was sent, or it was deleted.")
        )
        return
    previous = article.issue
    ordering.append(issue, [article.pk])
    log_action(request, issue, _("Added: “%(article)s”.") % {"article": article})
    _warn_if_withdrawn(request, issue)
    if previous:
        log_action(request, previous, _("Taken out: “%(article)s”.") % {"article": article})
        _warn_if_withdrawn(request, previous)
    messages.success(request, _("Added: “%(article)s”.") % {"article": article})


@transaction.atomic
def _take_out(request: HttpRequest, issue: Issue, article: Article) -> None:
    ordering.take_out(locked(issue.pk), article.pk)
    log_action(request, issue, _("Taken out: “%(article)s”.") % {"article": article})
    _warn_if_withdrawn(request, issue)
    message = _("“%(article)s” is no longer in this issue. It is still among the articles.")
    messages.success(request, message % {"article": article})


def _move(request: HttpRequest, issue: Issue, article: Article, step: int) -> None:
    seen = parsed(request.POST.get("seen", ""))
    wanted = list(seen)
    if article.pk in wanted:
        place = wanted.index(article.pk)
        wanted.insert(max(place + step, 0), wanted.pop(place))
    try:
        messages.success(request, _arrange(request, issue, wanted, seen, moved=str(article.pk)))
    except StaleOrderError as stale:
        messages.error(request, _explain(issue, stale.change))


@transaction.atomic
def _arrange(
    request: HttpRequest, issue: Issue, wanted: list[int], seen: list[int], *, moved: str
) -> str:
    """Store the order; return a sentence that says what changed. Raises StaleOrderError."""
    issue = locked(issue.pk)
    if not ordering.arrange(issue, wanted, seen=seen):
        return _("The order hasn’t changed.")
    change = ordering.difference(seen, wanted)
    if moved.isdecimal() and int(moved) in wanted:
        # If two neighbours change places, the order alone doesn't tell which one was moved.
        change = replace(change, moved=[int(moved)])
    message = describe(change, wanted)
    log_action(request, issue, message)
    if content_changed(request, issue):
        message += " " + _("The approval was withdrawn, because the issue has changed.")
    return message


def _warn_if_withdrawn(request: HttpRequest, issue: Issue) -> None:
    if content_changed(request, issue):
        messages.warning(request, _("The approval was withdrawn, because the issue has changed."))


def _explain(issue: Issue, change: OrderChange) -> str:
    """Return what to say to somebody whose page shows an older order."""
    start = _("Your change was not saved, because the order is a newer one by now.")
    who = last_change(issue)
    by = _("The last change is by %(name)s.") % {"name": who[0]} if who else ""
    return " ".join(filter(None, [start, describe(change, ordering.order_of(issue)), by]))


def describe(change: OrderChange, order: list[int]) -> str:
    """Return a sentence for each article that was moved, added or taken out."""
    ids = [*change.moved, *change.added, *change.removed]
    named = Article.objects.prefetch_related("translations").in_bulk(ids)
    names = {pk: str(named[pk]) if pk in named else f"#{pk}" for pk in ids}
    moved = _("“%(article)s” was moved to %(position)s.")
    sentences = [
        moved % {"article": names[pk], "position": order.index(pk) + 1} for pk in change.moved
    ]
    sentences += [_("Added: “%(article)s”.") % {"article": names[pk]} for pk in change.added]
    sentences += [_("Taken out: “%(article)s”.") % {"article": names[pk]} for pk in change.removed]
    return " ".join(sentences)
