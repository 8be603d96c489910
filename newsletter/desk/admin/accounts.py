"""The accounts of the desk, their roles, and who gets alerts by email.

Nobody chooses another person's password: a new account gets an invitation by email.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from newsletter.delivery.models import AlertRecipient
from newsletter.desk.access.accounts import free_username, may_manage, roles_to_give
from newsletter.desk.access.roles import label_of
from newsletter.desk.access.rows import newsletter_ids, newsletters
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.sign_in.invitation import invite
from newsletter.desk.view_helpers import log_action, user_of
from newsletter.editorial.models import Membership, Newsletter, User
from newsletter.lib.languages import language_name
from newsletter.lib.text_fields import EmailFormField, OneLineFormField

CHANGE = "editorial.change_user"


class RoleField(forms.ModelChoiceField[Group]):
    """A role by its name in the page's language."""

    def label_from_instance(self, obj: Group) -> str:
        return label_of(obj)


class MembershipForm(forms.ModelForm[Membership]):
    languages = forms.MultipleChoiceField(
        label=_("Languages"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Which languages this person may write in. None ticked: all."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known: dict[str, None] = {}
        for codes in Newsletter.objects.values_list("languages", flat=True):
            known |= dict.fromkeys(codes)
        known |= dict.fromkeys(self.instance.languages)
        field: Any = self.fields["languages"]
        field.choices = [(code, language_name(code)) for code in known]


class MembershipInline(admin.StackedInline[Membership, User]):
    """A person's roles. Whoever may change the account may give those that its manager may."""

    model = Membership
    form = MembershipForm
    fields = ("role", "newsletter", "languages")
    extra = 1
    verbose_name = _("role")
    verbose_name_plural = _("Roles")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        user = user_of(request)
        if db_field.name == "role":
            return RoleField(queryset=roles_to_give(user), label=_("Role"))
        if db_field.name == "newsletter":
            kwargs["queryset"] = newsletters(user, CHANGE)
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "newsletter" and newsletter_ids(user, CHANGE) is not None:
            field.required, field.help_text = True, ""
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        widget = getattr(field, "widget", None)
        if isinstance(widget, RelatedFieldWidgetWrapper):
            # A role or a newsletter isn't added in passing.
            widget.can_add_related = widget.can_change_related = widget.can_view_related = False
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may_manage(user_of(request), obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may_manage(user_of(request), obj)

    has_delete_permission = has_change_permission


class AlertRecipientInline(admin.StackedInline[AlertRecipient, User]):
    """One tick: whether this person is emailed when a mailing fails."""

    model = AlertRecipient
    extra = 0
    max_num = 1

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "language":
            return forms.ChoiceField(choices=settings.LANGUAGES, label=db_field.verbose_name)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may_manage(user_of(request), obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may_manage(user_of(request), obj)

    has_delete_permission = has_change_permission


class AccountForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "is_active", "is_superuser")
        field_classes: ClassVar = {"email": EmailFormField}
        labels: ClassVar = {"is_active": _("Can sign in"), "is_superuser": _("Administrator")}
        help_texts: ClassVar = {
            "is_active": _("Untick this when somebody leaves. What they wrote stays."),
            "is_superuser": _("May do everything, for every newsletter, without any role."),
        }

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        others = User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk)
        if email and others.exists():
            raise forms.ValidationError(_("Another account has this email address."))
        return email


class NewAccountForm(AccountForm):
    invitation_language = forms.ChoiceField(
        label=_("Language of the invitation"), choices=settings.LANGUAGES
    )

    class Meta(AccountForm.Meta):
        fields = ("first_name", "last_name", "email")  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        self.fields["email"].help_text = _(
            "The invitation goes there. With its link, the person chooses their own password."
        )


class GroupForm(forms.ModelForm[Group]):
    class Meta:
        field_classes: ClassVar = {"name": OneLineFormField}


class AccountAdmin(UserAdmin[User]):
    """Accounts. A publisher manages those of colleagues in their own newsletters."""

    form = AccountForm
    add_form = NewAccountForm
    change_form_template = "desk/account.html"
    add_form_template = "desk/account.html"
    list_display = ("name", "email", "roles", "is_active")
    list_filter = ("is_active",)
    search_fields = ("username", "first_name", "last_name", "email")
    readonly_fields = ("username",)
    ordering = ("first_name", "last_name", "username")
    inlines = [MembershipInline, AlertRecipientInline]
    add_fieldsets = (
        (None, {"fields": (("first_name", "last_name"), "email", "invitation_language")}),
    )

    def get_urls(self) -> list[URLPattern]:
        again: Callable[..., HttpResponse] = self.admin_site.admin_view(
            changes_no_issue(require_POST(self.invite))
        )
        stock = [each for each in super().get_urls() if each.name != "auth_user_password_change"]
        return [path("<int:user_id>/invite/", again, name="editorial_user_invite"), *stock]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        rights = ("is_active", "is_superuser") if user_of(request).is_superuser else ("is_active",)
        fields = ("username", ("first_name", "last_name"), "email", *rights)
        return ((None, {"fields": fields}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows = super().get_queryset(request)
        return rows.prefetch_related("memberships__role", "memberships__newsletter__translations")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or may_manage(user_of(request), obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """An account is closed, not deleted: the history names who wrote what."""
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: User,
        form: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        if not change:
            obj.username = free_username(obj.email)
            obj.is_staff = True
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def save_related(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        super().save_related(request, form, formsets, change)
        if not change:
            self._invite(request, form.instance, form.cleaned_data["invitation_language"])

    def invite(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Send another invitation, or a link for a new password to somebody who has one."""
        user = get_object_or_404(User, pk=user_id)
        if not self.has_change_permission(request, user) or user.pk == user_of(request).pk:
            raise PermissionDenied
        if not user.is_active or not user.email:
            messages.error(request, gettext("This account is closed or has no email address."))
        else:
            self._invite(request, user, request.POST.get("language", settings.LANGUAGE_CODE))
        return redirect("admin:editorial_user_change", user.pk)

    def _invite(self, request: HttpRequest, user: User, language: str) -> None:
        known = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        invite(user, by=user_of(request), language=known)
        log_action(request, user, gettext("Invited."))
        text = gettext("An invitation is on its way to %(email)s. Its link works for 7 days.")
        messages.success(request, text % {"email": user.email})

    def response_add(
        self, request: HttpRequest, obj: User, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect("admin:editorial_user_changelist")

    @admin.display(description=_("name"), ordering="first_name")
    def name(self, user: User) -> str:
        return str(user.get_full_name() or user.get_username())

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        if user.is_superuser:
            return gettext("Administrator")
        return "; ".join(describe(each) for each in user.memberships.all()) or "–"


def describe(membership: Membership) -> str:
    """Return a role with its limits: "Translator (be), Weekly"."""
    role = label_of(membership.role)
    if membership.languages:
        role += f" ({', '.join(membership.languages)})"
    return f"{role}, {membership.newsletter}" if membership.newsletter else role


class RoleAdmin(GroupAdmin):
    """Roles. What each may do can be changed by administrators."""

    form = GroupForm


admin.site.register(User, AccountAdmin)
# Django's own registration comes first, as its apps are loaded before ours.
admin.site.unregister(Group)
# People change these at “My account”; the first stays empty.
admin.site.unregister([EmailAddress, Authenticator])
admin.site.register(Group, RoleAdmin)
