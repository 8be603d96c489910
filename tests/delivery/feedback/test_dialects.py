"""What each provider's words mean, beyond plain hard and soft bounces (D1, D5, D7). Pure."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.delivery.feedback.dialects import dialect
from newsletter.delivery.feedback.facts import Facts, Happened, Reading, facts_of
from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault

Kind = Event.Kind
TO = "ala@readers.example"
BLOCKED = (Kind.BOUNCED, Fault.SENDER)
SPAM = (Kind.BOUNCED, Fault.MESSAGE)
INACTIVE = (Kind.REJECTED, Fault.READER)
HARD = (Kind.BOUNCED, Fault.READER)
SOFT = (Kind.DEFERRED, Fault.READER)
COMPLAINED = (Kind.COMPLAINED, Fault.READER)
UNSUBSCRIBED = (Kind.UNSUBSCRIBED, Fault.NONE)
NOT_SENT = (Kind.REJECTED, Fault.SENDER)
UNSENDABLE = (Kind.REJECTED, Fault.MESSAGE)
ACCEPTED = (Kind.ACCEPTED, Fault.NONE)


def ses_bounce(kind: str, subtype: str, **own: str) -> dict[str, Any]:
    return {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": subtype,
            "bouncedRecipients": [
                {"emailAddress": "other@readers.example", "status": "5.7.1"},
                {"emailAddress": TO, **own},
            ],
        },
    }


def mailgun(**data: Any) -> dict[str, Any]:
    return {"event-data": {"event": "failed", **data}}


def sparkpost(**data: Any) -> dict[str, Any]:
    return {"msys": {"message_event": data}}


def mandrill(name: str, **message: Any) -> dict[str, Any]:
    return {"event": name, "msg": {"email": TO, **message}}


def mailersend(name: str, reason: str) -> dict[str, Any]:
    return {"data": {"type": name, "morph": {"reason": reason}}}


def unisender(status: str, reason: str) -> dict[str, Any]:
    return {"status": status, "delivery_info": {"delivery_status": reason}}


def postmark(name: str, details: str = "") -> dict[str, Any]:
    return {"RecordType": "Bounce", "Type": name, "Details": details}


MEANINGS: list[tuple[str, dict[str, Any], tuple[Kind, Fault] | None]] = [
    ("amazon_ses", ses_bounce("Permanent", "NoEmail"), HARD),
    ("amazon_ses", ses_bounce("Permanent", "General", status="5.7.1"), BLOCKED),
    ("amazon_ses", ses_bounce("Permanent", "OnAccountSuppressionList"), INACTIVE),
    ("amazon_ses", ses_bounce("Permanent", "UnsubscribedRecipient"), UNSUBSCRIBED),
    ("amazon_ses", ses_bounce("Transient", "ContentRejected"), SPAM),
    ("amazon_ses", ses_bounce("Transient", "MessageTooLarge"), SPAM),
    ("amazon_ses", ses_bounce("Undetermined", "Undetermined"), SOFT),
    ("amazon_ses", {"eventType": "Complaint", "complaint": {}}, COMPLAINED),
    (
        "amazon_ses",
        {"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}},
        None,
    ),
    (
        "amazon_ses",
        {"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull"}},
        SOFT,
    ),
    (
        "amazon_ses",
        {"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "IPFailure"}},
        None,
    ),
    ("amazon_ses", {"eventType": "Reject", "reject": {"reason": "Bad content"}}, UNSENDABLE),
    ("amazon_ses", {"eventType": "Send"}, ACCEPTED),
    ("amazon_ses", {"notificationType": "Subscription"}, None),
    ("brevo", {"event": "invalid_email"}, HARD),
    ("brevo", {"event": "hard_bounce", "reason": "550 5.7.1 listed by spamhaus"}, BLOCKED),
    ("brevo", {"event": "blocked"}, NOT_SENT),
    ("brevo", {"event": "error"}, UNSENDABLE),
    ("brevo", {"event": "deferred"}, SOFT),
    ("brevo", {"event": "unique_proxy_open"}, ACCEPTED),
    ("brevo", {"event": "list_addition"}, None),
    ("mailersend", mailersend("hard_bounced", "554 5.7.1 Message considered spam"), SPAM),
    ("mailersend", mailersend("survey_opened", ""), None),
    ("mailgun", mailgun(severity="permanent", reason="suppress-bounce"), INACTIVE),
    ("mailgun", mailgun(severity="permanent", reason="suppress-complaint"), COMPLAINED),
    ("mailgun", mailgun(severity="permanent", reason="suppress-unsubscribe"), UNSUBSCRIBED),
    ("mailgun", mailgun(severity="permanent", reason="espblock"), BLOCKED),
    ("mailgun", mailgun(severity="permanent", reason="old"), SOFT),
    (
        "mailgun",
        mailgun(
            severity="permanent", **{"delivery-status": {"code": 552, "message": "5.2.2 full"}}
        ),
        SOFT,
    ),
    (
        "mailgun",
        mailgun(severity="permanent", **{"delivery-status": {"code": 605, "message": ""}}),
        HARD,
    ),
    ("mailgun", mailgun(severity="temporary", **{"delivery-status": None}), SOFT),
    ("mailgun", {"event-data": {"event": "rejected"}}, NOT_SENT),
    ("mailjet", {"event": "bounce", "hard_bounce": True, "error": "mailbox inactive"}, HARD),
    ("mailjet", {"event": "bounce", "hard_bounce": True, "error": "sender blocked"}, BLOCKED),
    ("mailjet", {"event": "bounce", "hard_bounce": True, "error": "content blocked"}, SPAM),
    ("mailjet", {"event": "blocked", "error": "preblocked"}, INACTIVE),
    ("mailjet", {"event": "blocked", "error": "spam reporter"}, COMPLAINED),
    ("mailjet", {"event": "blocked", "error": "duplicate in campaign"}, NOT_SENT),
    ("mailtrap", {"event": "reject", "reason": "Recipient hard bounced before"}, INACTIVE),
    ("mailtrap", {"event": "reject", "reason": "unsubscribed"}, UNSUBSCRIBED),
    ("mailtrap", {"event": "reject", "reason": "spam complaint"}, COMPLAINED),
    ("mailtrap", {"event": "reject"}, NOT_SENT),
    ("mailtrap", {"event": "bounce", "bounce_category": "spam", "response": "no"}, BLOCKED),
    ("mailtrap", {"event": "suspension"}, NOT_SENT),
    ("mandrill", mandrill("reject", reject={"reason": "hard-bounce"}), INACTIVE),
    ("mandrill", mandrill("reject", reject={"reason": "spam"}), COMPLAINED),
    ("mandrill", mandrill("reject", reject={"reason": "test-mode-limit"}), NOT_SENT),
    ("mandrill", mandrill("soft_bounce", bounce_description="spam"), SPAM),
    ("mandrill", mandrill("hard_bounce", bounce_description="invalid_domain"), HARD),
    ("mandrill", {"type": "blacklist", "action": "add"}, None),
    ("postal", {"payload": {"bounce": {}, "original_message": {}}}, SOFT),
    ("postal", {"payload": {"status": "HardFail", "output": "550 5.7.1 no"}}, BLOCKED),
    ("postal", {"payload": {"status": "Held"}}, ACCEPTED),
    ("postal", {"payload": {"url": "https://news.example.org/"}}, ACCEPTED),
    ("postmark", postmark("SpamNotification"), SPAM),
    ("postmark", postmark("DMARCPolicy"), BLOCKED),
    ("postmark", postmark("Blocked"), BLOCKED),
    ("postmark", postmark("ManuallyDeactivated"), INACTIVE),
    ("postmark", postmark("Transient"), SOFT),
    ("postmark", postmark("AutoResponder"), None),
    ("postmark", {"RecordType": "SubscriptionChange", "SuppressSending": False}, None),
    (
        "postmark",
        {
            "RecordType": "SubscriptionChange",
            "SuppressSending": True,
            "SuppressionReason": "HardBounce",
        },
        INACTIVE,
    ),
    (
        "resend",
        {"type": "email.bounced", "data": {"bounce": {"subType": "Suppressed"}}},
        INACTIVE,
    ),
    ("resend", {"type": "email.bounced", "data": {}}, SOFT),
    ("resend", {"type": "email.failed", "data": {}}, NOT_SENT),
    ("resend", {"type": "contact.created", "data": {}}, None),
    ("sendgrid", {"event": "bounce", "type": "blocked", "status": "5.7.1"}, BLOCKED),
    ("sendgrid", {"event": "bounce", "bounce_classification": "Content"}, SPAM),
    ("sendgrid", {"event": "bounce", "bounce_classification": "Mailbox Unavailable"}, SOFT),
    ("sendgrid", {"event": "dropped", "reason": "Bounced Address"}, INACTIVE),
    ("sendgrid", {"event": "dropped", "reason": "Spam Reporting Address"}, COMPLAINED),
    ("sendgrid", {"event": "dropped", "reason": "Unsubscribed Address"}, UNSUBSCRIBED),
    ("sendgrid", {"event": "dropped", "reason": "Spam Content"}, UNSENDABLE),
    ("sendgrid", {"event": "dropped", "reason": "Recipient List over Package Quota"}, NOT_SENT),
    ("sendgrid", {"event": "processed"}, ACCEPTED),
    ("sparkpost", sparkpost(type="bounce", bounce_class="30"), HARD),
    ("sparkpost", sparkpost(type="bounce", bounce_class="20"), SOFT),
    ("sparkpost", sparkpost(type="bounce", bounce_class="50"), BLOCKED),
    ("sparkpost", sparkpost(type="bounce", bounce_class="51"), SPAM),
    ("sparkpost", sparkpost(type="bounce", bounce_class="60"), None),
    ("sparkpost", sparkpost(type="bounce", bounce_class="90"), UNSUBSCRIBED),
    ("sparkpost", sparkpost(type="out_of_band", bounce_class="10", error_code="550"), HARD),
    (
        "sparkpost",
        sparkpost(type="policy_rejection", raw_reason="recipient on suppression list"),
        INACTIVE,
    ),
    ("sparkpost", sparkpost(type="spam_complaint", fbtype="not-spam"), None),
    ("unisender_go", unisender("hard_bounced", "err_blacklisted"), BLOCKED),
    ("unisender_go", unisender("hard_bounced", "err_spam_rejected"), SPAM),
    ("unisender_go", unisender("soft_bounced", "err_will_retry"), SOFT),
    ("unisender_go", unisender("hard_bounced", "err_mailbox_full"), SOFT),
    ("unisender_go", unisender("hard_bounced", "err_unsubscribed"), UNSUBSCRIBED),
    ("unisender_go", unisender("subscribed", ""), None),
]


@pytest.mark.parametrize(("provider", "event", "expected"), MEANINGS)
def test_d1_d7_what_happened_and_whose_fault_it_is(
    provider: str, event: dict[str, Any], expected: tuple[Kind, Fault] | None
) -> None:
    reading = dialect(provider)(event, TO)
    facts = None if reading is None else facts_of(reading)
    assert (None if facts is None else (facts.kind, facts.fault)) == expected


@pytest.mark.parametrize(
    ("reply", "status", "code", "fault"),
    [
        ("550 5.1.1 <ala@readers.example>: unknown", "5.1.1", 550, Fault.READER),
        ("550 no such user here", "", 550, Fault.READER),
        ("smtp; 550-5.7.26 unauthenticated", "5.7.26", 550, Fault.SENDER),
        ("550 5.1.8 sender rejected", "5.1.8", 550, Fault.SENDER),
        ("550 5.4.5 daily quota exceeded", "5.4.5", 550, Fault.SENDER),
        ("554 5.7.1 this looks like spam", "5.7.1", 554, Fault.MESSAGE),
        ("552 5.3.4 too big", "5.3.4", 552, Fault.MESSAGE),
        ("554 rejected, 192.5.1.1 is listed by Spamhaus", "", 554, Fault.SENDER),
        ("550 5.2.1 disabled", "5.2.1", 550, Fault.READER),
        ("550 5.4.4 no such domain", "5.4.4", 550, Fault.READER),
    ],
)
def test_d7_a_reply_decides_whose_fault_it_is(
    reply: str, status: str, code: int, fault: Fault
) -> None:
    assert facts_of(Reading(Happened.HARD, reply=reply)) == Facts(Kind.BOUNCED, code, status, fault)


def test_g1_no_fact_contains_a_word_of_the_reply() -> None:
    facts = facts_of(Reading(Happened.HARD, reply=f"550 5.1.1 <{TO}> unknown"))
    assert TO not in repr(facts)
