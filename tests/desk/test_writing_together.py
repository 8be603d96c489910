"""Autosave, conflicts, history, presence and signing in again, seen by the server (I1, I5)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from newsletter.desk.article_page import page_url, text_url
from newsletter.editorial.models import Article
from tests.conftest import WriteArticle
from tests.desk.forms import text_data
from tests.desk.writers import article as article
from tests.desk.writers import meet, post_text, stored

pytestmark = pytest.mark.django_db
PASSWORD = "sign-me-in"


# --- Autosave -----------------------------------------------------------------------------------
def test_an_autosave_stores_the_words_but_no_state(article: Article, as_editor: Client) -> None:
    data = text_data(as_editor, article, "be") | {"lead": "Лід", "state": "ready", "headline": ""}
    answer = as_editor.post(text_url(article, "be", "autosave"), data)
    assert answer.status_code == 200
    assert answer.json()["revision"] == 2
    assert re.fullmatch(r"\d\d:\d\d", answer.json()["at"])
    assert (stored(article).lead, stored(article).state) == ("Лід", "draft")
    assert article.revisions.latest("pk").kind == "autosaved"


def test_an_autosave_over_a_newer_text_is_refused_and_kept(
    article: Article, as_editor: Client, as_translator: Client
) -> None:
    data = text_data(as_translator, article, "be")
    post_text(as_editor, article, data, lead="Лід рэдактаркі.")
    url = text_url(article, "be", "autosave")
    answer = as_translator.post(url, data | {"lead": "Лід перакладчыка."})
    assert answer.status_code == 409
    assert answer.json()["message"].startswith("alena saved a newer text at ")
    assert stored(article).lead == "Лід рэдактаркі."
    page = as_translator.get(answer.json()["compare"]).content.decode()
    assert "перакладчыка" in page


def test_an_autosave_of_a_ready_text_or_with_an_error_saves_nothing(
    write_article: WriteArticle, as_editor: Client
) -> None:
    article = write_article(be="Нізкая вада")
    url = text_url(article, "be", "autosave")
    data = text_data(as_editor, article, "be")
    refused = as_editor.post(url, data | {"lead": "Недапіса"})
    assert (refused.status_code, refused.json()["reason"]) == (403, "ready")
    invalid = as_editor.post(url, data | {"headline": "x" * 300})
    assert invalid.status_code == 422
    assert list(invalid.json()["errors"]) == ["headline"]
    assert article.revisions.count() == 1


# --- Conflicts ----------------------------------------------------------------------------------
def test_both_texts_are_shown_and_the_choice_is_saved(
    article: Article, as_editor: Client, as_translator: Client
) -> None:
    url = meet(article, as_editor, as_translator, lead="Другі лід.", alt_text="Рака")
    page = as_translator.get(url).content.decode()
    assert "alena saved a newer text while you were writing" in page
    assert "Першы" in page
    assert "Другі" in page
    # Only mine changed the alt text, so it is chosen; the leads overlap, so neither is.
    assert re.search(r'id="alt_text-mine"[^>]*checked', page)
    assert not re.search(r'name="choose-lead"[^>]*checked', page)
    choice = {"base": "2", "choose-lead": "both", "both-lead": "Абодва.", "choose-alt_text": "mine"}
    assert as_translator.post(url, choice).status_code == 302
    text = stored(article)
    assert (text.lead, text.alt_text, text.revision) == ("Абодва.", "Рака", 4)


def test_without_a_choice_nothing_is_saved_and_the_page_says_so(
    article: Article, as_editor: Client, as_translator: Client
) -> None:
    url = meet(article, as_editor, as_translator)
    page = as_translator.post(url, {"base": "2"}).content.decode()
    assert "Choose one of the two, or edit both together." in page
    assert stored(article).lead == "Першы лід."


@pytest.mark.parametrize(("use", "lead"), [("theirs", "Першы лід."), ("mine", "Другі лід.")])
def test_one_of_the_two_can_be_taken_as_a_whole(
    article: Article, as_editor: Client, as_translator: Client, use: str, lead: str
) -> None:
    url = meet(article, as_editor, as_translator)
    assert b"is waiting for your choice" in as_translator.get(page_url(article, "be")).content
    assert as_translator.post(url, {"base": "2", "use": use}).status_code == 302
    assert stored(article).lead == lead
    assert b"is waiting for your choice" not in as_translator.get(page_url(article, "be")).content
    leads = {row.content["lead"] for row in article.revisions.filter(language="be")}
    assert {"Першы лід.", "Другі лід."} <= leads


def test_a_third_save_during_the_choice_is_shown_before_anything_is_saved(
    article: Article, as_editor: Client, as_translator: Client
) -> None:
    url = meet(article, as_editor, as_translator)
    post_text(as_editor, article, text_data(as_editor, article, "be"), lead="Трэці лід.")
    page = as_translator.post(url, {"base": "2", "use": "mine"}).content.decode()
    assert "has changed once more" in page
    assert "Трэці" in page
    assert stored(article).lead == "Трэці лід."


def test_a_text_that_was_kept_aside_is_its_authors_to_choose(
    article: Article, as_editor: Client, as_translator: Client
) -> None:
    url = meet(article, as_editor, as_translator)
    assert "/history/" in as_editor.get(url)["Location"]
    assert "/history/" in as_editor.post(url, {"base": "2", "use": "mine"})["Location"]
    assert stored(article).lead == "Першы лід."


def test_a_conflict_over_a_removed_translation_offers_to_bring_mine_back(
    article: Article, as_editor: Client, as_translator: Client
) -> None:
    data = text_data(as_translator, article, "be")
    as_editor.post(text_url(article, "be", "remove"), {"base": "1"})
    assert not article.translations.filter(language="be").exists()
    url = post_text(as_translator, article, data, lead="Мой.")["Location"].partition("?")[0]
    assert "alena removed this translation" in as_translator.get(url).content.decode()
    as_translator.post(url, {"base": "0", "use": "mine"})
    assert stored(article).lead == "Мой."


# --- History ------------------------------------------------------------------------------------
def test_the_history_shows_what_changed_and_leads_back(article: Article, as_editor: Client) -> None:
    data = text_data(as_editor, article, "be")
    post_text(as_editor, article, data, body="<p>Нізкая вада: новы text.</p>", state="review")
    page = as_editor.get(text_url(article, "be", "history")).content.decode()
    assert "You · saved" in page
    assert page.index("/history/2/") < page.index("/history/1/")
    page = as_editor.get(text_url(article, "be", "revision", 2)).content.decode()
    assert "Нізкая вада: <ins>новы </ins>text." in page
    assert "<del>draft</del><ins>in review</ins>" in page
    restored = as_editor.post(text_url(article, "be", "revision", 1), {"base": "2"})
    assert restored["Location"] == page_url(article, "be")
    text = stored(article)
    assert (text.body, text.state, text.revision) == ("<p>Нізкая вада: text.</p>", "review", 3)


def test_restoring_over_a_text_that_changed_meanwhile_asks(
    article: Article, as_editor: Client
) -> None:
    data = text_data(as_editor, article, "be")
    post_text(as_editor, article, data, lead="Другі.")
    post_text(as_editor, article, text_data(as_editor, article, "be"), lead="Трэці.")
    answer = as_editor.post(text_url(article, "be", "revision", 1), {"base": "2"})
    assert "/conflict/" in answer["Location"]
    assert stored(article).lead == "Трэці."


def test_removing_asks_first_and_can_be_undone(article: Article, as_editor: Client) -> None:
    url = text_url(article, "be", "remove")
    assert "The text stays in the history" in as_editor.get(url).content.decode()
    assert stored(article)
    as_editor.post(url, {"base": "7"})
    assert stored(article)
    as_editor.post(url, {"base": "1"})
    removed = article.revisions.get(kind="removed")
    as_editor.post(text_url(article, "be", "revision", removed.number), {"base": "0"})
    assert stored(article).headline == "Нізкая вада"


# --- Presence -----------------------------------------------------------------------------------
def test_a_heartbeat_names_the_others_and_the_newest_revision(
    article: Article, as_editor: Client, as_translator: Client
) -> None:
    url = text_url(article, "be", "presence")
    as_translator.post(text_url(article, "en", "presence"), {"idle": "300"})
    answer = as_editor.post(url, {"idle": "0"}).json()
    assert [each["text"] for each in answer["people"]] == [
        "taras is here (English, idle for 5 minutes)"
    ]
    assert answer["revision"] == 1


def test_without_a_cache_nobody_is_shown(
    article: Article, as_editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(cache, "set", fail)
    answer = as_editor.post(text_url(article, "be", "presence"))
    assert (answer.status_code, answer.json()["people"]) == (200, [])
