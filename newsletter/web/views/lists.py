"""Home, archive, issue and topic pages; About and Privacy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from newsletter.digest.languages import pick_or_any
from newsletter.editorial.models import Article, Issue, Newsletter, Newsroom
from newsletter.editorial.querysets import IssueQuerySet
from newsletter.lib.languages import direction
from newsletter.web import archive, articles, topics
from newsletter.web.archive import issue_view
from newsletter.web.page_urls import urls_in_every_language
from newsletter.web.rich_text import page_html
from newsletter.web.views.page import is_staff, page_language, page_query, render_page

ISSUES_PER_PAGE = 26
ARTICLES_PER_PAGE = 12
HOME_PAGE_ITEMS = 4


def first_newsletter() -> Newsletter | None:
    return Newsletter.objects.prefetch_related("translations").first()


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    now, language = timezone.now(), page_language()
    newest = list(_public_issues(now)[: HOME_PAGE_ITEMS + 1])
    issue = newest[0] if newest else None
    public = Article.objects.public(now).with_parts()
    single = public.filter(issue=None).order_by("-published_at", "pk")
    context = {
        "issue": issue_view(issue, language, at=now) if issue else None,
        "earlier": [issue_view(older, language, at=now) for older in newest[1:]],
        "articles": _articles_of(issue, language, staff=False) if issue else [],
        "trends": topics.weeks_of_issue(issue, language, at=now) if issue else [],
        "single": articles.article_views(list(single[:HOME_PAGE_ITEMS]), language, at=now),
    }
    newsletter = issue.newsletter if issue else first_newsletter()
    urls = urls_in_every_language("web:home", language=language)
    return render_page(request, "web/home.html", context, urls=urls, newsletter=newsletter)


@require_safe
def issue_archive(request: HttpRequest) -> HttpResponse:
    now, language = timezone.now(), page_language()
    paginator = Paginator(_public_issues(now).with_article_count(now), ISSUES_PER_PAGE)
    current = _requested_page(paginator, request)
    shown = [issue_view(issue, language, at=now) for issue in current.object_list]
    context = {
        "years": archive.group_by_month(shown, language),
        "page": current,
        "several_newsletters": len({view.issue.newsletter_id for view in shown}) > 1,
    }
    urls = urls_in_every_language(
        "web:archive", language=language, query=page_query(current.number)
    )
    return render_page(
        request, "web/archive.html", context, urls=urls, newsletter=first_newsletter()
    )


@require_safe
def issue(request: HttpRequest, newsletter: str, key: str) -> HttpResponse:
    now, language, staff = timezone.now(), page_language(), is_staff(request)
    visible = Issue.objects.visible_to(staff=staff, at=now).with_texts()
    found = visible.filter(newsletter__slug=newsletter).by_key(key)
    if found is None:
        raise Http404(_("Issue not found."))
    earlier, later = _neighbours(found, language)
    context = {
        "issue": issue_view(found, language, at=now),
        "articles": _articles_of(found, language, staff=staff),
        "trends": topics.weeks_of_issue(found, language, at=now),
        "earlier": earlier,
        "later": later,
        "not_public": staff and not Issue.objects.public(now).filter(pk=found.pk).exists(),
    }
    urls = urls_in_every_language("web:issue", language=language, newsletter=newsletter, key=key)
    return render_page(request, "web/issue.html", context, urls=urls, newsletter=found.newsletter)


@require_safe
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    now, language = timezone.now(), page_language()
    found = topics.find_topic(slug)
    if found is None:
        raise Http404(_("Topic not found."))
    public = Article.objects.public(now).with_parts()
    listed = public.filter(topic=found).order_by("-published_at", "pk")
    current = _requested_page(Paginator(listed, ARTICLES_PER_PAGE), request)
    weeks = topics.recent_weeks(found, language, at=now, limit=topics.TIMELINE_WEEKS)
    context = {
        "topic": found.name_in(found.newsletter.chain_for(language)),
        "timeline": topics.timeline(weeks, topic=found, language=language, at=now),
        "latest_week": weeks[0] if weeks else None,
        "articles": articles.article_views(list(current.object_list), language, at=now),
        "page": current,
    }
    urls = urls_in_every_language(
        "web:topic", language=language, query=page_query(current.number), slug=slug
    )
    return render_page(request, "web/topic.html", context, urls=urls, newsletter=found.newsletter)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return _newsroom_page(request, "about", title=_("About"))


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return _newsroom_page(request, "privacy", title=_("Privacy"))


def _newsroom_page(request: HttpRequest, field: str, *, title: str) -> HttpResponse:
    """Show one of the newsroom's own texts in the best language available."""
    language, newsletter = page_language(), first_newsletter()
    chain = newsletter.chain_for(language) if newsletter else (language,)
    room = Newsroom.objects.prefetch_related("translations").first()
    own = {code: getattr(text, field) for code, text in room.texts().items()} if room else {}
    texts = {code: text for code, text in own.items() if text}
    code = pick_or_any(chain, texts) or language
    context = {
        "title": title,
        "text": page_html(texts.get(code, ""), language=code),
        "text_language": code,
        "text_direction": direction(code),
    }
    urls = urls_in_every_language(f"web:{field}", language=language)
    return render_page(request, "web/newsroom_page.html", context, urls=urls, newsletter=newsletter)


def _public_issues(at: datetime) -> IssueQuerySet:
    return Issue.objects.public(at).with_texts().newest_first()


def _articles_of(issue: Issue, language: str, *, staff: bool) -> list[articles.ArticleView]:
    now = timezone.now()
    visible = Article.objects.visible_to(staff=staff, at=now).with_parts()
    listed = visible.filter(issue=issue).order_by("position", "pk")
    return articles.article_views(list(listed), language, at=now)


def _neighbours(
    found: Issue, language: str
) -> tuple[archive.IssueView | None, archive.IssueView | None]:
    """Return the newsletter's previous and next public issues."""
    now = timezone.now()
    others = _public_issues(now).filter(newsletter=found.newsletter).exclude(pk=found.pk)
    earlier = others.filter(ends_on__lt=found.ends_on).first()
    later = others.filter(ends_on__gt=found.ends_on).order_by("ends_on", "pk").first()
    return (
        issue_view(earlier, language, at=now) if earlier else None,
        issue_view(later, language, at=now) if later else None,
    )


def _requested_page(paginator: Paginator[Any], request: HttpRequest) -> Page[Any]:
    """Return the page named in the query. Raises Http404 for a page that doesn't exist."""
    try:
        return paginator.page(request.GET.get("page", "1"))
    except (PageNotAnInteger, EmptyPage):
        raise Http404(_("Page not found.")) from None
