"""The snapshot decides what is sent and to whom (E6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from newsletter.delivery.models import Batch, Edition, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.oversight.audit import audit
from newsletter.delivery.oversight.report import report
from newsletter.delivery.planning import snapshot, start
from newsletter.delivery.sending.batches import unpack
from newsletter.editorial.models import Article, Issue, Topic
from newsletter.lib import sandbox
from newsletter.local import message_view
from newsletter.transport.memory import MemoryTransport
from newsletter.transport.outcomes import Result
from subscribers import lifecycle
from subscribers.models import Subscription
from tests.delivery.conftest import AddReader, prepare_mailing, send_all_due

Write = Callable[..., Article]


def test_readers_with_the_same_options_share_an_edition(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Write
) -> None:
    write_article(issue=issue, en="Army", be="Войска", ru="Армия")
    for number in range(6):
        add_reader(f"en{number}@readers.example", "en")
        add_reader(f"be{number}@readers.example", "be", "ru")
    mailing = prepare_mailing(issue)
    assert mailing.readers == 12
    assert mailing.editions.count() == 2
    assert ReleaseRecipient.objects.filter(release_id=mailing.release_id).count() == 12
    assert sorted(Batch.objects.values_list("size", flat=True)) == [6, 6]


def test_batches_have_at_most_the_configured_size(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Write, settings: Any
) -> None:
    settings.SEND_BATCH_SIZE = 4
    write_article(issue=issue, en="Army")
    pks = [add_reader(f"r{number}@readers.example", "en").subscriber_id for number in range(10)]
    prepare_mailing(issue)
    batches = Batch.objects.order_by("pk")
    assert [batch.size for batch in batches] == [4, 4, 2]
    assert [reader for batch in batches for reader in unpack(batch.reader_ids)] == pks


def test_the_language_chain_decides_article_by_article(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Write
) -> None:
    write_article(issue=issue, en="Army in English", be="Войска па-беларуску")
    write_article(issue=issue, en="Guarantees", ru="Гарантии по-русски")
    write_article(issue=issue, en="Only in English")
    add_reader("ala@readers.example", "be", "ru")
    prepare_mailing(issue)
    send_all_due()
    [message] = relay.to("ala@readers.example")
    text = message_view.plain_text(message.parsed)
    assert "Войска па-беларуску" in text
    assert "Гарантии по-русски" in text
    assert "Army in English" not in text
    assert "Only in English" in text


def test_a_reader_with_nothing_to_read_is_skipped(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Write
) -> None:
    write_article(issue=issue, en="Only in English")
    add_reader("ala@readers.example", "be")
    mailing = prepare_mailing(issue)
    assert mailing.state == Mailing.State.FINISHED
    assert relay.delivered == []
    assert [row.result for row in Outcome.objects.all()] == [Result.SKIPPED]
    assert audit(mailing.pk)[0].faults == []


def test_readers_only_get_their_topics(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Write,
    security: Topic,
    weekly: Any,
) -> None:
    other = Topic.objects.create(newsletter=weekly, slug="west")
    write_article(issue=issue, topic=security, en="Army")
    write_article(issue=issue, topic=other, en="Talks")
    add_reader("ala@readers.example", "en", topics={other.pk})
    prepare_mailing(issue)
    send_all_due()
    text = message_view.plain_text(relay.to("ala@readers.example")[0].parsed)
    assert "Talks" in text
    assert "Army" not in text


def test_pending_unsubscribed_and_paused_readers_are_left_out(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Write
) -> None:
    write_article(issue=issue, en="Army")
    add_reader("in@readers.example", "en")
    add_reader("pending@readers.example", "en", state=Subscription.State.PENDING)
    lifecycle.unsubscribe(add_reader("left@readers.example", "en").pk)
    add_reader("later@readers.example", "en", paused_until="2099-01-01")
    add_reader("back@readers.example", "en", paused_until="2020-01-01")
    prepare_mailing(issue)
    send_all_due()
    assert [message.address for message in relay.delivered] == [
        "in@readers.example",
        "back@readers.example",
    ]


def test_sending_an_issue_twice_sends_it_once(
    prepared_mailing: Mailing, issue: Issue, relay: MemoryTransport
) -> None:
    send_all_due()
    again = start.send_now(issue, by=None)
    assert again.pk == prepared_mailing.pk
    snapshot.prepare(again.pk)
    send_all_due()
    assert len(relay.delivered) == 10


def test_an_issue_that_is_not_approved_is_not_sent(issue: Issue) -> None:
    with pytest.raises(start.CannotSendError):
        start.send_now(issue, by=None)
    assert not Release.objects.exists()


def test_an_article_edited_after_the_snapshot_is_sent_unchanged(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    """E6."""
    from newsletter.editorial.models import ArticleTranslation

    ArticleTranslation.objects.update(headline="Changed afterwards")
    send_all_due()
    assert all(b"Minsk looks east" in message.message for message in relay.delivered)
    assert not any(b"Changed afterwards" in message.message for message in relay.delivered)


@pytest.mark.usefixtures("relay")
def test_a_mailing_that_cannot_be_rendered_is_held(
    add_reader: AddReader, issue: Issue, write_article: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_article(issue=issue, en="Army")
    add_reader("ala@readers.example", "en")

    def end(*args: object, **kwargs: object) -> None:
        raise sandbox.SandboxEndedError("render: EOFError")

    with monkeypatch.context() as broken:
        broken.setattr(sandbox, "run", end)
        mailing = prepare_mailing(issue)
    assert (mailing.state, mailing.hold) == (Mailing.State.HELD, Mailing.Hold.UNRENDERABLE)
    assert mailing.hold_detail == "The process that renders emails ended: render: EOFError"
    assert prepare_mailing(issue).state == Mailing.State.SENDING


def test_a_mailing_that_cannot_be_compiled_is_held(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Write, weekly: Any
) -> None:
    """A2: CR and LF in a subject are refused. Nobody gets anything, and the desk shows why."""
    article = write_article(issue=issue, en="Army")
    article.translations.update(headline="Army\r\nBcc: all@readers.example")
    add_reader("ala@readers.example", "en")
    mailing = prepare_mailing(issue)
    assert mailing.state == Mailing.State.HELD
    assert mailing.hold == Mailing.Hold.UNRENDERABLE
    assert mailing.hold_detail
    assert not ReleaseRecipient.objects.exists()
    article.translations.update(headline="Army")
    prepare_mailing(issue)
    send_all_due()
    assert len(relay.delivered) == 1


def test_a_new_segment_during_rendering_starts_it_over(
    relay: MemoryTransport,
    add_reader: AddReader,
    issue: Issue,
    write_article: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_article(issue=issue, en="Army", be="Войска")
    add_reader("first@readers.example", "en")
    drafts = []
    draft = snapshot._draft

    def draft_and_add_reader(mailing: Mailing, at: Any) -> Any:
        drafts.append(draft(mailing, at))
        if len(drafts) == 1:
            add_reader("late@readers.example", "be")
        return drafts[-1]

    monkeypatch.setattr(snapshot, "_draft", draft_and_add_reader)
    mailing = prepare_mailing(issue)
    assert len(drafts) == 2
    assert mailing.readers == 2
    assert Edition.objects.count() == 2


def test_the_report_adds_up_before_and_after_sending(
    prepared_mailing: Mailing, relay: MemoryTransport
) -> None:
    before = report(prepared_mailing)
    assert (before.readers, before.waiting, before.done_percent) == (10, 10, 0)
    send_all_due()
    after = report(prepared_mailing)
    assert (after.sent, after.waiting, after.done_percent) == (10, 0, 100)


@pytest.mark.parametrize("damage", ["outcome lost", "reach lost", "stranger", "checksum"])
def test_audit_finds_what_is_wrong(
    prepared_mailing: Mailing, relay: MemoryTransport, damage: str
) -> None:
    send_all_due()
    assert audit(prepared_mailing.pk)[0].faults == []
    first = Outcome.objects.order_by("subscriber_id")[0]
    match damage:
        case "outcome lost":
            Outcome.objects.filter(subscriber_id=first.subscriber_id).delete()
        case "reach lost":
            ReleaseRecipient.objects.filter(subscriber_id=first.subscriber_id).delete()
        case "stranger":
            Outcome.objects.create(
                mailing_id=prepared_mailing.pk, subscriber_id=10**9, result=1, source="sender"
            )
        case "checksum":
            Mailing.objects.update(checksum=1)
    assert audit(prepared_mailing.pk)[0].faults


def test_a_snapshot_marks_the_revisions_that_are_sent(
    relay: MemoryTransport, add_reader: AddReader, issue: Issue, write_article: Write
) -> None:
    article = write_article(issue=issue, en="Army", be="Войска", ru="Армия")
    text = article.translations.get(language="be")
    text.lead = "Апошняе слова."
    text.save()
    add_reader("ala@readers.example", "be", "ru")
    prepare_mailing(issue)
    sent = article.revisions.filter(kind="sent")
    assert list(sent.values_list("language", "number")) == [("be", 2)]
