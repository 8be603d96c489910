"""The sample newsroom: complete, correct, and removable without a trace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from newsletter.delivery.models import Mailing, Outcome, Release, ReleaseRecipient
from newsletter.delivery.planning import snapshot, start
from newsletter.editorial import checks
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    Newsroom,
    NewsroomTranslation,
    Picture,
    Topic,
)
from newsletter.local.sample import loading
from subscribers.models import Subscriber, Subscription

pytestmark = pytest.mark.slow

PICTURES = sorted((loading.HERE / "pictures").glob("*.jpg"))
# Spellings of the older orthography, and Russian letters.
NOT_BELARUSIAN = re.compile(r"[ищъИЩЪ]|сьв|сьн|зьм|зьн|ньн|льл|дзьв", re.IGNORECASE)


@pytest.fixture
def var(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def sample(db: None, var: Path) -> Newsletter:
    call_command("sample", "load", stdout=StringIO())
    return Newsletter.objects.get()


def texts(language: str) -> Iterator[str]:
    for text in ArticleTranslation.objects.filter(language=language):
        yield from (text.headline, text.lead, text.body, text.alt_text)


def test_it_has_several_weeks_and_the_latest_is_approved(sample: Newsletter) -> None:
    issues = list(Issue.objects.order_by("starts_on"))
    assert [issue.starts_on for issue in issues] == [
        date(2026, 10, 19),
        date(2026, 10, 26),
        date(2026, 11, 2),
        date(2026, 11, 9),
    ]
    assert issues[-1].state == Issue.State.APPROVED
    assert all(4 <= issue.articles.count() <= 6 for issue in issues)


def test_it_has_every_kind_of_content(sample: Newsletter) -> None:
    assert Topic.objects.count() == 5
    chains = {
        frozenset(a.translations.values_list("language", flat=True)) for a in Article.objects.all()
    }
    assert {frozenset({"en", "be", "ru"}), frozenset({"en"}), frozenset({"be", "en"})} <= chains
    assert Article.objects.filter(picture=None).exists()
    assert Article.objects.filter(topic=None).exists()
    assert Article.objects.filter(issue=None).exists()
    assert set(Picture.objects.values_list("kind", flat=True)) == set(Picture.Kind.values)
    assert Article.objects.filter(dateline=Article.Dateline.MOMENT).exists()


def test_nothing_blocks_its_issues(sample: Newsletter) -> None:
    for issue in Issue.objects.all():
        problems = checks.find_problems(issue)
        assert not checks.has_blocker(problems)
        assert [problem.text for problem in problems if problem.code] == []


def test_its_belarusian_is_in_the_official_orthography(sample: Newsletter) -> None:
    assert [text for text in texts("be") if NOT_BELARUSIAN.search(text)] == []
    assert not any("і" in text for text in texts("ru"))


def test_its_pictures_are_small_and_drawn_by_the_script() -> None:
    assert 6 <= len(PICTURES) <= 8
    for path in PICTURES:
        assert path.stat().st_size <= 60_000
        with Image.open(path) as image:
            assert image.size == (1200, 675)


def test_its_readers_have_different_languages(sample: Newsletter) -> None:
    rows = Subscription.objects.filter(source=Subscription.Source.SAMPLE)
    assert rows.count() == 13
    assert rows.filter(frequency=Subscription.Frequency.MONTHLY).count() == 1
    # So that the first digest has been sent when someone looks.
    assert not rows.exclude(preferred_hour=None).exists()
    assert rows.values("languages").distinct().count() >= 6
    assert all(reader.address.endswith("@example.org") for reader in loading.READERS)


def test_it_is_not_loaded_into_an_existing_newsroom(newsroom: Newsroom, var: Path) -> None:
    with pytest.raises(CommandError, match="A newsroom exists already"):
        call_command("sample", "load")
    assert not Issue.objects.exists()


@pytest.mark.usefixtures("sample")
class TestRemoval:
    def test_everything_is_removed(
        self, django_capture_on_commit_callbacks: Any, media: Path, var: Path
    ) -> None:
        snapshot.prepare(start.send_now(Issue.objects.earliest("starts_on"), by=None).pk)
        assert ReleaseRecipient.objects.exists()
        with django_capture_on_commit_callbacks(execute=True):
            call_command("sample", "remove", "--yes", stdout=StringIO())
        gone = (Newsroom, Newsletter, Issue, Topic, Article, Picture, Subscriber, Subscription)
        for model in (*gone, Release, Mailing, ReleaseRecipient, Outcome):
            assert not model.objects.exists(), model
        assert [path for path in media.rglob("*") if path.is_file()] == []
        assert not (var / "run" / "sample-issue.json").exists()

    def test_another_newsletter_keeps_its_readers(self) -> None:
        own = Newsletter.objects.create(
            slug="own", languages=["en"], sender_address="a@news.example.org"
        )
        reader = Subscriber.objects.first()
        assert reader is not None
        Subscription.objects.create(subscriber=reader, newsletter=own, languages=("en",))
        call_command("sample", "remove", "--yes", stdout=StringIO())
        assert list(Newsletter.objects.all()) == [own]
        assert list(Subscriber.objects.all()) == [reader]

    def test_without_confirmation_nothing_is_removed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("builtins.input", lambda question: "")
        with pytest.raises(CommandError, match="Nothing was removed"):
            call_command("sample", "remove")
        assert Newsroom.objects.exists()

    def test_begin_replaces_it(self) -> None:
        call_command(
            "begin",
            name="Наш тыдзень",
            languages="be,en",
            address="a@b.example",
            time_zone="Europe/Brussels",
            stdout=StringIO(),
        )
        newsletter = Newsletter.objects.get()
        assert newsletter.timezone == "Europe/Brussels"
        assert (newsletter.slug, newsletter.languages) == ("nash-tydzen", ["be", "en"])
        assert not Newsroom.objects.get().is_sample
        assert NewsroomTranslation.objects.filter(name="Наш тыдзень").count() == 2

    @pytest.mark.parametrize(
        ("mistake", "error"),
        [
            ({"address": "no address"}, "sender_address: Enter a valid email"),
            ({"time_zone": "Minsk"}, "“Minsk” is not a time zone. Give an IANA name"),
            ({"languages": "be,be"}, "languages: A language is listed twice"),
            ({"languages": "belarusian!"}, "languages: “belarusian!” is not a language code"),
        ],
    )
    def test_a_mistake_in_begin_loses_nothing(self, mistake: dict[str, str], error: str) -> None:
        answers = {"name": "Ours", "languages": "be", "address": "a@b.example"}
        answers |= {"time_zone": "Europe/Minsk", **mistake}
        with pytest.raises(CommandError, match=re.escape(error)):
            call_command("begin", **answers)
        assert Newsroom.objects.get().is_sample
        assert Article.objects.exists()


def test_another_newsroom_is_never_removed(newsroom: Newsroom) -> None:
    with pytest.raises(CommandError, match="has no sample newsroom"):
        call_command("sample", "remove", "--yes")
    with pytest.raises(CommandError, match="already have a newsroom"):
        call_command("begin", name="Ours", languages="be", address="a@b.example")
