"""Issues: the list, the page for a new one, and the URLs of an issue's own pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.desk import holding, preview, send, sending, trial
from newsletter.desk.admin.articles import requested_newsletter
from newsletter.desk.deletion import RestorableAdmin
from newsletter.desk.issue_page import order, page
from newsletter.desk.language_tabs import TabbedAdmin
from newsletter.desk.next_issue import next_issues
from newsletter.desk.search import SearchAdmin
from newsletter.editorial import finders
from newsletter.editorial.models import Issue
from newsletter.editorial.upcoming import next_free_week


@admin.register(Issue)
class IssueAdmin(RestorableAdmin, SearchAdmin, TabbedAdmin):
    change_list_template = "admin/editorial/issue/change_list.html"
    list_display = ("__str__", "newsletter", "kind", "state")
    list_filter = ("newsletter", "state", "kind")
    search_help_text = _(
        "Searches days, weeks and months (9–15 November 2026), and texts of issues and articles."
    )
    fieldsets = (
        (None, {"fields": (("newsletter", "kind"), ("starts_on", "ends_on"), "slug", "note")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Issue]:
        rows = super().get_queryset(request).select_related("newsletter")
        return rows.prefetch_related("newsletter__translations")

    def find(self, rows: QuerySet[Issue], text: str) -> QuerySet[Issue]:
        return finders.find_issues(rows, text)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "note":
            field.widget.attrs["rows"] = 2
        return field

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponseBase]] = {
            "preview": preview.overview,
            "preview/frame": preview.frame,
            "approve": sending.approve,
            "withdraw": sending.withdraw,
            "test": trial.test_emails,
            "send": send.send,
            "hold": holding.hold,
            "release": holding.release,
            "order": order.save_order,
            "add-article": order.add_article,
        }
        wrap = self.admin_site.admin_view
        desk_urls = [
            path(
                f"<int:issue_id>/{name}/",
                wrap(view),
                name=f"editorial_issue_{name.replace('/', '_').replace('-', '_')}",
            )
            for name, view in views.items()
        ]
        return [*desk_urls, *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose the newsletter's next week without an issue."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        if newsletter := requested_newsletter(request):
            initial.setdefault("newsletter", newsletter.pk)
            if "starts_on" not in initial:
                week = next_free_week(newsletter, timezone.now())
                initial |= {"starts_on": week, "ends_on": week + timedelta(days=6)}
        return initial

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra = {"next_issues": next_issues(request), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, extra)
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        issue = self.get_object(request, object_id)
        if issue is None or not self.has_view_or_change_permission(request, issue):
            return super().change_view(request, object_id, form_url, extra_context)
        return page.change(request, issue)

    def response_add(
        self, request: HttpRequest, obj: Issue, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to the new issue's page, where its topics are ready."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return redirect("admin:editorial_issue_change", obj.pk)
