"""What a reader's page adds to the stock one: what came back, and lifting a suppression."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from newsletter.delivery.oversight.reader_report import SHOWN, reader_report
from newsletter.desk.access.rows import require
from newsletter.desk.approvals import changes_no_issue
from newsletter.desk.view_helpers import log_action, permission_required, render_page, user_of
from subscribers import suppression
from subscribers.models import LiftedSuppression, Subscriber, Suppression

LIFT = "subscribers.delete_suppression"
"""The permission to lift a suppression."""

_MEANINGS = {
    Suppression.Reason.BOUNCED: gettext_lazy(
        "The reader’s server said that the address doesn’t exist, or that the mailbox no longer "
        "accepts email. Lift this only if you know that the mailbox works again. If it doesn’t, "
        "the next bounce suppresses the address once more."
    ),
    Suppression.Reason.COMPLAINED: gettext_lazy(
        "The reader reported one of our emails as spam. Lift this only if the reader asked you "
        "to, for example because they pressed the button by mistake."
    ),
}
"""By reason. An erasure isn't lifted here: the owner of the address does it by signing up."""


def page_context(request: HttpRequest, subscriber: Subscriber) -> dict[str, Any]:
    """Return what the reader's page shows in addition."""
    found = _suppression_of(subscriber)
    user = user_of(request)
    report = reader_report(subscriber.pk)
    shown = [
        entry
        for entry in report.entries
        if entry.mailing is None or user.has_perm("delivery.view_mailing", entry.mailing)
    ]
    return {
        "report": replace(report, entries=shown),
        "most_shown": SHOWN,
        "suppression": found,
        "may_lift": found is not None
        and found.reason in _MEANINGS
        and user.has_perm(LIFT, subscriber),
        "lifted": LiftedSuppression.objects.filter(subscriber=subscriber)
        .select_related("lifted_by")
        .order_by("-lifted_at"),
        "may_view_mailings": user.has_perm("delivery.view_mailing"),
    }


@changes_no_issue
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(LIFT)
@permission_required("subscribers.view_subscriber")
def lift(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Ask for confirmation on GET; lift the suppression on POST."""
    subscriber = get_object_or_404(Subscriber, pk=subscriber_id)
    require(request, LIFT, subscriber)
    found = _suppression_of(subscriber)
    if found is None or found.reason not in _MEANINGS:
        messages.info(request, _("Nothing to lift: email to this reader isn’t suppressed."))
    elif request.method != "POST":
        return render_page(
            request,
            "desk/lift_suppression.html",
            title=_("Lift suppression"),
            subscriber=subscriber,
            suppression=found,
            meaning=_MEANINGS[Suppression.Reason(found.reason)],
        )
    elif suppression.lift(bytes(subscriber.address_hash), by=user_of(request)):
        log_action(request, subscriber, _("Lifted the suppression."))
        messages.success(request, _("The suppression is lifted. The reader can sign up again."))
    return redirect("admin:subscribers_subscriber_change", subscriber.pk)


def _suppression_of(subscriber: Subscriber) -> Suppression | None:
    # The column identifies it: the web process can't hash an address.
    return Suppression.objects.filter(address_hash=bytes(subscriber.address_hash)).first()
