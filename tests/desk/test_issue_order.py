"""The order of an issue's articles at the desk, and which articles are in it (I1, I2)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from newsletter.delivery.models import Mailing, Release
from newsletter.editorial import ordering, workflow
from newsletter.editorial.models import Article, Issue, Newsletter, Topic, User
from tests.conftest import WriteArticle
from tests.desk.forms import form_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(issue: Issue, write_article: WriteArticle) -> list[int]:
    return [write_article(issue=issue, en=name).pk for name in ("One", "Two", "Three")]


def url(issue: Issue, name: str = "change") -> str:
    return reverse(f"admin:editorial_issue_{name}", args=[issue.pk])


def save_order(
    client: Client, page: dict[str, Any], issue: Issue, wanted: list[int], moved: int = 0
) -> Any:
    """Post what the page's script posts."""
    data = {"order": ",".join(map(str, wanted)), "seen": page["seen"], "token": page["token"]}
    data["moved"] = str(moved)
    return client.post(url(issue, "order"), data)


def press(client: Client, issue: Issue, action: str, **edits: str) -> str:
    """Press a button of the issue's page, as without JavaScript; return the page that follows."""
    data = form_data(client, url(issue)) | edits | {"action": action}
    return client.post(url(issue), data, follow=True).content.decode()


def test_the_script_saves_an_order_and_gets_a_sentence_for_the_live_region(
    issue: Issue, three: list[int], as_editor: Client
) -> None:
    first, second, third = three
    page = form_data(as_editor, url(issue))
    answer = save_order(as_editor, page, issue, [second, first, third], first)
    assert answer.status_code == 200
    assert answer.json()["message"] == "“One” was moved to 2."
    assert answer.json()["token"] != page["token"]
    assert ordering.order_of(issue) == [second, first, third]
    assert "“One” was moved to 2." in as_editor.get(url(issue)).content.decode()


def test_an_older_page_doesnt_revert_the_order_and_says_what_changed(
    issue: Issue, three: list[int], as_editor: Client
) -> None:
    first, second, third = three
    old = form_data(as_editor, url(issue))
    save_order(as_editor, old, issue, [third, first, second])
    answer = save_order(as_editor, old, issue, [second, first, third])
    assert answer.status_code == 409
    assert "“Three” was moved to 1." in answer.json()["message"]
    assert "by alena" in answer.json()["message"]
    assert answer.json()["order"] == [third, first, second] == ordering.order_of(issue)


@pytest.mark.parametrize("order", ["", "1", "x,y", "9" * 30])
def test_a_malformed_order_changes_nothing(
    issue: Issue, three: list[int], as_editor: Client, order: str
) -> None:
    answer = as_editor.post(url(issue, "order"), {"order": order, "seen": order})
    assert answer.status_code == 409
    assert ordering.order_of(issue) == three


def test_without_a_script_the_buttons_move_and_save_the_edits_too(
    issue: Issue, three: list[int], as_editor: Client
) -> None:
    first, second, third = three
    page = press(as_editor, issue, f"down:{first}", subject_en="Typed before")
    assert "“One” was moved to 2." in page
    assert ordering.order_of(issue) == [second, first, third]
    assert issue.translations.get().subject == "Typed before"
    press(as_editor, issue, f"up:{third}")
    assert ordering.order_of(issue) == [second, third, first]
    page = press(as_editor, issue, f"up:{second}")
    assert "The order hasn’t changed." in page


def test_a_button_on_an_older_page_moves_nothing(
    issue: Issue, three: list[int], as_editor: Client
) -> None:
    first, second, third = three
    data = form_data(as_editor, url(issue)) | {"action": f"down:{first}"}
    ordering.arrange(issue, [third, second, first], seen=three)
    page = as_editor.post(url(issue), data, follow=True).content.decode()
    assert "the order is a newer one by now" in page
    assert ordering.order_of(issue) == [third, second, first]


def test_an_article_is_taken_out_and_stays_among_the_articles(
    issue: Issue, three: list[int], as_editor: Client
) -> None:
    page = press(as_editor, issue, f"out:{three[1]}")
    assert "“Two” is no longer in this issue" in page
    assert ordering.order_of(issue) == [three[0], three[2]]
    assert Article.objects.get(pk=three[1]).issue is None
    assert "no longer in the issue" in press(as_editor, issue, f"out:{three[1]}")


def test_an_existing_article_is_found_in_any_case_and_added_at_the_end(
    issue: Issue, three: list[int], write_article: WriteArticle, as_editor: Client
) -> None:
    article = write_article(en="Elections", be="Савет даліны")
    answer = as_editor.get(url(issue, "add_article"), {"q": "савет ДАЛІНЫ"})
    assert [row.article for row in answer.context["found"]] == [article]
    assert "1 article found" in answer.content.decode()
    assert as_editor.get(url(issue, "add_article"), {"q": "xyz"}).context["found"] == []
    page = as_editor.post(
        url(issue, "add_article"), {"article": article.pk, "q": "савет"}, follow=True
    ).content.decode()
    assert "Added: “Elections”." in page
    assert ordering.order_of(issue) == [*three, article.pk]


def test_only_articles_that_were_not_sent_can_be_added(
    weekly: Newsletter, issue: Issue, write_article: WriteArticle, as_editor: Client
) -> None:
    """An article of another issue moves; one of an issue that was sent or of another newsletter
    can't."""
    sent, open_issue = (
        Issue.objects.create(newsletter=weekly, starts_on=first, ends_on=last)
        for first, last in (("2017-07-10", "2017-07-16"), ("2017-07-31", "2017-08-06"))
    )
    release = Release.objects.create(newsletter=weekly, period="2017-07-10", issue=sent)
    Mailing.objects.create(release=release, state="preparing")
    gone, movable = write_article(issue=sent, en="Sent"), write_article(issue=open_issue, en="Open")
    foreign = write_article(en="Foreign")
    other = Newsletter.objects.create(slug="other", languages=["en"], sender_address="a@b.example")
    Article.objects.filter(pk=foreign.pk).update(newsletter=other)
    found = as_editor.get(url(issue, "add_article")).context["found"]
    assert [row.article for row in found] == [movable]
    for article in (gone, movable, foreign):
        as_editor.post(url(issue, "add_article"), {"article": article.pk})
    assert ordering.order_of(issue) == [movable.pk]
    assert ordering.order_of(open_issue) == []


def test_a_topic_without_an_article_has_a_place_and_last_weeks_trend(
    issue: Issue, security: Topic, write_article: WriteArticle, as_editor: Client
) -> None:
    economy = Topic.objects.create(newsletter=issue.newsletter, slug="economy", position=2)
    workflow.set_trend(security, issue.starts_on.replace(day=17), "worsened")
    write_article(issue=issue, topic=economy, en="Headline")
    answer = as_editor.get(url(issue))
    (place,) = answer.context["empty_places"]
    assert (place.topic, place.last.status) == (security, "worsened")
    data = form_data(as_editor, url(issue)) | {"action": f"write:{security.pk}"}
    new = as_editor.post(url(issue), data)["Location"]
    initial = as_editor.get(new).context["facts"].initial
    assert (int(initial["topic"]), int(initial["issue"])) == (security.pk, issue.pk)


def test_the_list_offers_the_next_week_with_its_dates(
    weekly: Newsletter, issue: Issue, as_editor: Client
) -> None:
    for page in ("/admin/editorial/issue/", "/admin/"):
        assert "starts_on=" in as_editor.get(page).content.decode(), page
    form = as_editor.get("/admin/editorial/issue/add/").context["adminform"].form
    assert (form.initial["ends_on"] - form.initial["starts_on"]).days == 6


def test_a_new_order_by_someone_who_may_not_approve_withdraws_the_approval(
    issue: Issue, three: list[int]
) -> None:
    """I2: an editor who may send keeps it approved."""
    user = User.objects.create_user("ina", is_staff=True)
    codes = ["view_issue", "change_issue"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(user)
    workflow.approve(issue, by=None)
    page = form_data(client, url(issue))
    answer = save_order(client, page, issue, three[::-1])
    assert "approval was withdrawn" in answer.json()["message"]
    issue.refresh_from_db()
    assert not issue.is_approved


def test_an_article_to_add_is_found_however_its_words_and_topic_are_written(
    issue: Issue, security: Topic, write_article: WriteArticle, as_editor: Client
) -> None:
    family = write_article(ru="Ёлка и семья", be="Сям’я")
    army = write_article(topic=security, en="Manoeuvres")
    write_article(en="Something else")

    def found(query: str) -> list[int]:
        page = as_editor.get(url(issue, "add_article"), {"q": query})
        return [row.article.pk for row in page.context["found"]]

    for query in ("сям'я", "СЯМʼЯ", "елка", "ёлк"):
        assert found(query) == [family.pk], query
    assert found("security") == [army.pk]
    assert len(found("")) == 3
