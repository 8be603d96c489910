"""Checks of an issue's content: what an editor should fix or know before the issue goes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.editorial import email_weight
from newsletter.editorial.models import Article, ArticleTranslation, Issue
from newsletter.editorial.revisions import is_stale
from newsletter.editorial.workflow import scheduled_send_time
from newsletter.lib.languages import language_name


class Severity(StrEnum):
    BLOCKS = "blocks"
    """The issue can't go out until this is fixed."""
    WARNS = "warns"
    """The issue can go out, but an editor should know."""


@dataclass(frozen=True)
class Problem:
    """One finding for editors, translated. `article_id` is None if it concerns the whole issue."""

    severity: Severity
    text: str
    article_id: int | None = None


def find_problems(issue: Issue, *, at: datetime | None = None) -> list[Problem]:
    """Return what an editor should look at before the issue goes out, blocking problems first.

    `at` is when the issue goes out. It defaults to the scheduled time if that is still ahead, and
    to now otherwise: an article may be timed for that very moment, and the issue approved the day
    before.
    """
    now = timezone.now()
    at = at or max(scheduled_send_time(issue) or now, now)
    articles = list(issue.articles.select_related("picture").prefetch_related("translations"))
    problems = [*_check_issue(issue, articles, at)]
    for article in articles:
        problems += _check_article(article, issue.newsletter.languages, at)
    return sorted(problems, key=lambda problem: problem.severity)


def has_blocker(problems: list[Problem]) -> bool:
    return any(problem.severity == Severity.BLOCKS for problem in problems)


def _check_issue(issue: Issue, articles: list[Article], at: datetime) -> Iterator[Problem]:
    if issue.kind == Issue.Kind.BREAK:
        yield Problem(Severity.BLOCKS, _("This week is a break. Nothing is sent."))
        return
    texts = [text for article in articles for text in article.texts().values()]
    ready = {text.language for text in texts if text.is_ready}
    if not articles:
        yield Problem(Severity.BLOCKS, _("The issue has no articles."))
    elif not ready:
        yield Problem(Severity.BLOCKS, _("No article is ready in any language."))
    elif not any(text.is_public(at) for text in texts):
        yield Problem(
            Severity.BLOCKS, _("All ready articles have a publication time in the future.")
        )
    elif _has_too_few_articles(issue, articles, at):
        yield Problem(
            Severity.WARNS,
            _("Too few articles are ready: the schedule needs at least %(least)s.")
            % {"least": issue.newsletter.least_articles},
        )
    if ready:
        yield from _check_reader_languages(issue, ready)
        yield from weight_problems(email_weight.estimate(issue, articles))


def weight_problems(size: int) -> Iterator[Problem]:
    """Yield a warning for a heavy email, and a blocking problem for one that isn't sent (H4)."""
    if message := email_weight.weight_warning(size):
        too_heavy = size > email_weight.MAX_EMAIL_BYTES
        yield Problem(Severity.BLOCKS if too_heavy else Severity.WARNS, message)


def _check_reader_languages(issue: Issue, ready: set[str]) -> Iterator[Problem]:
    """Yield a warning for each sign-up choice whose readers would get no email."""
    for chain in issue.newsletter.chains():
        if not ready.intersection(chain):
            names = ", ".join(language_name(code) for code in chain)
            yield Problem(
                Severity.WARNS,
                _("Readers of %(languages)s would not get an email: no article is ready for them.")
                % {"languages": names},
            )


def _has_too_few_articles(issue: Issue, articles: list[Article], at: datetime) -> bool:
    """Return whether the schedule will hold the issue; an editor can still send it manually."""
    if scheduled_send_time(issue) is None:
        return False
    public = [a for a in articles if any(text.is_public(at) for text in a.texts().values())]
    return not issue.newsletter.has_enough_articles(len(public))


def _check_article(article: Article, languages: list[str], at: datetime) -> Iterator[Problem]:
    """Yield warnings about one article and its translations into `languages`."""
    texts = article.texts()
    is_ready = any(text.is_ready for text in texts.values())
    original = texts.get(article.original_language)
    messages = []
    if not texts:
        messages.append(_("has no text in any language."))
    elif not is_ready:
        messages.append(_("is not ready in any language and will be left out."))
    for code in languages:
        if text := texts.get(code):
            messages += _check_translation(article, text, original, others_ready=is_ready)
    if article.published_at > at:
        messages.append(_("has a publication time in the future."))
    for message in messages:
        yield Problem(Severity.WARNS, f"{article}: {message}", article.pk)


def _check_translation(
    article: Article,
    text: ArticleTranslation,
    original: ArticleTranslation | None,
    *,
    others_ready: bool,
) -> Iterator[str]:
    values = {"language": language_name(text.language), "state": text.get_state_display()}
    if others_ready and not text.is_ready:
        yield _("%(language)s is not ready (%(state)s).") % values
    if is_stale(text, original):
        yield _("%(language)s is older than the last change to the original.") % values
    if article.picture and not text.alt_text:
        yield _("the picture has no alt text in %(language)s.") % values
