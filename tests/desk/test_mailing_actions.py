"""What editors can do with a finished mailing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from newsletter.delivery.models import Edition, Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.sending.batches import checksum
from newsletter.editorial.models import Article, Issue, Newsletter
from newsletter.transport.outcomes import Result
from tests.approving import approve_all
from tests.desk.forms import with_token


@pytest.fixture
def finished_mailing(issue: Issue, write_article: Callable[..., Article], relay: Any) -> Mailing:
    """A mailing to two readers: one refused, one unknown."""
    write_article(issue=issue, en="Army")
    approve_all()
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


@pytest.mark.parametrize("action", ["unreached", "resend-unknown", "mark-failed"])
def test_opening_the_confirmation_page_changes_nothing(
    as_publisher: Client, finished_mailing: Mailing, action: str
) -> None:
    answer = as_publisher.get(url(finished_mailing, action))
    assert answer.status_code == 200
    assert Mailing.objects.count() == 1
    assert Outcome.objects.filter(result=Result.UNKNOWN).count() == 1


@pytest.mark.parametrize(
    ("action", "audience"),
    [("unreached", Mailing.Audience.UNREACHED), ("resend-unknown", Mailing.Audience.IN_DOUBT)],
)
def test_an_action_starts_another_mailing(
    as_publisher: Client, finished_mailing: Mailing, action: str, audience: Mailing.Audience
) -> None:
    answer = as_publisher.post(url(finished_mailing, action))
    made = Mailing.objects.get(audience=audience)
    assert made.number == 1
    assert answer["Location"].endswith(f"/delivery/mailing/{made.pk}/change/")


def test_posting_twice_starts_one_mailing(as_publisher: Client, finished_mailing: Mailing) -> None:
    for _ in range(2):
        as_publisher.post(url(finished_mailing, "unreached"), follow=True)
    assert Mailing.objects.exclude(pk=finished_mailing.pk).count() == 1


def test_unknown_readers_can_be_marked_as_failed(
    as_publisher: Client, finished_mailing: Mailing
) -> None:
    as_publisher.post(url(finished_mailing, "mark-failed"))
    assert not Outcome.objects.filter(result=Result.UNKNOWN).exists()
    answer = as_publisher.post(url(finished_mailing, "mark-failed"), follow=True)
    assert "Nothing to do" in answer.content.decode()


@pytest.mark.parametrize("action", ["unreached", "resend-unknown", "mark-failed", "pause"])
def test_a_translator_can_take_no_action(
    as_translator: Client, finished_mailing: Mailing, action: str
) -> None:
    assert as_translator.post(url(finished_mailing, action)).status_code in {302, 403}
    assert Mailing.objects.count() == 1
    assert Outcome.objects.filter(result=Result.UNKNOWN).exists()


def test_an_issue_can_be_sent_to_one_language_first(
    as_publisher: Client, finished_mailing: Mailing, issue: Issue
) -> None:
    Mailing.objects.all().delete()
    url = f"/admin/editorial/issue/{issue.pk}/send/?who=be&when=now"
    as_publisher.post(url, with_token(as_publisher, url))
    made = Mailing.objects.get()
    assert (made.audience, made.language) == (Mailing.Audience.FIRST_LANGUAGE, "be")
    assert not Edition.objects.exists()


def test_a_removed_language_does_not_send_to_all_readers(
    as_publisher: Client, finished_mailing: Mailing, issue: Issue
) -> None:
    Mailing.objects.all().delete()
    url = f"/admin/editorial/issue/{issue.pk}/send/"
    data = with_token(as_publisher, f"{url}?who=be&when=now")
    answer = as_publisher.post(f"{url}?who=ka&when=now", data, follow=True)
    assert "isn’t available in this language" in answer.content.decode()
    assert not Mailing.objects.exists()


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Week in View, July 24 – July 30, 2017"),
        ("be", "24–30 ліпеня 2017"),
        ("ru", "24–30 июля 2017"),
    ],
)
def test_titles_write_dates_out_in_the_pages_language(
    as_publisher: Client, finished_mailing: Mailing, issue: Issue, language: str, title: str
) -> None:
    as_publisher.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    paths = [
        "/admin/",
        "/admin/delivery/mailing/",
        f"/admin/delivery/mailing/{finished_mailing.pk}/change/",
    ]
    for path in paths:
        assert title in as_publisher.get(path).content.decode(), path
    dates = title.removeprefix("Week in View, ")
    assert dates in as_publisher.get("/admin/editorial/issue/").content.decode()


def test_a_release_without_its_issue_names_its_period(weekly: Newsletter) -> None:
    """The issue may have been deleted; a monthly round-up never had one."""
    kinds = Release.Kind
    names = [
        str(Release(newsletter=weekly, kind=kind, period=period))
        for kind, period in [
            (kinds.WEEKLY, "2017-07-24"),
            (kinds.MONTHLY, "2017-07"),
            (kinds.SPECIAL, "elections"),
        ]
    ]
    assert names == [
        "Week in View, July 24 – July 30, 2017",
        "Week in View, July 2017 · monthly round-up",
        "Week in View, elections",
    ]


def test_the_mailing_page_and_list_name_the_audience(
    as_publisher: Client, finished_mailing: Mailing
) -> None:
    Mailing.objects.filter(pk=finished_mailing.pk).update(
        audience=Mailing.Audience.FIRST_LANGUAGE, language="be"
    )
    for page in (
        f"/admin/delivery/mailing/{finished_mailing.pk}/change/",
        "/admin/delivery/mailing/",
    ):
        assert "(Belarusian first)" in as_publisher.get(page).content.decode()
