"""Events of providers that post several at once."""

from __future__ import annotations

import json
from typing import Any

from tests.delivery.feedback.payloads.who import SAID, Who


def amazon_ses(kind: str, *who: Who) -> dict[str, Any]:
    names = {"delivered": "Delivery", "complaint": "Complaint"}
    first = who[0]
    bounced = {"hard": ("Permanent", "General"), "soft": ("Transient", "MailboxFull")}
    bounce_type, subtype = bounced.get(kind, ("", ""))
    recipients = [
        {
            "emailAddress": each.address,
            "action": "failed",
            "status": {"hard": "5.1.1", "soft": "4.2.2"}.get(kind, ""),
            "diagnosticCode": f"smtp; {each.said(kind)}",
        }
        for each in who
    ]
    facts = {
        "Bounce": {
            "bounceType": bounce_type,
            "bounceSubType": subtype,
            "bouncedRecipients": recipients,
            "feedbackId": "feedback-1",
        },
        "Complaint": {
            "complainedRecipients": [{"emailAddress": each.address} for each in who],
            "complaintFeedbackType": "abuse",
        },
        "Delivery": {
            "recipients": [each.address for each in who],
            "smtpResponse": "250 2.0.0 OK",
        },
    }
    name = names.get(kind, "Bounce")
    event = {
        "eventType": name,
        "mail": {
            "messageId": first.message_id,
            "destination": [each.address for each in who],
            "headers": [{"name": "X-Metadata", "value": json.dumps(first.metadata)}],
        },
        name.lower(): facts[name],
    }
    return {
        "Type": "Notification",
        "MessageId": first.event_id,
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:feedback",
        "Message": json.dumps(event),
        "Timestamp": first.iso,
    }


def mailjet(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "delivered": "sent",
        "hard": "bounce",
        "soft": "bounce",
        "complaint": "spam",
        "unsubscribe": "unsub",
    }
    errors = {"hard": "user unknown", "soft": "quota exceeded"}
    bounced = {
        "hard_bounce": kind == "hard",
        "error_related_to": "recipient",
        "error": errors.get(kind),
        "comment": who.said(kind),
    }
    return {
        "event": names[kind],
        "time": who.epoch,
        "MessageID": who.message_id,
        "email": who.address,
        "Payload": json.dumps(who.metadata),
        **(bounced if kind in SAID else {}),
    }


def mailtrap(kind: str, who: Who) -> dict[str, Any]:
    names = {"delivered": "delivery", "hard": "bounce", "soft": "soft bounce", "complaint": "spam"}
    return {
        "event": names.get(kind, kind),
        "event_id": who.event_id,
        "message_id": who.message_id,
        "sending_stream": "bulk",
        "email": who.address,
        "timestamp": who.epoch,
        "custom_variables": who.metadata,
        **({"response": who.said(kind), "response_code": 550} if kind == "hard" else {}),
        **({"response": who.said(kind), "response_code": 452} if kind == "soft" else {}),
    }


def mandrill(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "delivered": "send",
        "hard": "hard_bounce",
        "soft": "soft_bounce",
        "complaint": "spam",
        "unsubscribe": "unsub",
    }
    about = {"hard": "bad_mailbox", "soft": "mailbox_full"}
    return {
        "event": names[kind],
        "ts": who.epoch,
        "_id": who.message_id,
        "msg": {
            "email": who.address,
            "_id": who.message_id,
            "metadata": who.metadata,
            "bounce_description": about.get(kind),
            "diag": f"smtp;{who.said(kind)}",
        },
    }


def sendgrid(kind: str, who: Who) -> dict[str, Any]:
    names = {"hard": "bounce", "soft": "bounce", "complaint": "spamreport"}
    bounced = {
        "type": "bounce",
        "status": {"hard": "5.1.1", "soft": "5.2.2"}.get(kind),
        "reason": who.said(kind),
    }
    return {
        "event": names.get(kind, kind),
        "email": who.address,
        "timestamp": who.epoch,
        "sg_event_id": who.event_id,
        "anymail_id": who.message_id,
        **who.metadata,
        **(bounced if kind in SAID else {}),
    }


def sparkpost(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "delivered": ("message_event", "delivery"),
        "complaint": ("message_event", "spam_complaint"),
        "unsubscribe": ("unsubscribe_event", "list_unsubscribe"),
    }
    group, name = names.get(kind, ("message_event", "bounce"))
    bounced = {
        "bounce_class": {"hard": "10", "soft": "22"}.get(kind),
        "error_code": {"hard": "550", "soft": "452"}.get(kind),
        "raw_reason": who.said(kind),
    }
    event = {
        "type": name,
        "event_id": who.event_id,
        "timestamp": str(who.epoch),
        "transmission_id": who.message_id,
        "raw_rcpt_to": who.address,
        "rcpt_meta": who.metadata,
        **(bounced if kind in SAID else {}),
    }
    return {"msys": {group: event}}


def unisender_go(kind: str, who: Who) -> dict[str, Any]:
    names = {
        "hard": "hard_bounced",
        "soft": "soft_bounced",
        "complaint": "spam",
        "unsubscribe": "unsubscribed",
    }
    reasons = {"hard": "err_user_unknown", "soft": "err_mailbox_full"}
    return {
        "job_id": who.message_id,
        "email": who.address,
        "status": names.get(kind, kind),
        "event_time": who.at.strftime("%Y-%m-%d %H:%M:%S"),
        "metadata": who.metadata,
        "delivery_info": {
            "delivery_status": reasons.get(kind, ""),
            "destination_response": who.said(kind),
        },
    }
