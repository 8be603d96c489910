"""The smaller copies of a picture: made at once or later, and removed with the picture."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from PIL import Image

from newsletter.editorial.content import issue_content
from newsletter.editorial.missing_copies import make_missing
from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    DiscardedFile,
    Issue,
    IssueTranslation,
    Newsroom,
    Picture,
)
from newsletter.editorial.picture_files import delete_discarded
from newsletter.editorial.pictures import check, prepare
from newsletter.editorial.text_pictures import pictures_in
from tests.conftest import WriteArticle
from tests.pictures import figure, photograph

pytestmark = pytest.mark.django_db


def _files(media: Path) -> set[str]:
    return {f"pictures/{path.name}" for path in (media / "pictures").iterdir()}


def test_an_upload_gets_its_copies_at_once(media: Path) -> None:
    picture = Picture.objects.create(file=photograph(2400, 1600, detail=40))
    assert [copy.width for copy in picture.site_copies] == [320, 640, 960, 1280, 1600]
    assert picture.thumbnail.width == 320
    email = picture.email_copy
    assert email.width <= 1104
    assert email.size * 78 / 57 <= 150_000
    for copy in (*picture.site_copies, email):
        path = media / copy.name
        assert path.stat().st_size == copy.size
        image = Image.open(io.BytesIO(path.read_bytes()))
        assert image.size == (copy.width, copy.height)
    assert _files(media) == picture.file_names


def test_a_small_picture_is_its_own_copy(media: Path) -> None:
    picture = Picture.objects.create(file=photograph(300, 200))
    assert picture.site_copies == (picture.original,)
    assert picture.email_copy == picture.original
    assert _files(media) == {picture.file.name}


def test_emails_contain_the_copy_made_for_them(issue: Issue, write_article: WriteArticle) -> None:
    picture = Picture.objects.create(file=photograph(2400, 1600, detail=40))
    write_article(issue=issue, en="Headline")
    Article.objects.update(picture=picture)
    shown = issue_content(issue, at=timezone.now()).articles[0].picture
    assert shown
    copy = picture.email_copy
    assert (shown.name, shown.width, shown.height) == (copy.name, copy.width, copy.height)
    assert shown.type == "image/jpeg"
    assert shown.url.endswith(copy.name)


def test_missing_copies_are_made_when_an_email_needs_them(
    issue: Issue, write_article: WriteArticle
) -> None:
    picture = Picture.objects.create(file=photograph(2400, 1600, detail=40))
    Picture.objects.update(copies={})
    write_article(issue=issue, en="Headline")
    Article.objects.update(picture=picture)
    shown = issue_content(issue, at=timezone.now()).articles[0].picture
    picture.refresh_from_db()
    assert picture.copies
    assert shown
    assert shown.name == picture.email_copy.name


def test_pictures_inside_texts_get_their_copies_in_one_query(
    issue: Issue, write_article: WriteArticle, django_assert_num_queries: Any
) -> None:
    pictures = [Picture.objects.create(file=photograph(1200, 800, seed=seed)) for seed in range(4)]
    for picture in pictures[:3]:
        article = write_article(issue=issue, en="Headline", be="Загаловак")
        article.translations.update(body=figure(picture))
    IssueTranslation.objects.create(
        issue=issue, language="en", introduction=figure(pictures[3]) + figure(pictures[0])
    )
    fresh = Issue.objects.select_related("newsletter").get()
    with django_assert_num_queries(5):
        value = issue_content(fresh, at=timezone.now())
    copies = value.texts["en"].pictures
    for picture in pictures:
        copy = picture.email_copy
        shown = copies[str(picture.file.name)]
        assert (shown.name, shown.width, shown.height) == (copy.name, copy.width, copy.height)
        assert shown.name != picture.file.name
    assert value.articles[0].texts["be"].pictures == copies


def test_missing_copies_of_a_picture_inside_a_text_are_made(
    issue: Issue, write_article: WriteArticle
) -> None:
    picture = Picture.objects.create(file=photograph(1200, 800))
    Picture.objects.update(copies={})
    write_article(issue=issue, en="Headline")
    ArticleTranslation.objects.update(body=figure(picture))
    [shown] = issue_content(issue, at=timezone.now()).articles[0].texts["en"].pictures.values()
    picture.refresh_from_db()
    assert shown.name == picture.email_copy.name != picture.file.name


def test_pictures_in_a_text_are_found_by_any_of_their_files() -> None:
    picture = Picture.objects.create(file=photograph(700, 500))
    same = Picture.objects.create(file=photograph(700, 500))
    assert same.file.name == picture.file.name
    thumbnail = picture.thumbnail.name
    other = f"pictures/{'0' * 32}.jpg"
    texts = [figure(picture), f'<img src="/media/{thumbnail}"><img src="/media/{other}">']
    assert pictures_in(texts) == {str(picture.file.name): picture, thumbnail: picture}
    assert pictures_in(["<p>pictures/</p>", ""]) == {}


def test_a_command_and_the_tick_make_missing_copies(media: Path) -> None:
    picture = Picture.objects.create(file=photograph(700, 500))
    Picture.objects.update(copies={})
    assert make_missing(seconds=0) == 0
    assert make_missing(seconds=60) == 1
    assert make_missing(seconds=60) == 0
    Picture.objects.update(copies={})
    call_command("make_picture_copies")
    picture.refresh_from_db()
    assert picture.copies
    Picture.objects.update(copies={})
    (media / str(picture.file.name)).unlink()
    with pytest.raises(CommandError, match="without copies: 1"):
        call_command("make_picture_copies")


def test_a_page_uses_the_picture_itself_until_there_are_copies() -> None:
    picture = Picture.objects.create(file=photograph(700, 500))
    picture.copies = {}
    assert picture.site_copies == (picture.original,)
    assert picture.email_copy == picture.original


def test_deleting_a_picture_deletes_its_files(
    media: Path, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        Picture.objects.create(file=photograph(700, 500)).delete()
    assert _files(media) == set()
    assert not DiscardedFile.objects.exists()


def test_a_file_stays_while_anything_uses_it(
    media: Path,
    write_article: WriteArticle,
    django_capture_on_commit_callbacks: object,
) -> None:
    first, second = (Picture.objects.create(file=photograph(700, 500)) for _ in range(2))
    files = _files(media)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        first.delete()
    assert _files(media) == files  # the second row has the same file
    article = write_article(en="Headline")
    article.translations.update(body=f'<img src="/media/{second.thumbnail.name}">')
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        second.delete()
    assert _files(media) == files


def test_a_deletion_that_is_rolled_back_keeps_the_files(media: Path) -> None:
    picture = Picture.objects.create(file=photograph(700, 500))
    files = _files(media)
    with transaction.atomic():
        Picture.objects.all().delete()
        transaction.set_rollback(True)
    delete_discarded(timezone.now() + timedelta(days=2))
    assert _files(media) == files == picture.file_names


def test_a_replaced_file_goes_with_its_copies(media: Path) -> None:
    picture = Picture.objects.create(file=photograph(700, 500))
    picture.file = photograph(800, 500)
    picture.save()
    delete_discarded(timezone.now() + timedelta(minutes=1))
    assert _files(media) == picture.file_names
    assert picture.width == 800


def test_a_file_whose_form_was_never_saved_goes_after_a_day(media: Path) -> None:
    Picture(file=photograph(700, 500), kind="photo").full_clean()
    assert _files(media)
    delete_discarded()
    assert _files(media)
    delete_discarded(timezone.now() + timedelta(days=2))
    assert str(DiscardedFile.objects.first() or "") == ""
    assert not any("-" not in name for name in _files(media))


def test_a_logo_that_is_replaced_or_removed_goes(newsroom: Newsroom, media: Path) -> None:
    newsroom.logo = photograph(300, 200)
    newsroom.save()
    newsroom.logo = photograph(320, 200)
    newsroom.save()
    delete_discarded(timezone.now() + timedelta(minutes=1))
    assert [f"newsroom/{path.name}" for path in (media / "newsroom").iterdir()] == [
        newsroom.logo.name
    ]
    newsroom.logo = None
    newsroom.save()
    delete_discarded(timezone.now() + timedelta(minutes=1))
    assert not list((media / "newsroom").iterdir())


def test_checking_a_picture_finds_what_storing_it_finds() -> None:
    content = photograph(900, 600).read()
    check(content)
    assert prepare(content).width == 900
