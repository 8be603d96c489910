"""The example in docs/import.md is imported as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from newsletter.editorial.importing.schema import (
    Article,
    Category,
    Image,
    Issue,
    Newsletter,
    Newsroom,
    Schedule,
    Translation,
)
from newsletter.editorial.models import Article as StoredArticle
from newsletter.editorial.models import ArticleTranslation, Picture
from tests.editorial.test_content import draw_picture

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")


@pytest.mark.django_db
def test_the_documented_example_is_imported(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "bridge.jpg").write_bytes(draw_picture().read())
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert example
    (tmp_path / "issues.json").write_text(example[1], encoding="utf-8")
    call_command("import_issues", str(tmp_path / "issues.json"))
    assert "not kept" not in capsys.readouterr().out
    assert set(StoredArticle.objects.values_list("external_id", flat=True)) == {
        "4711",
        "about-the-gauge",
    }
    english = ArticleTranslation.objects.get(slug="water-reaches-the-railing")
    assert english.body == "<p>A plain text.</p><p>A blank line begins a new paragraph.</p>"
    assert Picture.objects.get().credit == "A. Pen"
    call_command("import_issues", str(tmp_path / "issues.json"))
    assert "Nothing to change" in capsys.readouterr().out


@pytest.mark.parametrize(
    "model", [Newsletter, Schedule, Newsroom, Category, Issue, Article, Translation, Image]
)
def test_every_name_of_the_format_is_documented(model: Any) -> None:
    table = PAGE.partition("## The file")[2].partition("##")[0]
    missing = [name for name in model.model_fields if f"`{name}`" not in table]
    assert not missing
