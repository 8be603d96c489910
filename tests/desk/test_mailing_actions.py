"""What editors do with a send-out that has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from newsletter.delivery.models import Edition, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.sending.packing import checksum
from newsletter.editorial.models import Article, Issue
from newsletter.transport.outcomes import Result


@pytest.fixture
def ended(issue: Issue, write_article: Callable[..., Article], relay: Any) -> Mailing:
    """A send-out to two readers: one refused, one unknown."""
    write_article(issue=issue, en="Army")
    Issue.objects.update(state=Issue.State.APPROVED)
    release = Release.objects.create(
        newsletter=issue.newsletter, period=issue.key, issue=issue, kind=Release.Kind.WEEKLY
    )
    mailing = Mailing.objects.create(
        release=release, state=Mailing.State.FINISHED, readers=2, checksum=checksum([1, 2])
    )
    for reader, result in [(1, Result.REFUSED), (2, Result.UNKNOWN)]:
        ReleaseRecipient.objects.create(
            release_id=release.pk, mailing_id=mailing.pk, subscriber_id=reader
        )
        Outcome.objects.create(
            mailing_id=mailing.pk, subscriber_id=reader, result=result, source="sender"
        )
    return mailing


@pytest.fixture
def relay(settings: Any) -> None:
    settings.DELIVERY_TRANSPORTS = ["memory://desk"]


def url(mailing: Mailing, action: str) -> str:
    return f"/admin/delivery/mailing/{mailing.pk}/{action}/"


@pytest.mark.parametrize("action", ["unreached", "again", "leave"])
def test_looking_changes_nothing(as_editor: Client, ended: Mailing, action: str) -> None:
    answer = as_editor.get(url(ended, action))
    assert answer.status_code == 200
    assert Mailing.objects.count() == 1
    assert Outcome.objects.filter(result=Result.UNKNOWN).count() == 1


@pytest.mark.parametrize(
    ("action", "audience"),
    [("unreached", Mailing.Audience.UNREACHED), ("again", Mailing.Audience.IN_DOUBT)],
)
def test_another_mailing_begins(
    as_editor: Client, ended: Mailing, action: str, audience: Mailing.Audience
) -> None:
    answer = as_editor.post(url(ended, action))
    made = Mailing.objects.get(audience=audience)
    assert made.number == 1
    assert answer["Location"].endswith(f"/delivery/mailing/{made.pk}/change/")


def test_asked_twice_begins_once(as_editor: Client, ended: Mailing) -> None:
    for _ in range(2):
        as_editor.post(url(ended, "unreached"), follow=True)
    assert Mailing.objects.exclude(pk=ended.pk).count() == 1


def test_the_unknown_can_be_left(as_editor: Client, ended: Mailing) -> None:
    as_editor.post(url(ended, "leave"))
    assert not Outcome.objects.filter(result=Result.UNKNOWN).exists()
    answer = as_editor.post(url(ended, "leave"), follow=True)
    assert "Nothing to do" in answer.content.decode()


@pytest.mark.parametrize("action", ["unreached", "again", "leave", "pause"])
def test_a_translator_can_do_none_of_it(as_translator: Client, ended: Mailing, action: str) -> None:
    assert as_translator.post(url(ended, action)).status_code in {302, 403}
    assert Mailing.objects.count() == 1
    assert Outcome.objects.filter(result=Result.UNKNOWN).exists()


def test_one_language_can_go_first(as_editor: Client, ended: Mailing, issue: Issue) -> None:
    Mailing.objects.all().delete()
    page = as_editor.get(f"/admin/editorial/issue/{issue.pk}/send/").content.decode()
    assert 'name="first_language" value="be"' in page
    as_editor.post(f"/admin/editorial/issue/{issue.pk}/send/", {"first_language": "be"})
    made = Mailing.objects.get()
    assert (made.audience, made.language) == (Mailing.Audience.FIRST_LANGUAGE, "be")
    assert not Edition.objects.exists()


def test_a_language_that_the_newsletter_lost_does_not_send_to_everybody(
    as_editor: Client, ended: Mailing, issue: Issue
) -> None:
    Mailing.objects.all().delete()
    answer = as_editor.post(
        f"/admin/editorial/issue/{issue.pk}/send/", {"first_language": "ka"}, follow=True
    )
    assert "does not come in this language" in answer.content.decode()
    assert not Mailing.objects.exists()


def test_the_page_says_to_whom_it_goes(as_editor: Client, ended: Mailing) -> None:
    Mailing.objects.filter(pk=ended.pk).update(
        audience=Mailing.Audience.FIRST_LANGUAGE, language="be"
    )
    for page in (f"/admin/delivery/mailing/{ended.pk}/change/", "/admin/delivery/mailing/"):
        assert "(Belarusian first)" in as_editor.get(page).content.decode()
