"""Importing many articles at once: the rows are those that saving them one by one would make."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from newsletter.editorial.importing import DocumentError, additions, import_document
from newsletter.editorial.importing.additions import Additions
from newsletter.editorial.models import Article, ArticleTranslation, Issue, Picture, Revision
from newsletter.lib import sandbox
from tests.editorial.test_content import draw_picture
from tests.editorial.test_importing import DOCUMENT, all_rows
from tests.pictures import photograph, png_of

pytestmark = pytest.mark.django_db

TIMES = {"at", "added_at", "approved_at"}


def article(number: int, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "category": "security",
        "published_at": "2017-08-01T09:00:00+03:00",
        "translations": {
            "en": {"headline": f"Council {number}", "body": "<p>Text<script>x</script></p>"},
            "be": {"headline": f"Савет {number}", "lead": "Лід.", "correction": "Паправілі."},
        },
        "original_language": "be",
        **values,
    }


def document(*articles: dict[str, Any], **values: Any) -> dict[str, Any]:
    issue = {"starts_on": "2017-07-24", "articles": list(articles)}
    return copy.deepcopy(DOCUMENT) | {"issues": [issue], **values}


def facts() -> list[list[dict[str, Any]]]:
    """Return what the rows say, without keys and the times when they were written."""
    return [
        [
            {
                name: bool(value) if name == "corrected_at" else value
                for name, value in row.items()
                if name not in TIMES and name != "id" and not name.endswith("_id")
            }
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in (Article, ArticleTranslation, Picture, Revision)
    ]


@pytest.mark.parametrize("most", [1, 300])
def test_the_rows_are_those_that_saving_makes(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(draw_picture().read())
    image = {"file": "a.png", "credit": "A. Pen", "alt": {"be": "Рака"}}
    data = document(
        *(article(number, image=image) for number in range(3)),
        articles=[article(9, similar=["council-1", "council-2"])],
    )
    monkeypatch.setattr(additions, "MOST_TEXTS", most)
    found = []
    for is_bulk in (True, False):
        if not is_bulk:
            monkeypatch.setattr(Additions, "add", lambda _self, row: row.save())
        with transaction.atomic():
            assert import_document(data, base=tmp_path).created["article"] == 4
            similar = Article.objects.get(external_id="9").similar
            assert set(similar.values_list("external_id", flat=True)) == {"1", "2"}
            found.append(facts())
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert [row["source_revision"] for row in found[0][1][:2]] == [None, 1]
    assert [row["lexemes"] != "" for row in found[0][1]] == [True] * 8
    assert [(row["width"], row["credit"]) for row in found[0][2]] == [(40, "A. Pen")]


def test_rows_that_were_written_already_are_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(additions, "MOST_TEXTS", 1)
    before = all_rows()
    with pytest.raises(DocumentError, match="is not the slug of an article"):
        import_document(document(article(1), article(2, similar=["none"])), base=tmp_path)
    assert all_rows() == before


def test_articles_of_the_desk_make_room(tmp_path: Path) -> None:
    import_document(document(article(1)), base=tmp_path)
    Article.objects.create(
        newsletter=Article.objects.get().newsletter, issue=Issue.objects.get(), position=2
    )
    import_document(document(article(1), article(2), article(3)), base=tmp_path)
    positions = Article.objects.order_by("position").values_list("external_id", flat=True)
    assert list(positions) == ["1", "2", "3", ""]
    assert Revision.objects.count() == 6


def test_a_stored_article_gets_a_picture_that_a_new_one_has_too(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(draw_picture().read())
    image = {"file": "a.png", "credit": "A. Pen"}
    import_document(document(articles=[article(1)]), base=tmp_path)
    data = document(articles=[article(2, image=image), article(1, image=image)])
    import_document(data, base=tmp_path)
    assert Article.objects.filter(picture=Picture.objects.get()).count() == 2


def test_files_with_the_same_content_are_one_file(tmp_path: Path) -> None:
    """Stored at the same time, they got two names, and the next import changed the articles."""
    names = [f"{number}.png" for number in range(12)]
    for name in names:
        (tmp_path / name).write_bytes(draw_picture(size=(400, 300)).read())
    data = document(*(article(number, image={"file": name}) for number, name in enumerate(names)))
    import_document(data, base=tmp_path)
    assert len(set(Picture.objects.values_list("file", flat=True))) == 1
    assert import_document(data, base=tmp_path).is_empty


@pytest.mark.sandbox
@pytest.mark.slow
def test_pictures_are_checked_in_several_sandbox_processes(tmp_path: Path) -> None:
    """One that would unpack to 30 GB is refused beside good ones. One process is left."""
    names = [f"{number}.jpg" for number in range(8)]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(photograph(800, 533, seed=number).read())
    data = document(*(article(number, image={"file": name}) for number, name in enumerate(names)))
    (tmp_path / "3.jpg").write_bytes(png_of(100_000, 100_000))
    with pytest.raises(DocumentError, match=r"has 10000\.0 megapixels") as caught:
        import_document(data, base=tmp_path)
    assert len(caught.value.problems) == 1
    assert len(sandbox._pool.slots) == 1
    (tmp_path / "3.jpg").write_bytes(photograph(800, 533, seed=3).read())
    assert import_document(data, base=tmp_path).created["picture"] == 8
    assert all(width == 800 for width in Picture.objects.values_list("width", flat=True))
