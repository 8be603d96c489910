"""The search of the desk's lists, and of the fields that look rows up while one types (H5)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest

from newsletter.editorial.search.query import parse


class SearchAdmin(admin.ModelAdmin[Any]):
    """A ModelAdmin that searches with one of newsletter.editorial.finders.

    Its results are in the order of the finder, unless the user has sorted the list by a column.
    `search_help_text` says what is searched; it is repeated when nothing was found.
    """

    search_fields = ("pk",)  # not used, but without it Django offers no search

    def find(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Narrow the rows to those that the text describes, the most relevant first."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        found = self.find(queryset, search_term)
        if request.GET.get(ORDER_VAR):
            found = found.order_by(*queryset.query.order_by)
        return found, False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        term = request.GET.get(SEARCH_VAR, "")
        context = {"searches_words": True, "has_no_words": not parse(term)}
        return super().changelist_view(request, {**context, **(extra_context or {})})
