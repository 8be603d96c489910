"""Readers at the desk: counts, states and dates.

No address is shown or searched: the web process can't decrypt stored addresses.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from newsletter.desk import readers
from newsletter.desk.access.admin import ScopedAdmin
from newsletter.desk.access.rows import limited, newsletter_ids, newsletters
from newsletter.desk.view_helpers import user_of
from newsletter.lib.fields import LanguageChainField, join_chain
from subscribers.models import (
    Consent,
    Export,
    Subscriber,
    Subscription,
    Suppression,
    UnsubscribeReason,
)

SMALL_COUNT = 5
"""Smaller counts of readers who gave a reason are hidden: someone might guess who they are."""


class ReadOnlyAdmin:
    """A mixin for rows that only readers' actions change."""

    list_filter: ClassVar[Any] = ()

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow only the page's filters: a hand-written URL could otherwise query hidden fields."""
        return lookup.partition("__")[0] in self.list_filter

    def has_add_permission(self, *args: Any) -> bool:
        return False

    def has_change_permission(self, *args: Any) -> bool:
        return False

    def has_delete_permission(self, *args: Any) -> bool:
        return False


class ChainFilter(admin.AllValuesFieldListFilter):
    """Filter subscriptions by chain; the links contain it as stored, such as "be,ru"."""

    lookup_choices: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lookup_choices = [join_chain(chain) for chain in self.lookup_choices]


admin.FieldListFilter.register(
    lambda field: isinstance(field, LanguageChainField), ChainFilter, take_priority=True
)


class SubscriptionInline(ReadOnlyAdmin, admin.TabularInline[Subscription, Subscriber]):
    model = Subscription
    fields = ("newsletter", "state", "languages", "frequency", "confirmed_on", "unsubscribed_on")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        ids = newsletter_ids(user_of(request), "subscribers.view_subscription")
        return limited(super().get_queryset(request), ids, "newsletter")


class ConsentInline(ReadOnlyAdmin, admin.TabularInline[Consent, Subscription]):
    model = Consent
    fields = ("action", "at", "source", "language", "wording", "wording_version")


@admin.register(Subscriber)
class SubscriberAdmin(ReadOnlyAdmin, ScopedAdmin):
    newsletter_path = "subscriptions__newsletter"
    list_display = ("public_id", "language", "active", "created_on")
    list_filter = ("language", "created_on")
    search_fields = ("public_id",)
    search_help_text = _("Searches by reader ID. Only the operator can search by address.")
    fields = ("public_id", "language", "created_on")
    inlines = (SubscriptionInline,)
    ordering = ("-pk",)
    change_form_template = "desk/reader.html"

    def get_urls(self) -> list[URLPattern]:
        lift = path(
            "<int:subscriber_id>/lift/",
            self.admin_site.admin_view(readers.lift),
            name="subscribers_subscriber_lift",
        )
        return [lift, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        subscriber = context["original"]
        context |= {
            **readers.page_context(request, subscriber),
            "title": _("Reader %(id)s") % {"id": str(subscriber.public_id)[:8]},
            "subtitle": None,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscriber]:
        active = Count("subscriptions", filter=Q(subscriptions__state=Subscription.State.ACTIVE))
        rows: QuerySet[Subscriber] = super().get_queryset(request)
        return rows.annotate(active_subscriptions=active)

    @admin.display(description=_("active subscriptions"))
    def active(self, subscriber: Subscriber) -> int:
        return int(subscriber.active_subscriptions)  # type: ignore[attr-defined]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin, ScopedAdmin):
    list_display = (
        "reader",
        "newsletter",
        "state",
        "languages",
        "frequency",
        "source",
        "confirmed_on",
        "unsubscribed_on",
    )
    list_filter = ("newsletter", "state", "languages", "frequency", "source")
    list_select_related = ("subscriber", "newsletter")
    search_fields = ("subscriber__public_id",)
    exclude = ("mailbox_provider",)
    inlines = (ConsentInline,)
    ordering = ("-pk",)

    @admin.display(description=_("reader"), ordering="subscriber")
    def reader(self, subscription: Subscription) -> str:
        return str(subscription.subscriber.public_id)


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin, ScopedAdmin):
    newsletter_path = None
    list_display = ("__str__", "reason", "since")
    list_filter = ("reason", "since")
    fields = ("reason", "since")
    ordering = ("-pk",)


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin, ScopedAdmin):
    newsletter_path = None  # it is stored by its short name
    list_display = ("newsletter", "kind", "made_at", "readers", "recipients", "purpose")
    fields = list_display
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        own = newsletters(user_of(request), self.permission("view"))
        return super().get_queryset(request).filter(newsletter__in=own.values("slug"))


@admin.register(UnsubscribeReason)
class UnsubscribeReasonAdmin(ReadOnlyAdmin, ScopedAdmin):
    """Why readers left, counted per year. Small counts are hidden."""

    list_display = ("newsletter", "year", "reason_label", "reader_count")
    list_display_links = None
    list_filter = ("newsletter", "year")
    list_select_related = ("newsletter",)
    fields = ("newsletter", "year", "reason_label", "reader_count")
    # Not by count: the order would reveal hidden counts.
    ordering = ("-year", "newsletter", "reason")

    @admin.display(description=_("reason"), ordering="reason")
    def reason_label(self, row: UnsubscribeReason) -> str:
        return row.get_reason_display()

    @admin.display(description=_("readers"))
    def reader_count(self, row: UnsubscribeReason) -> str:
        if row.readers < SMALL_COUNT:
            return _("fewer than %(few)d") % {"few": SMALL_COUNT}
        return str(row.readers)
