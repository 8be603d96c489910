"""The desk's users, and who of them gets alerts by email."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from newsletter.delivery.models import AlertRecipient
from newsletter.editorial.models import User


class AlertRecipientInline(admin.StackedInline[AlertRecipient, User]):
    """One tick: whether this person is emailed when a mailing fails."""

    model = AlertRecipient
    extra = 0
    max_num = 1

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "language":
            return forms.ChoiceField(choices=settings.LANGUAGES, label=db_field.verbose_name)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class StaffAdmin(UserAdmin[User]):
    """Django's users with alerts."""

    def get_inlines(self, request: Any, obj: User | None) -> list[Any]:
        return [AlertRecipientInline] if obj is not None else []


admin.site.register(User, StaffAdmin)
