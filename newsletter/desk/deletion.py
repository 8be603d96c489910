"""Deleting at the desk: what goes with a row, whether it was sent, and how to get it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from newsletter.delivery.models import Mailing
from newsletter.desk.access.admin import ScopedAdmin
from newsletter.desk.issue_page.rows import sent_mailings
from newsletter.desk.view_helpers import log_action, render_page, user_of
from newsletter.editorial import deletion
from newsletter.editorial.models import Article, Deletion, Issue, Picture, Topic
from newsletter.lib.languages import language_name_in


@dataclass(frozen=True)
class Doomed:
    """A row that is about to be deleted."""

    name: str
    kind: str
    effects: list[str]
    """What else happens, in sentences."""
    mailings: list[Mailing]
    """The mailings that it was sent with."""


class RestorableAdmin(ScopedAdmin):
    """A ModelAdmin whose deletions say what they do, and can be undone for 30 days."""

    delete_confirmation_template = "desk/delete.html"
    delete_selected_confirmation_template = "desk/delete_selected.html"

    def get_deleted_objects(
        self,
        objs: Iterable[Any],
        request: HttpRequest,
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Return what the confirmation shows: a Doomed for each row."""
        rows = list(objs)
        refused = {str(row) for row in rows if not self.has_delete_permission(request, row)}
        doomed = [describe(row) for row in rows]
        return doomed, {str(self.opts.verbose_name_plural): len(doomed)}, refused, []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        deletion.delete(obj, by=user_of(request))
        messages.info(
            request,
            format_html(
                '{} <a href="{}">{}</a>',
                _("It can be restored for %(days)s days.") % {"days": deletion.DAYS},
                reverse("admin:deleted"),
                _("Deleted"),
            ),
        )

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            deletion.delete(row, by=user_of(request))

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Say who deleted the row, and where it can be restored."""
        entry = deletion.find(self.model, object_id)
        if entry is None:
            answer: HttpResponse = super()._get_obj_does_not_exist_redirect(  # type: ignore[misc]
                request, opts, object_id
            )
            return answer
        messages.warning(
            request,
            _("“%(name)s” was deleted.") % {"name": entry.name}
            + (f" ({entry.deleted_by})" if entry.deleted_by else ""),
        )
        return redirect("admin:deleted" if _may_restore(request, entry) else "admin:index")


def describe(row: Model) -> Doomed:
    """Return what the deletion of the row does."""
    for model, effects in _EFFECTS.items():
        if isinstance(row, model):
            return Doomed(
                str(row), str(row._meta.verbose_name), list(effects(row)), list(_mailings(row))
            )
    raise TypeError(f"{type(row).__name__} can't be restored")


@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    """List what was deleted in the last 30 days and may be restored by this user."""
    rows = Deletion.objects.select_related("deleted_by", "newsletter").defer("rows")
    entries = [_Listed(entry) for entry in rows if _may_restore(request, entry)]
    if not entries and not any(_may_delete(request, label) for label in deletion.RESTORABLE):
        raise PermissionDenied
    return render_page(
        request, "desk/deleted.html", title=_("Deleted"), entries=entries, days=deletion.DAYS
    )


@require_POST
def restore(request: HttpRequest, deletion_id: int) -> HttpResponse:
    """Restore one row. Needs the permission to delete such rows."""
    entry = get_object_or_404(Deletion, pk=deletion_id)
    if not _may_restore(request, entry):
        raise PermissionDenied
    try:
        restored = deletion.restore(entry)
    except Deletion.DoesNotExist:
        raise Http404 from None  # somebody was faster
    except deletion.CannotRestoreError as error:
        messages.error(request, _("It was not restored. %(reason)s") % {"reason": error})
        return redirect("admin:deleted")
    log_action(request, restored.row, _("Restored."))
    messages.success(request, _("Restored: “%(name)s”.") % {"name": restored.row})
    for note in restored.notes:
        messages.warning(request, note)
    return redirect(f"admin:{entry.model.replace('.', '_')}_change", restored.row.pk)


@dataclass(frozen=True)
class _Listed:
    """A deletion on the list."""

    entry: Deletion

    @property
    def kind(self) -> str:
        return str(deletion.kind_of(self.entry)._meta.verbose_name)

    @property
    def until(self) -> datetime:
        return self.entry.deleted_at + timedelta(days=deletion.DAYS)


def _may_restore(request: HttpRequest, entry: Deletion) -> bool:
    return _may_delete(request, entry.model, entry)


def _may_delete(request: HttpRequest, label: str, entry: Deletion | None = None) -> bool:
    """Return whether the user may delete such rows, or restore this one."""
    app, _dot, model = label.partition(".")
    where = entry if entry and entry.newsletter_id else None  # pictures belong to all newsletters
    return user_of(request).has_perm(f"{app}.delete_{model}", where)


def _article_effects(article: Article) -> Iterable[str]:
    language = get_language() or "en"
    names = [language_name_in(code, language) for code in article.texts()]
    if names:
        yield _("Its texts are deleted too: %(languages)s.") % {"languages": ", ".join(names)}
    if article.issue:
        yield _("The issue %(issue)s is left without it.") % {"issue": article.issue}
    yield _("Its page disappears from the site, also for readers who follow a link in an email.")


def _issue_effects(issue: Issue) -> Iterable[str]:
    count = issue.articles.count()
    if count:
        yield ngettext(
            "Its %(count)s article stays, without an issue.",
            "Its %(count)s articles stay, without an issue.",
            count,
        ) % {"count": count}
    yield _("Its subjects, preheaders and introductions are deleted too. Trends stay.")
    if issue.is_approved:
        yield _("It is approved. It won’t be sent.")


def _picture_effects(picture: Picture) -> Iterable[str]:
    count = picture.articles.count()
    if count:
        yield ngettext(
            "%(count)s article loses its picture.", "%(count)s articles lose their picture.", count
        ) % {"count": count}
    else:
        yield _("No article uses it.")


def _topic_effects(topic: Topic) -> Iterable[str]:
    count, trends = topic.articles.count(), topic.trends.count()
    if count:
        yield ngettext(
            "%(count)s article stays, without a topic.",
            "%(count)s articles stay, without a topic.",
            count,
        ) % {"count": count}
    if trends:
        yield ngettext(
            "Its trend of %(count)s week is deleted too.",
            "Its trends of %(count)s weeks are deleted too.",
            trends,
        ) % {"count": trends}
    yield _("Its page disappears from the site, and readers can no longer choose it.")


_EFFECTS: dict[type[Model], Callable[[Any], Iterable[str]]] = {
    Article: _article_effects,
    Issue: _issue_effects,
    Picture: _picture_effects,
    Topic: _topic_effects,
}


def _mailings(row: Model) -> QuerySet[Mailing]:
    """Return the mailings that contained the row."""
    related = {
        Article: {"release__issue__articles": row},
        Issue: {"release__issue": row},
        Picture: {"release__issue__articles__picture": row},
        Topic: {"release__issue__articles__topic": row},
    }[type(row)]
    rows = sent_mailings().filter(**related).distinct()
    return rows.select_related("release__newsletter", "release__issue")
