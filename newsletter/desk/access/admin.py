"""A ModelAdmin that shows and changes only rows of the newsletters that a user's roles cover."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from newsletter.desk.access.rows import limited, newsletter_ids, newsletters
from newsletter.desk.view_helpers import user_of
from newsletter.editorial.models import Newsletter, Topic


class OwnRowsFilter(admin.RelatedFieldListFilter):
    """A filter by newsletter or topic, which offers those that the user's list can contain."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        choices = super().field_choices(field, request, model_admin)
        if not isinstance(model_admin, ScopedAdmin):
            return choices
        ids = newsletter_ids(user_of(request), *map(model_admin.permission, ("view", "change")))
        path = "pk" if field.related_model is Newsletter else "newsletter"
        own = set(
            limited(field.related_model.objects.all(), ids, path).values_list("pk", flat=True)
        )
        return [choice for choice in choices if int(choice[0]) in own]


admin.FieldListFilter.register(
    lambda field: getattr(field, "related_model", None) in {Newsletter, Topic},
    OwnRowsFilter,
    take_priority=True,
)


class ScopedAdmin(admin.ModelAdmin[Any]):
    """Asks for each permission together with the row; lists, searches and choices follow."""

    newsletter_path: ClassVar[str | None] = "newsletter"
    """The lookup from a row to its newsletter; None if all newsletters share the rows."""

    def permission(self, action: str) -> str:
        return f"{self.opts.app_label}.{get_permission_codename(action, self.opts)}"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(self._has(request, action, obj) for action in ("view", "change"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._has(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._has(request, "delete", obj)

    def _has(self, request: HttpRequest, action: str, obj: Any) -> bool:
        return bool(request.user.has_perm(self.permission(action), obj))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if self.newsletter_path is None:
            return rows
        ids = newsletter_ids(user_of(request), self.permission("view"), self.permission("change"))
        return limited(rows, ids, self.newsletter_path)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        model = db_field.remote_field.model
        if model is Newsletter:
            kwargs.setdefault("queryset", self.newsletters_to_write_for(request))
        elif model is Topic:
            own = self.newsletters_to_write_for(request)
            kwargs.setdefault("queryset", Topic.objects.filter(newsletter__in=own))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def newsletters_to_write_for(self, request: HttpRequest) -> QuerySet[Newsletter]:
        """Return the newsletters that a row may be moved to, or added for."""
        permissions = map(self.permission, ("add", "change"))
        return newsletters(user_of(request), *permissions)

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Save the row unless it belongs to a newsletter that isn't the user's: a list that is
        edited in place holds rows that one may only see."""
        if not self._has(request, "change" if change else "add", obj):
            raise PermissionDenied
        super().save_model(request, obj, form, change)
