"""The desk's users, and who of them gets alerts by email."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm, UsernameField
from django.contrib.auth.models import Group

from newsletter.delivery.models import AlertRecipient
from newsletter.editorial.models import User
from newsletter.lib.text_fields import EmailFormField, OneLineFormField, TextFormMixin


class AlertRecipientInline(admin.StackedInline[AlertRecipient, User]):
    """One tick: whether this person is emailed when a mailing fails."""

    model = AlertRecipient
    extra = 0
    max_num = 1

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "language":
            return forms.ChoiceField(choices=settings.LANGUAGES, label=db_field.verbose_name)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class NameField(TextFormMixin, UsernameField):
    """A user's name for signing in."""


class StaffForm(UserChangeForm[User]):
    class Meta(UserChangeForm.Meta):
        field_classes = {"username": NameField, "email": EmailFormField}


class NewStaffForm(AdminUserCreationForm[User]):
    class Meta(AdminUserCreationForm.Meta):
        model = User
        field_classes = {"username": NameField}


class GroupForm(forms.ModelForm[Group]):
    class Meta:
        field_classes = {"name": OneLineFormField}


class StaffAdmin(UserAdmin[User]):
    """Django's users with alerts."""

    form = StaffForm
    add_form = NewStaffForm

    def get_inlines(self, request: Any, obj: User | None) -> list[Any]:
        return [AlertRecipientInline] if obj is not None else []


class StaffGroupAdmin(GroupAdmin):
    form = GroupForm


admin.site.register(User, StaffAdmin)
# Django's own registration comes first, as its apps are loaded before ours.
admin.site.unregister(Group)
# People change these at “My account”; the first stays empty.
admin.site.unregister([EmailAddress, Authenticator])
admin.site.register(Group, StaffGroupAdmin)
