"""Two texts: somebody saved a newer one while another was being written (I1).

The text that came second is kept aside as a revision before this page is shown, so that it waits
here however the page is left. The author chooses for each field: theirs, mine, or both edited
together. The result is saved on top of the newest text, and if that has changed again, the choice
is kept aside in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from newsletter.desk.article_access import may_publish, writable_article
from newsletter.desk.article_forms import TextForm
from newsletter.desk.article_history import field_label, revision_of, state_name
from newsletter.desk.article_page import (
    as_html,
    compare,
    name_in_sentence,
    page_media,
    page_url,
    text_url,
    with_names,
)
from newsletter.desk.view_helpers import render_page, user_of
from newsletter.editorial import writing
from newsletter.editorial.differences import combine_html, combine_words
from newsletter.editorial.models import Article, ArticleTranslation, Revision
from newsletter.editorial.revisions import FIELDS, content_of, revisions_of
from newsletter.lib.languages import direction

THEIRS, MINE, BOTH = "theirs", "mine", "both"
_ATOMIC = {"state", "slug"}
"""Fields of which only one of the two can be taken."""


@dataclass
class Choice:
    """One field in which the two texts differ."""

    name: str
    theirs: str
    mine: str
    base: str | None
    error: str = ""
    chosen: str = ""
    both: str = ""
    overlaps: bool = False
    editor: Any = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return field_label(self.name)

    @property
    def can_combine(self) -> bool:
        return self.name not in _ATOMIC

    @property
    def their_html(self) -> SafeString:
        return self._shown(self.theirs)

    @property
    def my_html(self) -> SafeString:
        return self._shown(self.mine)

    def _shown(self, text: str) -> SafeString:
        """Mark what was changed in the text, or, without a base, how it differs from the other."""
        before = self.base
        if before is None:
            before = self.theirs if text == self.mine else text
        if self.name == "state":
            before, text = state_name(before), state_name(text)
        return as_html(self.name, compare(self.name, before, text))

    def text(self) -> str:
        """Return what the author chose."""
        return {THEIRS: self.theirs, MINE: self.mine, BOTH: self.both}[self.chosen]


def choices(latest: dict[str, str], kept: Revision, base: dict[str, str] | None) -> list[Choice]:
    """Return the fields that differ. What only one of the two changed is chosen to begin with."""
    found = []
    for name in FIELDS:
        theirs, mine = latest.get(name, ""), kept.content.get(name, "")
        if theirs == mine:
            continue
        before = base.get(name, "") if base is not None else None
        choice = Choice(name, theirs, mine, before)
        if before == theirs:
            choice.chosen = MINE
        elif before == mine:
            choice.chosen = THEIRS
        combine = combine_html if name == "body" else combine_words
        combined = combine(before or "", theirs, mine)
        choice.both, choice.overlaps = combined.text, combined.overlaps
        if not choice.chosen and choice.can_combine and not combined.overlaps:
            choice.chosen = BOTH
        found.append(choice)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def conflict(request: HttpRequest, article_id: int, language: str, number: int) -> HttpResponse:
    """Show both texts and let the author choose; save the choice on POST."""
    article = writable_article(request, article_id, language)
    kept = revision_of(article, language, number)
    rows = revisions_of(article, language)
    if kept.kind != Revision.Kind.KEPT or kept.author_id != user_of(request).pk:
        return redirect(text_url(article, language, "revision", number))
    text = article.texts().get(language)
    latest = rows.exclude(kind=Revision.Kind.KEPT).first()
    content = content_of(text) if text else writing.NOTHING
    base = rows.filter(number=kept.base).first() if kept.base else None
    before = base.content if base else (writing.NOTHING if kept.base == 0 else None)
    differing = choices(content, kept, before)
    _bind(request, differing, kept)
    newest = str(text.revision if text else 0)
    if request.method == "POST" and request.POST.get("base") == newest:
        if request.POST.get("use") == "theirs":
            writing.settle(article, language, by=user_of(request))
            messages.success(request, _("The newest text stays as it is. Yours is in the history."))
            return redirect(page_url(article, language))
        if not any(choice.error for choice in differing):
            return _save(request, article, language, differing, kept, base=int(newest))
    elif request.method == "POST":
        messages.warning(request, _("The text has changed once more. Look at it again."))
    return _render(request, article, language, kept, latest, text, differing)


def _bind(request: HttpRequest, differing: list[Choice], kept: Revision) -> None:
    """Take over what was posted, check it, and give each choice a field to edit both in."""
    for choice in differing:
        if request.method == "POST":
            posted = request.POST.get(f"choose-{choice.name}", "")
            if posted in {THEIRS, MINE} or (posted == BOTH and choice.can_combine):
                choice.chosen = posted
            if request.POST.get("use") == "mine":
                choice.chosen = MINE
            choice.both = request.POST.get(f"both-{choice.name}", choice.both)
            if not choice.chosen and request.POST.get("use") != "theirs":
                choice.error = _("Choose one of the two, or edit both together.")
        if choice.can_combine:
            choice.editor = _editor(choice, kept)
            if choice.chosen == BOTH and request.method == "POST" and choice.editor.errors:
                choice.error = " ".join(choice.editor.errors)


def _editor(choice: Choice, kept: Revision) -> forms.BoundField:
    instance = ArticleTranslation(article=kept.article, language=kept.language)
    form = TextForm({f"both-{choice.name}": choice.both}, prefix="both", instance=instance)
    form.fields = {choice.name: form.fields[choice.name]}
    form.is_valid()
    return form[choice.name]


def _save(
    request: HttpRequest,
    article: Article,
    language: str,
    differing: list[Choice],
    kept: Revision,
    *,
    base: int,
) -> HttpResponse:
    chosen = {choice.name: choice.text() for choice in differing}
    content = {**kept.content, **chosen}
    try:
        result = writing.save_text(
            article,
            language,
            content,
            base=base,
            by=user_of(request),
            may_publish=may_publish(request, article, language),
        )
    except writing.HeadlineMissingError:
        messages.error(request, _("A ready text needs a headline."))
        return redirect(text_url(article, language, "conflict", kept.number))
    except writing.ReadyTextError:
        messages.error(
            request,
            _("This text is ready by now, so only an editor can change it. Yours stays here."),
        )
        return redirect(text_url(article, language, "conflict", kept.number))
    if isinstance(result, writing.Conflict):
        return redirect(text_url(article, language, "conflict", result.kept.number))
    messages.success(request, _("The combined text has been saved."))
    return redirect(page_url(article, language))


def _render(
    request: HttpRequest,
    article: Article,
    language: str,
    kept: Revision,
    latest: Revision | None,
    text: ArticleTranslation | None,
    differing: list[Choice],
) -> HttpResponse:
    editors = [choice.editor for choice in differing if choice.editor is not None]
    media = sum((editor.form.media for editor in editors), forms.Media())
    return render_page(
        request,
        "desk/article/conflict.html",
        title=_("Two texts: %(article)s") % {"article": article},
        article=article,
        language=language,
        language_name=name_in_sentence(language),
        direction=direction(language),
        page_url=page_url(article, language),
        kept=with_names([kept])[0],
        latest=with_names([latest])[0] if latest else None,
        is_own=latest is not None and latest.author_id == kept.author_id,
        is_removed=text is None,
        newest=text.revision if text else 0,
        choices=differing,
        same=[field_label(n) for n in FIELDS if n not in {choice.name for choice in differing}],
        media=page_media(request, media),
    )
