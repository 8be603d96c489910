"""What is done with one email: feedback is recorded once, readers are unsubscribed (A7, D10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery.feedback.mail.bounce_mail import Nature
from newsletter.delivery.feedback.mail.inbound import handle_email, handle_sealed_mail
from newsletter.delivery.message_ids import MAILING, MessageTrace
from newsletter.delivery.models import Event
from newsletter.transport.outcomes import Fault
from subscribers import intake
from subscribers.crypto.sealing import Ciphertext, open_intake
from subscribers.links import reader_urls, tokens
from subscribers.links.tokens import LinkPurpose
from subscribers.links.unsubscribe_email import mailto_urls
from subscribers.models import Intake, Subscription
from tests.delivery.conftest import AddReader
from tests.delivery.feedback.conftest import delivery_id
from tests.delivery.feedback.mail import samples
from tests.delivery.feedback.mail.conftest import Recorder

TRACE = MessageTrace(MAILING, 7, 42)
NOW = datetime(2017, 8, 3, 12, 0, tzinfo=UTC)
State = Subscription.State


def test_a_bounce_becomes_feedback(recorder: Recorder) -> None:
    assert handle_email(samples.postfix(delivery_id(TRACE)), record=recorder, now=NOW) == "report"
    (feedback,) = recorder.feedback
    assert (feedback.source, feedback.kind, feedback.fault) == (
        "mail",
        Event.Kind.BOUNCED,
        Fault.READER,
    )
    assert (feedback.trace, feedback.code, feedback.status) == (TRACE, 550, "5.1.1")
    assert feedback.at == datetime(2017, 8, 1, 6, 30, tzinfo=UTC)
    assert len(feedback.key) == 32


def test_the_same_report_counts_once_however_it_arrives(recorder: Recorder) -> None:
    """D10: by two ways, in another format, or from a second server."""
    for sample in (samples.postfix, samples.postfix, samples.gmail, samples.qmail):
        handle_email(sample(delivery_id(TRACE)), record=recorder)
    assert len(recorder.feedback) == 1
    assert recorder.repeated == 3
    handle_email(samples.complaint(delivery_id(TRACE)), record=recorder)
    handle_email(samples.postfix(delivery_id(TRACE._replace(subscriber_id=43))), record=recorder)
    assert len(recorder.feedback) == 3


@pytest.mark.parametrize("days", [-40, 2])
def test_an_impossible_date_is_not_believed(recorder: Recorder, days: int) -> None:
    """A report from the future, or one that is older than a retry can take."""
    now = datetime(2017, 8, 1, 6, 30, tzinfo=UTC) - timedelta(days=days)
    handle_email(samples.postfix(delivery_id(TRACE)), record=recorder, now=now)
    assert recorder.feedback[0].at == now


def test_nothing_is_recorded_for_a_forged_report(recorder: Recorder) -> None:
    assert handle_email(samples.postfix("a" * 28), record=recorder) == Nature.FORGED
    assert recorder.feedback == []


@pytest.mark.django_db
def test_an_email_from_the_pipe_is_read_by_a_worker(recorder: Recorder) -> None:
    raw = samples.report(status=samples.block("5.1.1", "smtp; 550 5.1.1 unknown"), returned="")
    intake.receive_email(raw, recipient=f"bounce+{delivery_id(TRACE)}@bounces.news.example")
    item = Intake.objects.get()
    assert item.kind == Intake.Kind.MAIL
    handle_sealed_mail(
        open_intake(Ciphertext(item.sealing_key, bytes(item.sealed))), record=recorder
    )
    assert [each.trace for each in recorder.feedback] == [TRACE]


# --- Unsubscribing by email ---------------------------------------------------------------------
def email_to(address: str) -> bytes:
    return f"From: a@readers.example\nTo: <{address}>\nSubject: unsubscribe\n\n".encode()


def address_in(url: str) -> str:
    return url.removeprefix("mailto:").partition("?")[0]


def test_an_email_to_the_address_in_the_header_unsubscribes(
    add_reader: AddReader, recorder: Recorder
) -> None:
    """A7, and again without effect."""
    reader, other = add_reader("a@readers.example"), add_reader("b@readers.example")
    url = mailto_urls(domain="bounces.news.example")(reader.pk)
    assert url.endswith("@bounces.news.example?subject=unsubscribe")
    for _ in range(2):
        raw = email_to(address_in(url))
        assert handle_email(raw, record=recorder) == Nature.UNSUBSCRIPTION
    reader.refresh_from_db()
    other.refresh_from_db()
    assert (reader.state, other.state) == (State.UNSUBSCRIBED, State.ACTIVE)
    assert recorder.feedback == []


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_the_case_of_the_local_part_does_not_matter(
    add_reader: AddReader, recorder: Recorder, change: str
) -> None:
    """Postfix writes Delivered-To in lower case, and email programs may do what they like."""
    reader = add_reader("a@readers.example")
    address = address_in(mailto_urls(domain="bounces.news.example")(reader.pk))
    handle_email(b"Subject: x\n\n", record=recorder, recipient=change(address))  # type: ignore[operator]
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


def test_the_token_of_the_link_works_too(add_reader: AddReader, recorder: Recorder) -> None:
    reader = add_reader("a@readers.example")
    token = tokens.make(LinkPurpose.UNSUBSCRIBE, reader.pk)
    handle_email(email_to(f"unsub+{token}@news.example"), record=recorder)
    reader.refresh_from_db()
    assert reader.state == State.UNSUBSCRIBED


def test_the_local_part_fits_every_server() -> None:
    """RFC 5321, 4.5.3.1.1: at most 64 octets."""
    build = mailto_urls(domain="bounces.news.example")
    for subscription_id in (1, 2**63):
        local = address_in(build(subscription_id)).partition("@")[0]
        assert len(local) <= 64
        assert local == local.lower()


@pytest.mark.parametrize("purpose", [LinkPurpose.PREFERENCES, LinkPurpose.CONFIRM])
def test_a_token_for_something_else_unsubscribes_nobody(
    add_reader: AddReader, recorder: Recorder, purpose: LinkPurpose
) -> None:
    reader = add_reader("a@readers.example")
    for code in (tokens.make(purpose, reader.pk), "a" * 44, ""):
        raw = email_to(f"unsub+{code}@news.example")
        assert handle_email(raw, record=recorder) == Nature.FORGED
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_a_bounce_to_that_address_is_no_unsubscription(
    add_reader: AddReader, recorder: Recorder
) -> None:
    reader = add_reader("a@readers.example")
    raw = samples.report(
        to=address_in(mailto_urls(domain="news.example")(reader.pk)),
        status=samples.block("5.1.1", "smtp; 550 5.1.1 unknown"),
        returned="",
    )
    assert handle_email(raw, record=recorder) == Nature.UNIDENTIFIED
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_a_provider_can_report_that_a_reader_opted_out(recorder: Recorder) -> None:
    """D6: the opt-out of an ARF report; recording it unsubscribes the reader."""
    assert handle_email(samples.complaint(delivery_id(TRACE), "opt-out"), record=recorder)
    assert [(each.kind, each.trace) for each in recorder.feedback] == [
        (Event.Kind.UNSUBSCRIBED, TRACE)
    ]


def test_a_complaint_that_only_the_link_identifies_leads_to_the_reader(
    add_reader: AddReader, recorder: Recorder
) -> None:
    """D3: the mailing is unknown then (0)."""
    reader = add_reader("a@readers.example")
    url = reader_urls.one_click_urls()(reader.pk)
    raw = samples.complaint("", returned=f"Subject: x\nList-Unsubscribe: <{url}>\n")
    handle_email(raw, record=recorder)
    assert [each.trace for each in recorder.feedback] == [
        MessageTrace(MAILING, 0, reader.subscriber_id)
    ]
