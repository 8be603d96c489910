"""Importing a document: all of it, idempotently, or nothing with the location of each error."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from newsletter.editorial.importing import DocumentError, import_document
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    Newsroom,
    Picture,
    Topic,
    Trend,
)
from tests.editorial.test_content import draw_picture

pytestmark = pytest.mark.django_db

ARTICLE: dict[str, Any] = {
    "category": "security",
    "trend": "worsened",
    "published_at": "2017-08-01T09:00:00+03:00",
    "image_credit": "A. Pen",
    "translations": {
        "be": {"headline": "Загаловак", "lead": "Лід.", "body": "<p>Тэкст<script>x</script></p>"},
        "en": {"headline": "Headline", "lead": "Lead.", "body": "<p>Text</p>"},
    },
}
DOCUMENT: dict[str, Any] = {
    "about": "made for this test",
    "newsletter": {
        "slug": "weekly",
        "name": {"en": "Week in View", "be": "Тыдзень у фокусе"},
        "languages": ["en", "be", "ru"],
        "choices": [{"label": "BE/RU", "languages": ["be", "ru"]}],
        "schedule": {"weekday": "tuesday", "time": "09:00", "timezone": "Europe/Minsk"},
    },
    "categories": [{"slug": "security", "name": {"en": "Security", "be": "Бяспека"}}],
    "issues": [
        {"starts_on": "2017-07-17", "ends_on": "2017-07-23", "articles": []},
        {"starts_on": "2017-07-24", "ends_on": "2017-07-30", "articles": [ARTICLE]},
    ],
}


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


def all_rows() -> list[Any]:
    """Return the values of all editorial rows."""
    models = apps.get_app_config("editorial").get_models(include_auto_created=True)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def test_the_whole_document_is_stored(document: dict[str, Any], tmp_path: Path) -> None:
    report = import_document(document, base=tmp_path)
    newsletter = Newsletter.objects.get()
    assert newsletter.chains() == [("be", "ru")]
    assert (newsletter.weekday, str(newsletter.time)) == (Newsletter.Weekday.TUESDAY, "09:00:00")
    assert newsletter.sender_address == "newsletter@newsroom.example"
    assert "newsletter@newsroom.example" in report.notes[0]
    article = Article.objects.get()
    assert article.original_language == "en"  # the newsletter's first language in which it exists
    assert {t.language: (t.slug, t.state) for t in article.translations.all()} == {
        "en": ("headline", "ready"),
        "be": ("zahalovak", "ready"),
    }
    assert article.translations.get(language="be").body == "<p>Тэкст</p>"
    assert (article.picture, article.credit) == (None, "A. Pen")
    trend = Trend.objects.get()
    assert (trend.topic.slug, str(trend.week), trend.status) == (
        "security",
        "2017-07-24",
        "worsened",
    )
    assert str(Newsroom.objects.get()) == "Week in View"


def test_importing_twice_changes_nothing(document: dict[str, Any], tmp_path: Path) -> None:
    import_document(document, base=tmp_path)
    before = all_rows()
    assert import_document(document, base=tmp_path).is_empty
    assert all_rows() == before


def test_a_changed_document_updates_only_what_changed(
    document: dict[str, Any], tmp_path: Path
) -> None:
    import_document(document, base=tmp_path)
    document["issues"][1]["articles"][0]["translations"]["en"]["lead"] = "Another lead."
    report = import_document(document, base=tmp_path)
    assert (sum(report.created.values()), sum(report.changed.values())) == (0, 1)
    assert ArticleTranslation.objects.get(language="en").revision == 2


def test_a_document_may_set_every_field(document: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(draw_picture().read())
    document["newsroom"] = {
        "name": {"en": "The Newsroom", "be": "Рэдакцыя"},
        "about": {"en": "<h1>Who we are</h1>"},
        "accent": "#123456",
        "follow_links": [{"label": "Telegram", "url": "https://t.example/x"}],
        "logo": "one.png",
    }
    document["newsletter"] |= {
        "sender_address": "desk@news.example.org",
        "sender_name": {"en": "The desk"},
        "promise": {"en": "Once a week"},
        "approval": "automatic",
        "least_articles": 3,
        "schedule": {"period": "current", "active": True},
    }
    issue = document["issues"][1]
    issue |= {
        "approved": True,
        "texts": {"be": {"subject": "Тэма"}},
        "trends": {"security": "worsened"},
    }
    article = issue["articles"][0]
    del article["image_credit"]
    article |= {
        "image": {"file": "one.png", "kind": "graphic", "credit": "A. Pen", "alt": {"be": "Мапа"}},
        "authors": {"be": "А. Пяро"},
        "original_language": "be",
        "dateline": "week",
        "similar": ["a-loose-one"],
    }
    document["articles"] = [
        {
            "published_at": "2017-06-01T09:00:00",
            "translations": {
                "en": {
                    "headline": "Other",
                    "slug": "a-loose-one",
                    "state": "draft",
                    "body": "<p>x</p>",
                }
            },
        }
    ]
    import_document(document, base=tmp_path)
    assert Newsroom.objects.get().translations.get(language="en").about == "<h2>Who we are</h2>"
    assert Newsletter.objects.get().schedule_active
    assert Issue.objects.filter(state="approved").count() == 1
    stored = Article.objects.exclude(issue=None).get()
    assert stored.similar.get().translations.get().slug == "a-loose-one"
    text = stored.translations.get(language="be")
    assert (text.authors, text.alt_text) == ("А. Пяро", "Мапа")
    assert stored.picture
    assert str(stored.picture.file.name).startswith("pictures/")
    assert stored.picture.name == "one", "a person can find it by"
    before = all_rows()
    assert import_document(document, base=tmp_path).is_empty
    assert all_rows() == before
    assert Picture.objects.count() == 1


def _delete(*keys: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return change


def _set(value: Any, *keys: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


IN_ARTICLE = ("issues", 1, "articles", 0)
ERRORS = [
    (_delete("newsletter"), "newsletter"),
    (_set("x y", "newsletter", "slug"), "newsletter.slug"),
    (_set(["en", "1"], "newsletter", "languages"), "newsletter.languages[1]"),
    (_set("sunnyday", "newsletter", "schedule", "weekday"), "newsletter.schedule.weekday"),
    (_set("25:00", "newsletter", "schedule", "time"), "newsletter.schedule.time"),
    (_set("Minsk", "newsletter", "schedule", "timezone"), "newsletter.schedule.timezone"),
    (_set(["ka"], "newsletter", "choices", 0, "languages"), "newsletter.choices[0].languages[0]"),
    (_set("no address", "newsletter", "sender_address"), "newsletter.sender_address"),
    (_delete("categories", 0, "slug"), "categories[0].slug"),
    (_set("2017-07-25", "issues", 1, "starts_on"), "issues[1].starts_on"),
    (_set("soon", "issues", 1, "starts_on"), "issues[1].starts_on"),
    (_set("2017-08-06", "issues", 1, "ends_on"), "issues[1].ends_on"),
    (_set("2017-07-01", "issues", 1, "ends_on"), "issues[1].ends_on"),
    (_set("Security", *IN_ARTICLE, "category"), "issues[1].articles[0].category"),
    (_set("better", *IN_ARTICLE, "trend"), "issues[1].articles[0].trend"),
    (_set("x", *IN_ARTICLE, "published_at"), "issues[1].articles[0].published_at"),
    (_set({}, *IN_ARTICLE, "translations"), "issues[1].articles[0].translations"),
    (_set({}, *IN_ARTICLE, "translations", "ka"), "issues[1].articles[0].translations.ka"),
    (
        _set("", *IN_ARTICLE, "translations", "be", "headline"),
        "issues[1].articles[0].translations.be.headline",
    ),
    (
        _set(7, *IN_ARTICLE, "translations", "be", "body"),
        "issues[1].articles[0].translations.be.body",
    ),
    (
        _set("x" * 251, *IN_ARTICLE, "translations", "be", "headline"),
        "issues[1].articles[0].translations.be.headline",
    ),
    (
        _set("x", *IN_ARTICLE, "translations", "be", "headlin"),
        "issues[1].articles[0].translations.be.headlin",
    ),
    (_set({"file": "none.png"}, *IN_ARTICLE, "image"), "issues[1].articles[0].image.file"),
    (_set({"file": "../one.png"}, *IN_ARTICLE, "image"), "issues[1].articles[0].image.file"),
    (_set({"file": "no.png"}, *IN_ARTICLE, "image"), "issues[1].articles[0].image.file"),
    (_set("text", *IN_ARTICLE, "image"), "issues[1].articles[0].image"),
    (
        _set([ARTICLE, ARTICLE], "issues", 1, "articles"),
        "issues[1].articles[1].translations.en.headline",
    ),
    (_set(["nowhere"], *IN_ARTICLE, "similar"), "issues[1].articles[0].similar[0]"),
    (_set([7], "issues"), "issues[0]"),
    (_set({}, "issues"), "issues"),
]


@pytest.mark.parametrize(("change", "location"), ERRORS)
def test_an_error_names_its_location_and_nothing_is_imported(
    change: Callable[[Any], None], location: str, document: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "one.png").write_bytes(draw_picture().read())
    (tmp_path / "folder" / "no.png").write_bytes(b"no picture")
    before = all_rows()
    change(document)
    with pytest.raises(DocumentError) as error:
        import_document(document, base=tmp_path / "folder")
    assert error.value.problems[0].location == location
    assert str(error.value).startswith(f"{location}: ")
    assert all_rows() == before


def test_overlapping_weeks_are_reported_at_their_issue(
    document: dict[str, Any], tmp_path: Path
) -> None:
    document["issues"][0] |= {"kind": "weeks", "ends_on": "2017-07-30"}
    with pytest.raises(DocumentError, match=r"^issues\[1\]: These weeks overlap"):
        import_document(document, base=tmp_path)
    assert not Newsletter.objects.exists()


def test_other_newsletters_stay_as_they_are(
    document: dict[str, Any], tmp_path: Path, weekly: Newsletter, security: Topic
) -> None:
    document["newsletter"]["slug"] = "another"
    before = Newsletter.objects.filter(pk=weekly.pk).values().get()
    import_document(document, base=tmp_path)
    assert Newsletter.objects.filter(pk=weekly.pk).values().get() == before
    assert Topic.objects.filter(slug="security").count() == 2
    assert Newsroom.objects.count() == 1


def import_file(path: Path) -> str:
    out = io.StringIO()
    call_command("import_issues", str(path), stdout=out)
    return out.getvalue()


def test_the_command_reports_what_it_changed(document: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "issues.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert "added: article × 1" in import_file(path)
    assert import_file(path).startswith("Nothing to change")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", "line 1, column 2"),
        (b"\xff", "UTF-8"),
        (b"[]", "must be an object"),
        (b"{}", "newsletter: is missing"),
    ],
)
def test_the_command_reports_errors(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "issues.json"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="(?s)Nothing was imported.*" + expected):
        import_file(path)


def test_the_command_reports_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.json"):
        import_file(tmp_path / "none.json")
