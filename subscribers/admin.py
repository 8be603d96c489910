"""Readers at the desk: counts, states and dates. No address is shown, and none can be entered:
the web process could not seal it for storage, nor find it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from subscribers.models import Consent, Subscriber, Subscription, Suppression


class LookOnly:
    """Rows that are looked at, and change by what readers do alone."""

    def has_add_permission(self, *args: Any) -> bool:
        return False

    def has_change_permission(self, *args: Any) -> bool:
        return False

    def has_delete_permission(self, *args: Any) -> bool:
        return False


class SubscriptionInline(LookOnly, admin.TabularInline[Subscription, Subscriber]):
    model = Subscription
    fields = ("newsletter", "state", "languages", "rhythm", "confirmed_on", "unsubscribed_on")
    show_change_link = True


class ConsentInline(LookOnly, admin.TabularInline[Consent, Subscription]):
    model = Consent
    fields = ("action", "at", "source", "language", "wording", "wording_version")


@admin.register(Subscriber)
class SubscriberAdmin(LookOnly, admin.ModelAdmin[Subscriber]):
    list_display = ("public_id", "language", "active", "created_on")
    list_filter = ("language", "created_on")
    search_fields = ("public_id",)
    search_help_text = _("By the reader's id. A search by address is the operator's.")
    fields = ("public_id", "language", "created_on")
    inlines = (SubscriptionInline,)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscriber]:
        active = Count("subscriptions", filter=Q(subscriptions__state=Subscription.State.ACTIVE))
        return super().get_queryset(request).annotate(active_subscriptions=active)

    @admin.display(description=_("active subscriptions"))
    def active(self, subscriber: Subscriber) -> int:
        return int(subscriber.active_subscriptions)  # type: ignore[attr-defined]


@admin.register(Subscription)
class SubscriptionAdmin(LookOnly, admin.ModelAdmin[Subscription]):
    list_display = (
        "reader", "newsletter", "state", "languages", "rhythm", "source",
        "confirmed_on", "unsubscribed_on",
    )  # fmt: skip
    list_filter = ("newsletter", "state", "languages", "rhythm", "source")
    list_select_related = ("subscriber", "newsletter")
    search_fields = ("subscriber__public_id",)
    exclude = ("mailbox",)
    inlines = (ConsentInline,)
    ordering = ("-pk",)

    @admin.display(description=_("reader"), ordering="subscriber")
    def reader(self, subscription: Subscription) -> str:
        return str(subscription.subscriber.public_id)


@admin.register(Suppression)
class SuppressionAdmin(LookOnly, admin.ModelAdmin[Suppression]):
    list_display = ("__str__", "reason", "since")
    list_filter = ("reason", "since")
    fields = ("reason", "since")
    ordering = ("-pk",)
