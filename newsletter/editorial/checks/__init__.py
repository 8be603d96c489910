"""Checks of an issue's content: what an editor should fix or know before the issue goes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.editorial import email_weight
from newsletter.editorial.checks.problems import Problem as Problem
from newsletter.editorial.checks.problems import Severity as Severity
from newsletter.editorial.checks.texts import Place, check_fields, check_subject
from newsletter.editorial.models import Article, ArticleTranslation, Issue
from newsletter.editorial.revisions import is_stale
from newsletter.editorial.workflow import scheduled_send_time
from newsletter.lib.languages import language_name

_FILE_NAME = re.compile(r"\.(jpe?g|png|gif|webp|heic)$|^(IMG|DSC|image)[-_ ]?\d+$", re.IGNORECASE)


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
        problems += _check_words(article)
    problems += _check_issue_texts(issue)
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


def first_error(issue: Issue, *, at: datetime) -> str:
    """Return the first problem that keeps the issue from being sent at that moment, or ""."""
    errors = (each for each in find_problems(issue, at=at) if each.severity == Severity.BLOCKS)
    return next((each.text for each in errors), "")


_FIELDS = ("headline", "lead", "body", "authors", "alt_text", "correction")


def _check_words(article: Article) -> Iterator[Problem]:
    """Yield what is wrong with the words and links of the texts that readers would get."""
    for text in article.texts().values():
        if text.is_ready:
            yield from check_text(article, text)


def check_text(article: Article, text: ArticleTranslation) -> Iterator[Problem]:
    """Yield what is wrong with the words and links of a text, whatever its state."""
    place = Place(str(article), text.language, article.pk)
    yield from check_fields(place, {name: getattr(text, name) for name in _FIELDS})


def _check_issue_texts(issue: Issue) -> Iterator[Problem]:
    before = issue.newsletter.issues.filter(starts_on__lt=issue.starts_on).newest_first().first()
    last = before.texts() if before else {}
    for code, text in issue.texts().items():
        place = Place(_("The issue"), code)
        names = ("subject", "preheader", "introduction")
        found = check_fields(place, {name: getattr(text, name) for name in names})
        yield from (replace(each, field=f"{each.field}_{code}") for each in found)
        repeated = last[code].subject if code in last else ""
        yield from check_subject(place, text.subject, last=repeated)


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
    if article.picture and not article.picture.credit:
        messages.append(_("the picture has no credit."))
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
    elif article.picture and _FILE_NAME.search(text.alt_text):
        yield _("the alt text in %(language)s is the name of a file.") % values
