"""Two people at one issue: nobody's words are overwritten or lost (I1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from newsletter.desk.issue_page.values import Conflict, merge, parse_base
from newsletter.editorial.models import Issue, Topic, Trend
from tests.conftest import WriteArticle
from tests.desk.forms import form_data
from tests.desk.test_issue_order import url
from tests.desk.test_permissions import issue_urls, ready

__all__ = ["ready"]
pytestmark = pytest.mark.django_db


def save(client: Client, issue: Issue, page: dict[str, Any], **edits: str) -> Any:
    return client.post(url(issue), page | edits, follow=True)


def subject(issue: Issue, language: str = "en") -> str:
    text = issue.translations.filter(language=language).first()
    return text.subject if text else ""


def test_the_same_field_shows_both_values_and_keeps_what_was_typed(
    issue: Issue, as_publisher: Client
) -> None:
    old = form_data(as_publisher, url(issue))
    save(as_publisher, issue, old, subject_en="Hanna’s")
    answer = save(as_publisher, issue, old, subject_en="Vera’s", preheader_en="Also typed")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert subject(issue) == "Hanna’s"
    assert [(d.mine, d.theirs) for d in answer.context["differences"]] == [("Vera’s", "Hanna’s")]
    assert "adam saved this issue at" in page
    for typed in ("Vera’s", "Also typed"):
        assert f'value="{typed}"' in page


@pytest.mark.parametrize(("kept", "stored"), [("mine", "Vera’s"), ("theirs", "Hanna’s")])
def test_the_next_save_stores_what_was_chosen(
    issue: Issue, as_publisher: Client, kept: str, stored: str
) -> None:
    old = form_data(as_publisher, url(issue))
    save(as_publisher, issue, old, subject_en="Hanna’s")
    conflict = save(as_publisher, issue, old, subject_en="Vera’s", preheader_en="Also typed")
    again = old | {name: conflict.context[name] for name in ("base", "token", "seen")}
    answer = save(
        as_publisher,
        issue,
        again,
        subject_en="Vera’s",
        preheader_en="Also typed",
        keep_subject_en=kept,
    )
    assert answer.status_code == 200
    text = issue.translations.get()
    assert (text.subject, text.preheader) == (stored, "Also typed")


def test_different_fields_are_both_kept_and_that_is_said(
    issue: Issue, security: Topic, as_publisher: Client
) -> None:
    old = form_data(as_publisher, url(issue))
    save(as_publisher, issue, old, subject_be="Тэма")
    answer = save(as_publisher, issue, old, **{f"trend_{security.pk}": "improved"})
    assert subject(issue, "be") == "Тэма"
    assert Trend.objects.get().status == "improved"
    message = "Changed by someone else since you opened the page, and kept: Subject (Belarusian)."
    assert message in answer.content.decode()


def test_two_people_start_a_language_at_once(issue: Issue, as_publisher: Client) -> None:
    first, second = (form_data(as_publisher, url(issue)) for _ in range(2))
    save(as_publisher, issue, first, subject_ru="Тема", subject_be="Тэма")
    answer = save(as_publisher, issue, second, subject_ru="Другая", subject_be="Тэма")
    assert answer.status_code == 409
    assert [d.name for d in answer.context["differences"]] == ["subject_ru"]
    assert subject(issue, "ru") == "Тема"


def test_a_trend_that_was_set_elsewhere_is_a_conflict_too(
    issue: Issue, security: Topic, as_publisher: Client
) -> None:
    """An import doesn't know the page, so a number on the issue would not have changed."""
    old = form_data(as_publisher, url(issue))
    Trend.objects.create(topic=security, week=issue.starts_on, status="worsened")
    answer = save(as_publisher, issue, old, **{f"trend_{security.pk}": "improved"})
    assert answer.status_code == 409
    assert [(d.mine, d.theirs) for d in answer.context["differences"]] == [("Improved", "Worsened")]
    assert Trend.objects.get().status == "worsened"


def test_an_error_keeps_what_was_typed(issue: Issue, as_publisher: Client) -> None:
    old = form_data(as_publisher, url(issue))
    answer = save(as_publisher, issue, old, starts_on="2017-07-25", subject_en="Typed")
    page = answer.content.decode()
    assert "A week runs from Monday to Sunday." in page
    assert 'value="Typed"' in page
    assert 'value="2017-07-25"' in page
    assert subject(issue) == ""


def test_an_emptied_language_is_removed(issue: Issue, as_publisher: Client) -> None:
    save(as_publisher, issue, form_data(as_publisher, url(issue)), subject_en="Subject")
    save(as_publisher, issue, form_data(as_publisher, url(issue)), subject_en=" ")
    assert not issue.translations.exists()


def test_approving_saves_the_pages_edits_first(ready: Issue, as_publisher: Client) -> None:
    page = form_data(as_publisher, url(ready)) | {"subject_en": "Typed"}
    as_publisher.post(issue_urls(ready)["approve"], page)
    ready.refresh_from_db()
    assert ready.is_approved
    assert subject(ready) == "Typed"


def test_an_issue_that_changed_meanwhile_is_not_approved_but_edits_are_saved(
    ready: Issue, as_publisher: Client, write_article: WriteArticle
) -> None:
    page = form_data(as_publisher, url(ready)) | {"subject_en": "Typed"}
    text = ready.articles.get().text(["en"])
    assert text
    text.headline = "Another headline"
    text.save()
    answer = as_publisher.post(issue_urls(ready)["approve"], page, follow=True)
    assert "was not approved, because it has changed" in answer.content.decode()
    ready.refresh_from_db()
    assert not ready.is_approved
    assert subject(ready) == "Typed"


def test_a_conflict_is_neither_approved_nor_lost(ready: Issue, as_publisher: Client) -> None:
    old = form_data(as_publisher, url(ready))
    save(as_publisher, ready, old, subject_en="Hanna’s")
    answer = as_publisher.post(issue_urls(ready)["approve"], old | {"subject_en": "Vera’s"})
    assert answer.status_code == 409
    assert 'value="Vera’s"' in answer.content.decode()
    ready.refresh_from_db()
    assert not ready.is_approved


@pytest.mark.parametrize("action", ["approve", "send"])
def test_a_post_that_doesnt_say_what_it_saw_is_refused(
    ready: Issue, as_publisher: Client, action: str
) -> None:
    answer = as_publisher.post(issue_urls(ready)[action], follow=True)
    assert "since you opened the page" in answer.content.decode()
    ready.refresh_from_db()
    assert not ready.is_approved


def test_withdrawing_saves_the_edits_too(ready: Issue, as_publisher: Client) -> None:
    as_publisher.post(issue_urls(ready)["approve"], form_data(as_publisher, url(ready)))
    page = form_data(as_publisher, url(ready)) | {"subject_en": "Typed"}
    as_publisher.post(issue_urls(ready)["withdraw"], page)
    ready.refresh_from_db()
    assert (ready.is_approved, subject(ready)) == (False, "Typed")


@pytest.mark.parametrize("action", ["preview", "send", "add"])
def test_buttons_that_open_another_page_save_first(
    issue: Issue, as_publisher: Client, action: str
) -> None:
    page = form_data(as_publisher, url(issue)) | {"subject_en": "Typed", "action": action}
    answer = as_publisher.post(url(issue), page)
    name = {"add": "add_article"}.get(action, action)
    assert answer["Location"] == url(issue, name)
    assert subject(issue) == "Typed"


@pytest.mark.parametrize(
    ("shown", "stored", "typed", "values", "theirs", "conflicts"),
    [
        ("a", "a", "b", "b", [], []),
        ("a", "b", "a", "b", ["x"], []),
        ("a", "b", "b", "b", [], []),
        ("a", "b", "c", "c", [], [Conflict("x", "c", "b")]),
        (None, "b", "c", "c", [], [Conflict("x", "c", "b")]),
        (None, "b", "b", "b", [], []),
    ],
)
def test_a_merge_of_one_field(
    shown: str | None,
    stored: str,
    typed: str,
    values: str,
    theirs: list[str],
    conflicts: list[Conflict],
) -> None:
    base = {} if shown is None else {"x": shown}
    merged = merge(base, {"x": stored}, {"x": typed})
    assert merged.values == {"x": values}
    assert (merged.theirs, merged.conflicts) == (theirs, conflicts)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"x"'])
def test_a_malformed_base_makes_everything_a_conflict(text: str) -> None:
    assert parse_base(text) == {}


def test_what_an_introduction_cannot_keep_is_reported(issue: Issue, as_publisher: Client) -> None:
    page = form_data(as_publisher, url(issue))
    answer = save(
        as_publisher,
        issue,
        page,
        introduction_en='<p>Hello</p><p><img src="https://elsewhere.example/i.png" alt="a"></p>',
    )
    assert "Introduction (English): A picture was removed" in answer.content.decode()
    assert issue.translations.get(language="en").introduction == "<p>Hello</p>"
