"""An approval covers what was approved and nothing else, whoever changes what (I2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.models import Mailing
from newsletter.delivery.oversight import alert_texts, alerts
from newsletter.delivery.planning import snapshot, start
from newsletter.desk.article_page import text_url
from newsletter.editorial import approval, ordering, workflow
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    Newsroom,
    Picture,
    Topic,
    User,
)
from newsletter.editorial.schedule import monday_of
from tests.conftest import WriteArticle
from tests.desk.forms import facts_data, form_data, text_data, with_token
from tests.desk.test_issue_order import url
from tests.editorial.test_content import draw_picture

pytestmark = pytest.mark.django_db


@dataclass
class Desk:
    """An approved issue of this week, and somebody who is signed in."""

    issue: Issue
    first: Article
    draft: Article
    spare: Article
    topic: Topic
    picture: Picture
    client: Client

    def page(self, **values: object) -> None:
        """Save the issue's page with these values."""
        self.client.post(url(self.issue), form_data(self.client, url(self.issue)) | values)

    def text(self, article: Article, **values: str) -> None:
        data = text_data(self.client, article, "en") | values
        assert self.client.post(text_url(article, "en"), data).status_code == 302

    def facts(self, **values: object) -> None:
        address = reverse("admin:editorial_article_change", args=[self.first.pk])
        data = facts_data(self.client, address) | values
        assert self.client.post(address, data).status_code == 302

    def row(self, row: object, name: str, **values: object) -> None:
        """Save another page of the desk with these values."""
        address = reverse(f"admin:editorial_{name}_change", args=[row.pk])  # type: ignore[attr-defined]
        data = form_data(self.client, address) | values
        assert self.client.post(address, data).status_code == 302


def _person(*, may_send: bool) -> User:
    user = User.objects.create_user("ina", is_staff=True)
    codes = Permission.objects.filter(content_type__app_label="editorial")
    user.user_permissions.add(*codes.exclude(codename="send_issue"))
    if may_send:
        user.user_permissions.add(codes.get(codename="send_issue"))
    return user


@pytest.fixture(params=[False, True], ids=["may not send", "may send"])
def desk(
    request: pytest.FixtureRequest, weekly: Newsletter, write_article: WriteArticle, editor: User
) -> Desk:
    monday = monday_of(timezone.localdate())
    issue = Issue.objects.create(
        newsletter=weekly, starts_on=monday, ends_on=monday + timedelta(days=6)
    )
    topic = Topic.objects.create(newsletter=weekly, slug="water")
    topic.translations.create(language="en", name="Water")
    picture = Picture.objects.create(file=draw_picture(), kind="photo", credit="A. B.")
    first = write_article(issue=issue, topic=topic, en="Low water")
    Article.objects.filter(pk=first.pk).update(picture=picture)
    write_article(issue=issue, en="High prices")
    draft = write_article(issue=issue, en="In the works", state="draft")
    spare = write_article(en="Left over")
    ordering.append(issue, ordering.order_of(issue))
    issue.refresh_from_db()
    workflow.approve(issue, by=editor)
    client = Client()
    client.force_login(_person(may_send=request.param))
    first.refresh_from_db()
    return Desk(issue, first, draft, spare, topic, picture, client)


CHANGES: dict[str, Callable[[Desk], object]] = {
    "subject": lambda desk: desk.page(subject_en="Another subject"),
    "introduction": lambda desk: desk.page(introduction_en="<p>Hello</p>"),
    "trend": lambda desk: desk.page(**{f"trend_{desk.topic.pk}": "worsened"}),
    "order": lambda desk: desk.page(action=f"down:{desk.first.pk}"),
    "article taken out": lambda desk: desk.page(action=f"out:{desk.first.pk}"),
    "article added": lambda desk: desk.client.post(
        url(desk.issue, "add_article"), {"article": desk.spare.pk}
    ),
    "article deleted": lambda desk: desk.client.post(
        reverse("admin:editorial_article_delete", args=[desk.first.pk]), {"post": "yes"}
    ),
    "headline": lambda desk: desk.text(desk.first, headline="Lower water"),
    "body": lambda desk: desk.text(desk.first, body="<p>Other words.</p>"),
    "alt text": lambda desk: desk.text(desk.first, alt_text="A ferry"),
    "authors": lambda desk: desk.text(desk.first, authors="Ina"),
    "text made ready": lambda desk: desk.text(desk.draft, state="ready"),
    "text made unready": lambda desk: desk.text(desk.first, state="draft"),
    "topic of an article": lambda desk: desk.facts(topic=""),
    "picture of an article": lambda desk: desk.facts(picture=""),
    "time of publication": lambda desk: desk.facts(published_at_0="2017-01-01"),
    "credit of the picture": lambda desk: desk.row(desk.picture, "picture", credit="C. D."),
    "name of a topic": lambda desk: desk.row(
        desk.topic, "topic", **{"translations-0-name": "Rivers"}
    ),
    "sender of the newsletter": lambda desk: desk.row(
        desk.issue.newsletter, "newsletter", sender_address="other@news.example.org"
    ),
    "postal address": lambda desk: desk.row(
        Newsroom.objects.get(), "newsroom", postal_address="Brussels"
    ),
}
NO_CHANGES: dict[str, Callable[[Desk], object]] = {
    "internal note": lambda desk: desk.page(note="Call the printer"),
    "the same words again": lambda desk: desk.text(desk.first),
    "a draft's words": lambda desk: desk.text(desk.draft, lead="More"),
    "an article of no issue": lambda desk: desk.text(desk.spare, headline="Still left over"),
}


def may_send(desk: Desk) -> bool:
    return User.objects.get(username="ina").has_perm("editorial.send_issue")


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_withdraws_the_approval_or_is_covered_by_it(what: str, desk: Desk) -> None:
    before = approval.current_digest(desk.issue)
    CHANGES[what](desk)
    issue = Issue.objects.get(pk=desk.issue.pk)
    assert approval.current_digest(issue) != before, "the change was made"
    assert issue.is_approved == may_send(desk)
    if issue.is_approved:
        assert approval.holds(issue)
    else:
        assert (issue.approved_by, issue.approved_digest) == (None, "")
        with pytest.raises(start.CannotSendError, match="not approved"):
            start.send_now(issue, by=None)


@pytest.mark.parametrize("what", NO_CHANGES)
def test_what_changes_no_email_changes_no_approval(what: str, desk: Desk) -> None:
    NO_CHANGES[what](desk)
    issue = Issue.objects.get(pk=desk.issue.pk)
    assert approval.holds(issue)
    assert issue.approved_digest == desk.issue.approved_digest


def test_the_person_who_withdrew_an_approval_is_told_and_the_log_says_why(desk: Desk) -> None:
    desk.page(subject_en="Another subject")
    page = desk.client.get(url(desk.issue)).content.decode()
    log = desk.client.get(reverse("admin:editorial_issue_history", args=[desk.issue.pk]))
    if may_send(desk):
        assert "Changed after the approval, which covers the change." in log.content.decode()
    else:
        assert "The approval was withdrawn, because the issue has changed." in page
        assert "Approval withdrawn. The issue has changed." in log.content.decode()


def test_the_approver_is_told_who_changed_what_until_it_is_approved_again(desk: Desk) -> None:
    desk.text(desk.first, headline="Lower water")
    alerts.watch()
    raised = [alert_texts.describe(alert) for alert in alerts.open_alerts()]
    if may_send(desk):
        assert raised == []
        return
    [text] = raised
    assert text.title == f"The approval of {desk.issue} was withdrawn."
    assert text.details[0] == "ina changed the issue after it had been approved."
    assert text.url == url(desk.issue)
    workflow.approve(Issue.objects.get(pk=desk.issue.pk), by=None)
    alerts.watch()
    assert not alerts.open_alerts()


def test_a_change_outside_the_desk_is_never_blamed_on_or_covered_by_the_next_person(
    desk: Desk,
) -> None:
    ArticleTranslation.objects.filter(article=desk.first).update(headline="From a script")
    desk.page(note="Nothing to do with it")
    assert not Issue.objects.get(pk=desk.issue.pk).is_approved


def test_a_change_outside_the_desk_is_not_sent(desk: Desk, weekly: Newsletter) -> None:
    mailing = start.send_now(desk.issue, by=None)
    ArticleTranslation.objects.filter(article=desk.first).update(headline="From a script")
    held = snapshot.prepare(mailing.pk)
    assert (held.state, held.hold) == (Mailing.State.HELD, Mailing.Hold.CHANGED)
    assert not held.editions.exists()
    with pytest.raises(start.CannotSendError, match="changed since it was approved"):
        start.send_now(desk.issue, by=None)
    workflow.approve(Issue.objects.get(pk=desk.issue.pk), by=None)
    again = start.send_now(Issue.objects.get(pk=desk.issue.pk), by=None)
    assert snapshot.prepare(again.pk).state != Mailing.State.HELD


def test_a_change_while_the_snapshot_is_taken_is_not_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between rendering and the transaction: the content is compared a second time in there."""
    mailing = start.send_now(desk.issue, by=None)
    take = snapshot._take_snapshot

    def change_first(*args: object) -> list[int]:
        ArticleTranslation.objects.filter(article=desk.first).update(headline="In between")
        return take(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(snapshot, "_take_snapshot", change_first)
    held = snapshot.prepare(mailing.pk)
    assert (held.state, held.hold) == (Mailing.State.HELD, Mailing.Hold.CHANGED)


def test_a_sent_issue_keeps_its_approval_and_its_page_on_the_site(desk: Desk) -> None:
    """A correction after sending must not take the issue off the site."""
    snapshot.prepare(start.send_now(desk.issue, by=None).pk)
    desk.text(desk.first, headline="Lower water")
    assert Issue.objects.get(pk=desk.issue.pk).is_approved


# --- Another person approves ---------------------------------------------------------------------
@pytest.fixture
def by_two(desk: Desk) -> Desk:
    """The newsletter wants somebody else to approve than who wrote."""
    desk.text(desk.first, headline="Lower water")
    Newsletter.objects.update(approval=Newsletter.Approval.OTHER)
    workflow.withdraw_approval(desk.issue)
    return desk


@pytest.mark.parametrize("desk", [True], indirect=True, ids=["may send"])
def test_nobody_approves_or_sends_their_own_text_where_another_person_has_to(
    by_two: Desk, editor: User
) -> None:
    answer = by_two.client.post(
        url(by_two.issue, "approve"), with_token(by_two.client, url(by_two.issue)), follow=True
    )
    assert "because you wrote “Lower water”" in answer.content.decode()
    send = f"{url(by_two.issue, 'send')}?who=&when=now"
    by_two.client.post(send, with_token(by_two.client, send))
    by_two.issue.refresh_from_db()
    assert not by_two.issue.is_approved
    assert not Mailing.objects.exists()
    workflow.approve(by_two.issue, by=editor)
    assert by_two.issue.is_approved


@pytest.mark.parametrize("desk", [True], indirect=True, ids=["may send"])
def test_a_later_change_by_its_approver_needs_the_other_person_again(
    by_two: Desk, editor: User
) -> None:
    workflow.approve(by_two.issue, by=editor)
    by_two.text(by_two.first, lead="Other words.")
    by_two.issue.refresh_from_db()
    assert not by_two.issue.is_approved


def test_making_a_text_ready_is_not_writing_it(by_two: Desk, editor: User) -> None:
    text = by_two.first.translations.get(language="en")
    text.state = "draft"
    text.save(by=editor)
    text.state = "ready"
    text.save(by=editor)
    workflow.approve(by_two.issue, by=editor)
    assert by_two.issue.is_approved


def test_a_command_does_not_stand_in_for_the_other_person(by_two: Desk) -> None:
    with pytest.raises(workflow.OwnTextError):
        workflow.approve(Issue.objects.get(pk=by_two.issue.pk), by=None)
