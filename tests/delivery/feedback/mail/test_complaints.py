"""Complaints (ARF) count only if the email that they return is ours (D3, D6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.delivery.feedback.mail.bounce_mail import Nature, parse
from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault
from subscribers.links import reader_urls
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.mail import samples

TRACE = MessageTrace(MAILING, 7, 42)


@pytest.mark.parametrize(
    "sample", [samples.complaint, samples.comcast_complaint, samples.hotmail_complaint]
)
def test_a_report_of_spam_is_a_complaint(sample: Callable[[str], bytes]) -> None:
    """D3: Yahoo and mail.ru return the email, Comcast its header; Microsoft has its own form."""
    (finding,) = parse(sample(delivery_id(TRACE))).findings
    assert finding.identity.trace == TRACE
    assert (finding.refusal.kind, finding.refusal.fault) == (Event.Kind.COMPLAINED, Fault.READER)


@pytest.mark.parametrize(
    ("feedback_type", "kind"),
    [
        ("abuse", Event.Kind.COMPLAINED),
        ("Fraud", Event.Kind.COMPLAINED),
        ("opt-out", Event.Kind.UNSUBSCRIBED),
    ],
)
def test_what_a_report_is_about(feedback_type: str, kind: Event.Kind) -> None:
    (finding,) = parse(samples.complaint(delivery_id(TRACE), feedback_type)).findings
    assert finding.refusal.kind == kind


@pytest.mark.parametrize("feedback_type", ["not-spam", "auth-failure", "virus", "other", "dkim"])
def test_what_nobody_complained_about_changes_nothing(feedback_type: str) -> None:
    """D3: not-spam lifts no suppression either."""
    mail = parse(samples.complaint(delivery_id(TRACE), feedback_type))
    assert (mail.nature, mail.findings) == (Nature.NOTICE, ())


def test_the_return_path_of_the_report_proves_nothing() -> None:
    """The email that it returns has to be ours; who got the report doesn't matter."""
    raw = samples.complaint(
        "", returned="Subject: somebody else's\nMessage-ID: <1@other.example>\n"
    )
    mail = parse(raw, recipient=f"bounce+{delivery_id(TRACE)}@bounces.news.example")
    assert (mail.nature, mail.findings) == (Nature.UNIDENTIFIED, ())


def test_the_unsubscribe_link_identifies_the_reader_if_the_message_id_is_gone() -> None:
    url = reader_urls.one_click_urls()(42)
    raw = samples.complaint("", returned=f"Subject: x\nList-Unsubscribe:\n <{url}>\n")
    (finding,) = parse(raw).findings
    assert finding.identity.subscription_id == 42
    assert finding.refusal.kind == Event.Kind.COMPLAINED


def test_a_forged_unsubscribe_link_identifies_nobody() -> None:
    token = "A" * 36
    url = reader_urls.one_click_urls()(42)
    url = url.replace(url.rstrip("/").rpartition("/")[2], token)
    raw = samples.complaint("", returned=f"Subject: x\nList-Unsubscribe: <{url}>\n")
    assert parse(raw).nature == Nature.FORGED
