"""The documentation agrees with the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from newsletter import checks

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", re.MULTILINE)


def documented() -> set[str]:
    return {name.strip("`") for row in ROW.findall(CONFIGURATION) for name in row.split(", ")}


def test_every_variable_is_documented_and_every_documented_one_exists() -> None:
    assert documented() == set(settings.CONFIGURATION)


def test_every_check_is_documented() -> None:
    source = Path(checks.__file__).read_text(encoding="utf-8")
    ids = set(re.findall(r'id="(newsletter\.[EW]\d{3})"', source))
    assert ids == set(re.findall(r"`(newsletter\.[EW]\d{3})`", CONFIGURATION))


@pytest.mark.parametrize("paper", PAGES, ids=lambda paper: paper.name)
def test_every_command_that_a_page_names_exists(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:`|^ {4,}|&& )make ([a-z-]+)", text, re.MULTILINE)) <= targets


@pytest.mark.parametrize("paper", PAGES, ids=lambda paper: paper.name)
def test_every_page_that_a_page_links_to_exists(paper: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+\.md|LICENSE)\)", paper.read_text(encoding="utf-8"))
    assert [link for link in links if not (paper.parent / link).exists()] == []


def test_no_variable_is_named_that_does_not_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^ {7,}([A-Z_]+)=", readme, re.MULTILINE))
    assert named
    # Each also in the form that names a file.
    assert {name.removesuffix("_FILE") for name in named} <= set(settings.CONFIGURATION)
