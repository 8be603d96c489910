"""An issue with an error is sent on no route: I3."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from newsletter.delivery import tasks
from newsletter.delivery.models import Edition, Mailing
from newsletter.delivery.planning import dispatch, start
from newsletter.desk.access.roles import PUBLISHER
from newsletter.editorial.models import ArticleTranslation, Issue, Membership, Newsletter, User
from newsletter.transport.memory import MemoryTransport
from tests.approving import approve
from tests.conftest import WriteArticle
from tests.delivery.conftest import AddReader
from tests.delivery.planning.test_dispatch import DUE
from tests.delivery.planning.test_dispatch import scheduled as scheduled
from tests.desk.forms import with_token

pytestmark = pytest.mark.django_db
ERROR = "a placeholder is left: “TK”"


@pytest.fixture
def faulty(
    relay: MemoryTransport, scheduled: Newsletter, issue: Issue, add_reader: AddReader
) -> Issue:
    """An issue that somebody approved by other means than the desk, with an error in it."""
    add_reader("ala@readers.example", "en")
    ArticleTranslation.objects.update(lead="The figure is TK.")
    approve(issue)
    return issue


def held() -> str:
    mailing = Mailing.objects.get()
    assert (mailing.state, mailing.hold) == ("held", Mailing.Hold.UNRENDERABLE)
    assert not Edition.objects.exists()
    return mailing.hold_detail


def test_on_schedule_it_is_held_with_the_reason(faulty: Issue) -> None:
    dispatch.dispatch(DUE)
    dispatch.prepare_waiting()
    assert ERROR in held()


def test_by_a_task_that_somebody_queues_it_is_held(faulty: Issue) -> None:
    mailing = Mailing.objects.create(release=start.release_of(faulty))
    assert tasks.prepare(mailing.pk) == "held"
    assert ERROR in held()


def test_by_a_command_it_is_refused(faulty: Issue) -> None:
    with pytest.raises(CommandError, match="a placeholder is left"):
        call_command("send_issue", "weekly", "2017-07-24", stdout=StringIO())
    assert not Mailing.objects.exists()


def test_at_the_desk_it_can_be_neither_approved_nor_sent(faulty: Issue) -> None:
    Issue.objects.update(state="draft", approved_digest="")
    user = User.objects.create_user("adam", is_staff=True)
    Membership.objects.create(user=user, role=Group.objects.get(name=PUBLISHER))
    client = Client()
    client.force_login(user)
    page = reverse("admin:editorial_issue_change", args=[faulty.pk])
    for name in ("approve", "send"):
        url = reverse(f"admin:editorial_issue_{name}", args=[faulty.pk])
        answer = client.post(url, with_token(client, page), follow=True)
        assert ERROR in answer.content.decode()
    faulty.refresh_from_db()
    assert faulty.state == "draft"
    assert not Mailing.objects.exists()


def test_once_it_is_mended_it_goes_out(
    faulty: Issue, relay: MemoryTransport, write_article: WriteArticle
) -> None:
    ArticleTranslation.objects.update(lead="The figure is 12.")
    approve(faulty)
    mailing = Mailing.objects.create(release=start.release_of(faulty))
    assert tasks.prepare(mailing.pk) == "sending"
