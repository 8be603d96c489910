"""Save, autosave and remove the text of an article in one language."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.defaultfilters import date
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.desk.article_access import (
    is_locked,
    language_of,
    may_publish,
    may_remove,
    visible_article,
    writable_article,
)
from newsletter.desk.article_forms import TextForm
from newsletter.desk.article_page import (
    name_in_sentence,
    page_url,
    render_article_page,
    text_form,
    text_url,
)
from newsletter.desk.presence import name_of
from newsletter.desk.rich_text import report_dropped
from newsletter.desk.view_helpers import log_action, render_page, user_of
from newsletter.editorial import writing
from newsletter.editorial.models import Article, Revision


def article_admin() -> Any:
    return admin.site.get_model_admin(Article)


@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest, article_id: int, language: str) -> HttpResponse:
    """Save the text; on a conflict, keep it aside and show both."""
    if request.method != "POST":
        return redirect(page_url(visible_article(request, article_id), language))
    article = writable_article(request, article_id, language)
    form = text_form(request, article, language)
    if not form.is_valid():
        facts = article_admin().facts_form(request, article)
        return render_article_page(
            article_admin(), request, article, language, text=form, facts=facts
        )
    if is_locked(request, article, language):
        return _keep_aside(request, article, language, form)
    base = form.cleaned_data["base"]
    result = writing.save_text(
        article,
        language,
        form.content(),
        base=base,
        by=user_of(request),
        source=form.cleaned_data["source"],
        up_to_date=form.cleaned_data["up_to_date"],
        may_publish=may_publish(request, article, language),
    )
    if isinstance(result, writing.Conflict):
        url = text_url(article, language, "conflict", result.kept.number)
        return redirect(f"{url}?saved_from={base}")
    messages.success(request, _message(result, language, base=base))
    report_dropped(request, [form])
    return redirect(f"{page_url(article, language)}&saved_from={base}")


def _keep_aside(
    request: HttpRequest, article: Article, language: str, form: TextForm
) -> HttpResponse:
    """Keep what was typed in the history: in the meantime, the text was made ready."""
    kept = writing.keep_aside(
        article, language, form.content(), base=form.cleaned_data["base"], by=user_of(request)
    )
    messages.warning(
        request,
        _(
            "This text is ready by now, so only an editor can change it. What you typed was not "
            "lost: it is revision %(number)s in the history."
        )
        % {"number": kept.number},
    )
    return redirect(page_url(article, language))


def _message(result: writing.Saved, language: str, *, base: int) -> str:
    names = {"language": name_in_sentence(language)}
    if result.is_new:
        return _("The text has been saved (%(language)s).") % names
    if result.text.revision != base:
        return _("You had changed nothing. This is the newest text (%(language)s).") % names
    return _("There was nothing to save (%(language)s).") % names


@require_POST
def autosave(request: HttpRequest, article_id: int, language: str) -> JsonResponse:
    """Save what is being typed.

    Answers 200 with the new revision; 409 if somebody saved a newer text; 422 with the errors by
    field; 403 if the user may no longer change the text or has to press Save.
    """
    try:
        article = writable_article(request, article_id, language)
    except (PermissionDenied, Http404):
        return _refusal(
            "forbidden", _("You can’t change this text any more. Copy it from this page."), 403
        )
    form = text_form(request, article, language, is_autosave=True)
    if not form.is_valid():
        errors = {name: list(found) for name, found in form.errors.items()}
        return JsonResponse({"reason": "invalid", "errors": errors}, status=422)
    try:
        result = writing.save_text(
            article,
            language,
            form.content(),
            base=form.cleaned_data["base"],
            by=user_of(request),
            kind=Revision.Kind.AUTOSAVED,
            source=form.cleaned_data["source"],
            may_publish=may_publish(request, article, language),
        )
    except writing.SavedOnRequestOnlyError:
        return _refusal("ready", _("This text is ready. It is saved when you press Save."), 403)
    except writing.ReadyTextError:
        return _refusal("ready", _("This text is ready by now. Press Save to keep yours."), 403)
    if isinstance(result, writing.Conflict):
        return _refusal(
            "newer",
            newer_text(result.latest),
            409,
            compare=text_url(article, language, "conflict", result.kept.number),
        )
    return JsonResponse({"revision": result.text.revision, "at": _clock()})


def _refusal(reason: str, message: str, status: int, **more: str) -> JsonResponse:
    return JsonResponse({"reason": reason, "message": message, **more}, status=status)


def newer_text(latest: Revision) -> str:
    """Say who saved, or removed, the text in the meantime."""
    values = {"name": name_of(latest.author), "at": _clock(latest.at)}
    if latest.kind == Revision.Kind.REMOVED:
        return _("%(name)s removed this translation at %(at)s.") % values
    return _("%(name)s saved a newer text at %(at)s.") % values


def _clock(at: Any = None) -> str:
    return date(timezone.localtime(at), "H:i")


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, article_id: int, language: str) -> HttpResponse:
    """Ask on GET, remove the translation on POST. Its last text stays in the history."""
    article = writable_article(request, article_id, language)
    if not may_remove(request, article, language):
        raise PermissionDenied
    text = article.texts().get(language)
    if text is None:
        return redirect(text_url(article, language, "history"))
    if request.method == "POST":
        base = request.POST.get("base", "")
        is_removed = base.isdecimal() and writing.remove_text(
            text, base=int(base), by=user_of(request)
        )
        if not is_removed:
            messages.error(request, _("The text has changed since you opened this page."))
            return redirect(text_url(article, language, "remove"))
        names = {"language": name_in_sentence(language)}
        log_action(request, article, _("Removed the translation (%(language)s).") % names)
        messages.success(request, _("The translation has been removed (%(language)s).") % names)
        return redirect(text_url(article, language, "history"))
    return render_page(
        request,
        "desk/article/remove.html",
        title=_("Remove the translation?"),
        article=article,
        text=text,
        language=language_of(article, language),
        language_name=name_in_sentence(language),
        page_url=page_url(article, language),
    )
