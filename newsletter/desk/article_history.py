"""The history of a text: its revisions, what changed in each, and the way back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.desk.article_access import is_locked, language_of, may_write, visible_article
from newsletter.desk.article_page import (
    as_html,
    compare,
    name_in_sentence,
    page_url,
    previous,
    text_url,
    with_names,
)
from newsletter.desk.view_helpers import render_page, user_of
from newsletter.editorial import writing
from newsletter.editorial.differences import Kind, count_places
from newsletter.editorial.models import Article, ArticleTranslation, Revision
from newsletter.editorial.revisions import FIELDS, revisions_of
from newsletter.lib.languages import direction

PER_PAGE = 100


@require_safe
def history(request: HttpRequest, article_id: int, language: str) -> HttpResponse:
    """List the revisions of a text, the newest first."""
    article = visible_article(request, article_id)
    rows = revisions_of(article, language_of(article, language))
    before = request.GET.get("before", "")
    if before.isdecimal():
        rows = rows.filter(number__lt=int(before))
    found = with_names(rows[: PER_PAGE + 1])
    text = article.texts().get(language)
    return render_page(
        request,
        "desk/article/history.html",
        title=_("History: %(language)s") % {"language": name_in_sentence(language)},
        revisions=found[:PER_PAGE],
        older=found[PER_PAGE - 1].number if len(found) > PER_PAGE else None,
        current=text.revision if text else 0,
        **_place(article, language),
    )


def _place(article: Article, language: str) -> dict[str, Any]:
    return {
        "article": article,
        "language": language,
        "language_name": name_in_sentence(language),
        "direction": direction(language),
        "page_url": page_url(article, language),
        "history_url": text_url(article, language, "history"),
    }


def revision_of(article: Article, language: str, number: int) -> Revision:
    """Return one revision. Raises Http404."""
    revision = revisions_of(article, language_of(article, language)).filter(number=number).first()
    if revision is None:
        raise Http404
    return revision


@require_http_methods(["GET", "HEAD", "POST"])
def revision(request: HttpRequest, article_id: int, language: str, number: int) -> HttpResponse:
    """Show what a revision changed, or compare it with another one; restore it on POST."""
    article = visible_article(request, article_id)
    shown = revision_of(article, language, number)
    text = article.texts().get(language)
    may_restore = may_write(request, article, language) and not is_locked(
        request, article, language
    )
    if request.method == "POST":
        if not may_restore:
            raise PermissionDenied
        return _restore(request, shown)
    other = _compared_with(request, shown)
    fields = changed_fields(other.content if other else writing.NOTHING, shown.content)
    return render_page(
        request,
        "desk/article/revision.html",
        title=_("Revision %(number)s: %(language)s")
        % {"number": number, "language": name_in_sentence(language)},
        revision=with_names([shown])[0],
        other=with_names([other])[0] if other else None,
        fields=fields,
        current=text.revision if text else 0,
        may_restore=may_restore and not (text and text.revision == number),
        **_place(article, language),
    )


def _compared_with(request: HttpRequest, shown: Revision) -> Revision | None:
    chosen = request.GET.get("with", "")
    if chosen.isdecimal():
        return revision_of(shown.article, shown.language, int(chosen))
    return previous(shown)


def changed_fields(old: dict[str, str], new: dict[str, str]) -> list[dict[str, Any]]:
    """Return the fields that differ as {name, label, html, summary}, in the order of the form."""
    found = []
    for name in FIELDS:
        before, after = str(old.get(name, "")), str(new.get(name, ""))
        if before == after:
            continue
        if name == "state":
            before, after = state_name(before), state_name(after)
        parts = compare(name, before, after)
        places = count_places(parts)
        is_markup_only = all(part.kind == Kind.SAME for part in parts if part.text.strip())
        found.append(
            {
                "name": name,
                "label": field_label(name),
                "html": as_html(name, parts),
                "summary": _("formatting only")
                if not places or is_markup_only
                else ngettext("%(n)s place", "%(n)s places", places) % {"n": places},
            }
        )
    return found


def field_label(name: str) -> str:
    label = str(ArticleTranslation._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return label[:1].upper() + label[1:]


def state_name(state: str) -> str:
    return str(dict(ArticleTranslation.State.choices).get(state, state))


def _restore(request: HttpRequest, shown: Revision) -> HttpResponse:
    base = request.POST.get("base", "")
    try:
        result = writing.restore(
            shown, base=int(base) if base.isdecimal() else -1, by=user_of(request)
        )
    except writing.HeadlineMissingError:
        messages.error(request, _("A ready text needs a headline."))
        return redirect(text_url(shown.article, shown.language, "revision", shown.number))
    if isinstance(result, writing.Conflict):
        return redirect(text_url(shown.article, shown.language, "conflict", result.kept.number))
    messages.success(
        request, _("Revision %(number)s has been restored.") % {"number": shown.number}
    )
    return redirect(page_url(shown.article, shown.language))
