"""What Amazon SES says happened (D1)."""

from __future__ import annotations

from newsletter.delivery.feedback.dialects.words import Raw, by_name
from newsletter.delivery.feedback.facts import Happened, Reading, text_of


def read(event: Raw, recipient: str) -> Reading | None:
    name = event.get("eventType") or event.get("notificationType")
    if name == "Bounce":
        return _bounce(event["bounce"], recipient)
    if name == "Complaint":
        # “not-spam” is a reader who moved the message out of the spam folder.
        kind = event["complaint"].get("complaintFeedbackType")
        return None if kind == "not-spam" else Reading(Happened.COMPLAINED)
    if name == "DeliveryDelay":
        delay = event.get("deliveryDelay", {}).get("delayType")
        return Reading(Happened.DELAYED) if delay == "MailboxFull" else None
    return by_name(_NAMES, name)


_NAMES = {
    "Delivery": Happened.DELIVERED,
    "Send": Happened.ACCEPTED,
    "Open": Happened.ACCEPTED,
    "Click": Happened.ACCEPTED,
    "Reject": Happened.FAILED,
    "Rendering Failure": Happened.FAILED,
}


def _bounce(bounce: Raw, recipient: str) -> Reading:
    own: Raw = next(
        (r for r in bounce["bouncedRecipients"] if r.get("emailAddress") == recipient), {}
    )
    subtype = bounce.get("bounceSubType")
    if subtype == "UnsubscribedRecipient":
        return Reading(Happened.UNSUBSCRIBED)
    if subtype in {"Suppressed", "OnAccountSuppressionList"}:
        return Reading(Happened.INACTIVE)
    if subtype in {"ContentRejected", "AttachmentRejected", "MessageTooLarge"}:
        return Reading(Happened.SPAM)
    happened = Happened.HARD if bounce.get("bounceType") == "Permanent" else Happened.SOFT
    status = own.get("status") or ("5.1.1" if subtype == "NoEmail" else "")
    return Reading(happened, status, text_of(own.get("diagnosticCode")))
