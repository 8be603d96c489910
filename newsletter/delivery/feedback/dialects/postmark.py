"""What Postmark says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, _recipient: str) -> Reading | None:
    record = event.get("RecordType")
    if record == "SubscriptionChange":
        name = event.get("SuppressionReason") if event.get("SuppressSending") else None
        return by_name(_SUPPRESSED, name)
    if record in {"Bounce", "SpamComplaint"}:
        name = event.get("Type") or record
        return by_name(_BOUNCES, name, reply=text_of(event.get("Details")))
    return by_name(_NAMES, record)


_NAMES = {"Delivery": Happened.DELIVERED, "Open": Happened.ACCEPTED, "Click": Happened.ACCEPTED}
_SUPPRESSED = {
    "ManualSuppression": Happened.UNSUBSCRIBED,
    "HardBounce": Happened.INACTIVE,
    "SpamComplaint": Happened.COMPLAINED,
}
_BOUNCES = {
    "HardBounce": Happened.HARD,
    "SoftBounce": Happened.SOFT,
    "Transient": Happened.DELAYED,
    "DnsError": Happened.DELAYED,
    "BadEmailAddress": Happened.INACTIVE,
    "ManuallyDeactivated": Happened.INACTIVE,
    "Blocked": Happened.BLOCKED,
    "DMARCPolicy": Happened.BLOCKED,
    # The recipient's filter says so; a person's complaint is a SpamComplaint.
    "SpamNotification": Happened.SPAM,
    "VirusNotification": Happened.SPAM,
    "SpamComplaint": Happened.COMPLAINED,
    "Unsubscribe": Happened.UNSUBSCRIBED,
    "SMTPApiError": Happened.FAILED,
    "TemplateRenderingFailed": Happened.FAILED,
}
