"""The page of an article: a tab per language, the text beside its original, and the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from js_asset import Media

from newsletter.desk.article_access import (
    is_locked,
    languages_of,
    may_publish,
    may_remove,
    may_write,
)
from newsletter.desk.article_forms import SIDE_FIELDS, TextForm
from newsletter.desk.presence import name_of
from newsletter.desk.view_helpers import render_page, user_of
from newsletter.editorial import writing
from newsletter.editorial.checks import check_text
from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.differences import (
    Part,
    compare_html,
    compare_words,
    count_places,
    html_as_html,
    words_as_html,
)
from newsletter.editorial.models import Article, ArticleTranslation, Revision
from newsletter.editorial.revisions import content_of, is_stale, revisions_of
from newsletter.lib.languages import direction, language_name, language_name_in

PAIRED = ("headline", "lead", "body", "alt_text", "authors")
"""Fields in the main column, each beside its original."""
LATEST = 4
"""How many revisions the side column lists."""


@dataclass(frozen=True)
class Tab:
    """A language's link above the text."""

    code: str
    url: str
    state: str
    """"ready", "review", "draft" or "missing"."""
    is_stale: bool
    is_original: bool

    @property
    def name(self) -> str:
        return language_name(self.code)


@dataclass(frozen=True)
class Source:
    """The original beside a translation, with what has changed in it."""

    language: str
    revision: int
    html: dict[str, SafeString]
    """Each paired field as HTML; changes are marked with `ins` and `del`."""
    places: int
    """In how many places it has changed since the translation was up to date."""
    is_newer: bool
    since: datetime | None


def page_url(article: Article | int, language: str) -> str:
    """Return the URL of an article's page in a language."""
    article_id = article if isinstance(article, int) else article.pk
    return f"{reverse('admin:editorial_article_change', args=[article_id])}?language={language}"


def text_url(article: Article | int, language: str, view: str = "", *more: int) -> str:
    """Return the URL of a view of a text: "", "autosave", "remove", "history" …"""
    article_id = article if isinstance(article, int) else article.pk
    name = f"admin:editorial_article_text{'_' if view else ''}{view}"
    return reverse(name, args=[article_id, language, *more])


def name_in_sentence(code: str) -> str:
    return language_name_in(code, get_language() or code)


def text_form(
    request: HttpRequest, article: Article, language: str, *, is_autosave: bool = False
) -> TextForm:
    """Return the form of a text, bound to what was posted on POST."""
    text = article.texts().get(language)
    original = _original(article, language)
    # A copy: validation changes the instance.
    instance = ArticleTranslation(article=article, language=language)
    if text:
        for name, value in content_of(text).items():
            setattr(instance, name, value)
    initial = {
        "base": text.revision if text else 0,
        "source": original.revision if original else None,
    }
    data = request.POST if request.method == "POST" else None
    publishes = may_publish(request, article, language)
    return TextForm(
        data,
        instance=instance,
        initial=initial,
        is_autosave=is_autosave,
        may_publish=publishes,
    )


def _original(article: Article, language: str) -> ArticleTranslation | None:
    if language == article.original_language:
        return None
    return article.texts().get(article.original_language)


def tabs(article: Article) -> list[Tab]:
    texts = article.texts()
    original = texts.get(article.original_language)
    return [
        Tab(
            code,
            page_url(article, code),
            texts[code].state if code in texts else "missing",
            is_stale=code in texts and is_stale(texts[code], original),
            is_original=code == article.original_language,
        )
        for code in languages_of(article)
    ]


def source_of(article: Article, language: str) -> Source | None:
    """Return the original as it stands beside the text in `language`."""
    original = _original(article, language)
    if original is None:
        return None
    text = article.texts().get(language)
    opened = None
    if text is not None and text.source_revision is not None and is_stale(text, original):
        rows = revisions_of(article, original.language)
        opened = rows.filter(number=text.source_revision).first()
    now = content_of(original)
    before = opened.content if opened else now
    parts = {name: compare(name, str(before.get(name, "")), now[name]) for name in PAIRED}
    return Source(
        language=original.language,
        revision=original.revision,
        html={name: as_html(name, found) for name, found in parts.items()},
        places=sum(count_places(found) for found in parts.values()),
        is_newer=opened is not None,
        since=opened.at if opened else None,
    )


def compare(name: str, old: str, new: str) -> list[Part]:
    """Return what differs between two versions of a field."""
    if name == "body":
        return compare_html(clean_html(old), clean_html(new))
    return compare_words(old, new)


def as_html(name: str, parts: list[Part]) -> SafeString:
    """Return the parts of a field as HTML that a page may show."""
    html = html_as_html(parts) if name == "body" else words_as_html(parts)
    return mark_safe(html)  # noqa: S308 - escaped words, or words between the tags of clean HTML


def render_article_page(
    admin: Any,
    request: HttpRequest,
    article: Article,
    language: str,
    *,
    text: TextForm | None = None,
    facts: Any = None,
    **context: Any,
) -> TemplateResponse:
    """Render the page. `text` and `facts` are forms with errors, if there are any."""
    stored = article.texts().get(language)
    form = text or text_form(_without_post(request), article, language)
    locked = is_locked(request, article, language)
    # A form with errors is shown in any case, as it holds what was typed.
    writes = may_write(request, article, language) and (text is not None or not locked)
    revisions = revisions_of(article, language)
    return render_page(
        request,
        "desk/article/page.html",
        title=str(article),
        opts=admin.model._meta,
        article=article,
        text=stored,
        language=language,
        language_name=name_in_sentence(language),
        direction=direction(language),
        tabs=tabs(article),
        form=form,
        pairs=[form[name] for name in PAIRED],
        side=[form[name] for name in SIDE_FIELDS if name != "state"],
        facts=facts,
        may_write=writes,
        may_change_facts=admin.has_change_permission(request, article),
        is_locked=locked,
        may_remove=bool(stored) and writes and may_remove(request, article, language),
        source=source_of(article, language),
        problems=list(check_text(article, stored)) if stored else [],
        revisions=with_names(revisions[:LATEST]),
        revision_count=revisions.count(),
        kept=writing.open_text(article, language, by=user_of(request)),
        is_public_text=bool(stored and stored.state == stored.State.READY),
        max_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        media=page_media(request, admin.media + form.media + (facts.media if facts else Media())),
        **context,
    )


def _without_post(request: HttpRequest) -> HttpRequest:
    """Return a request with which a form is not bound: the other form of the page was posted."""
    plain = HttpRequest()
    plain.method, plain.user = "GET", request.user
    return plain


def page_media(request: HttpRequest, media: Any) -> Any:
    """Return a form's media with the nonce that the page's policy asks for."""
    nonce = str(request.csp_nonce)  # type: ignore[attr-defined]
    return Media.from_media(media).with_nonce(nonce)


def with_names(revisions: Any) -> list[Revision]:
    """Return revisions, each with `who`: how the desk names its author."""
    rows = list(revisions)
    for row in rows:
        row.who = name_of(row.author)
    return rows


def previous(revision: Revision) -> Revision | None:
    """Return the revision with which another one is compared by default."""
    rows = revisions_of(revision.article, revision.language)
    if revision.base is not None:
        return rows.filter(number=revision.base).first()
    return rows.filter(number__lt=revision.number).exclude(kind=Revision.Kind.KEPT).first()
