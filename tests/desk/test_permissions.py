"""Permissions at the desk, and that viewing changes nothing (P5)."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Edition, Mailing, Release
from newsletter.editorial.models import Issue, Newsletter
from subscribers.models import UnsubscribeReason
from tests.conftest import WriteArticle

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(issue: Issue, write_article: WriteArticle) -> Issue:
    write_article(issue=issue, en="Headline", be="Загаловак")
    return issue


@pytest.fixture
def mailing(ready: Issue) -> Mailing:
    release = Release.objects.create(newsletter=ready.newsletter, period=ready.key, issue=ready)
    mailing = Mailing.objects.create(release=release, state="sending", readers=0)
    Edition.objects.create(
        mailing=mailing,
        key="k",
        public_id="p",
        language="be",
        label="be · lead",
        subject="Тэма",
        preheader="Перад",
        html="<p>Як выслана</p><script>x</script>",
        text="Тэкст",
        headers={},
    )
    return mailing


def issue_urls(issue: Issue) -> dict[str, str]:
    names = ("preview", "preview_frame", "approve", "withdraw", "send", "order", "add_article")
    names_of_holds = ("hold", "release")
    return {
        name: reverse(f"admin:editorial_issue_{name}", args=[issue.pk])
        for name in (*names, *names_of_holds)
    }


def mailing_urls(mailing: Mailing) -> dict[str, str]:
    edition = mailing.editions.get()
    urls = {
        name: reverse("admin:delivery_mailing_act", args=[mailing.pk, name])
        for name in ("pause", "resume", "cancel")
    }
    urls["show"] = reverse("admin:delivery_mailing_change", args=[mailing.pk])
    for name in ("edition", "edition_frame"):
        urls[name] = reverse(f"admin:delivery_mailing_{name}", args=[mailing.pk, edition.pk])
    return urls


def test_an_outsider_is_asked_to_sign_in(ready: Issue, mailing: Mailing, client: Client) -> None:
    for url in [*issue_urls(ready).values(), *mailing_urls(mailing).values()]:
        for answer in (client.get(url), client.post(url)):
            assert answer.status_code == 302
            assert "/admin/login/" in answer["Location"]


@pytest.mark.parametrize(
    "action", ["approve", "withdraw", "send", "order", "add_article", "hold", "release"]
)
def test_a_translator_can_neither_send_nor_reorder(
    ready: Issue, as_translator: Client, action: str
) -> None:
    assert as_translator.post(issue_urls(ready)[action]).status_code == 403
    ready.refresh_from_db()
    assert ready.state == Issue.State.DRAFT
    assert not Mailing.objects.exists()


@pytest.mark.parametrize("action", ["show", "pause", "resume", "cancel", "edition"])
def test_a_translator_can_neither_see_nor_change_a_mailing(
    mailing: Mailing, as_translator: Client, action: str
) -> None:
    url = mailing_urls(mailing)[action]
    answer = as_translator.get(url) if action in {"show", "edition"} else as_translator.post(url)
    assert answer.status_code == 403
    mailing.refresh_from_db()
    assert mailing.state == "sending"


def test_a_translator_can_change_articles_but_not_issues(
    ready: Issue, as_translator: Client
) -> None:
    ready.articles.get().translations.update(state="review")
    article = reverse("admin:editorial_article_change", args=[ready.articles.get().pk])
    assert b'form="text"' in as_translator.get(article).content
    page = as_translator.get(reverse("admin:editorial_issue_change", args=[ready.pk]))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert as_translator.get(issue_urls(ready)["preview"]).status_code == 200


def test_an_editor_sees_why_readers_left(weekly: Newsletter, as_editor: Client) -> None:
    UnsubscribeReason.objects.create(newsletter=weekly, year=2017, reason="too-much", readers=12)
    page = as_editor.get(reverse("admin:subscribers_unsubscribereason_changelist"))
    assert page.status_code == 200
    assert ">12<" in page.content.decode()


def test_viewing_changes_nothing(ready: Issue, mailing: Mailing, as_publisher: Client) -> None:
    before = (list(Issue.objects.values()), list(Mailing.objects.values()))
    urls = [reverse("admin:index"), *issue_urls(ready).values(), *mailing_urls(mailing).values()]
    for url in urls:
        assert as_publisher.get(url).status_code in {200, 302, 405}, url
        assert as_publisher.head(url).status_code in {200, 302, 405}, url
    assert (list(Issue.objects.values()), list(Mailing.objects.values())) == before
    assert not LogEntry.objects.exists()


def test_approving_by_get_is_refused(ready: Issue, as_publisher: Client) -> None:
    assert as_publisher.get(issue_urls(ready)["approve"]).status_code == 405


@pytest.mark.parametrize(
    ("action", "state"), [("pause", "paused"), ("cancel", "cancelled"), ("resume", "sending")]
)
def test_a_publisher_can_pause_and_cancel_a_mailing(
    mailing: Mailing, as_publisher: Client, action: str, state: str
) -> None:
    answer = as_publisher.post(mailing_urls(mailing)[action], follow=True)
    mailing.refresh_from_db()
    assert mailing.state == state
    message = "Nothing to do" if action == "resume" else "Done"
    assert message in answer.content.decode()


@pytest.mark.parametrize("end", ["x/change/", "99/change/", "1/explode/", "1/edition/99/"])
def test_an_unknown_mailing_or_action_is_not_found(as_publisher: Client, end: str) -> None:
    assert as_publisher.get(f"/admin/delivery/mailing/{end}").status_code == 404
