"""The style sheet, right-to-left pages, themes and colours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import ngettext

from newsletter.digest.colours import contrast
from newsletter.editorial.models import Article
from newsletter.web.colours import DARK_PAPER, PAPER, palette
from tests.web.parsed_page import ParsedPage

ROOT = Path(__file__).resolve().parents[2]
SHEET = (ROOT / "newsletter/web/assets/web/site.css").read_text(encoding="utf-8")


def test_the_sheet_is_small_and_loads_nothing() -> None:
    assert len(SHEET.splitlines()) < 500
    assert "url(" not in SHEET
    assert "@import" not in SHEET


def test_the_sheet_has_no_physical_left_or_right() -> None:  # F5
    physical = r"(?:margin|padding|border)-(?:left|right)|(?:^|[\s;{])(?:left|right|float)\s*:"
    assert re.findall(physical, SHEET) == []
    assert re.findall(r"text-align:\s*(?:left|right)", SHEET) == []


def test_a_right_to_left_language_mirrors_the_page(  # F5
    client: Client, army: Article, settings: Any
) -> None:
    settings.LANGUAGES = [("en", "English"), ("ar", "العربية"), ("ru", "русский")]
    for path in ("", "issues/weekly/2017-07-24/"):
        page = ParsedPage(client.get(f"/ar/{path}"))
        assert page.all("html", lang="ar", dir="rtl")
        assert set(page.alternates) == {"en", "ar", "ru", "x-default"}
    # A fallback article keeps its own direction on an Arabic page.
    slug = army.translations.get(language="en").slug
    page = ParsedPage(client.get(f"/ar/articles/{slug}/"))
    assert page.all("h1", lang="en", dir="ltr")


def test_a_right_to_left_article_keeps_its_direction_elsewhere(  # F5
    client: Client, army: Article
) -> None:
    army.translations.exclude(language="en").delete()
    army.translations.update(language="ar")
    slug = army.translations.get().slug
    page = ParsedPage(client.get(f"/be/articles/{slug}/"))
    assert page.all("h1", lang="ar", dir="rtl")
    assert page.canonical.endswith(f"/en/articles/{slug}/")  # the site has no Arabic pages


@pytest.mark.parametrize("accent", ["#8a1c1c", "#ffee00", "#000000", "#ffffff"])
def test_any_accent_is_readable_in_light_and_dark(accent: str) -> None:  # A13
    colours = palette(accent, accent)
    assert contrast(colours["accent"], PAPER) >= 4.5
    assert contrast(colours["ink"], PAPER) >= 4.5
    assert contrast(colours["accent_dark"], DARK_PAPER) >= 4.5


def test_the_sheets_own_colours_are_readable() -> None:  # A13
    light, dark = SHEET.split("@media (prefers-color-scheme: dark)")[:2]
    for part in (light, dark.split("/* ---")[0]):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part))
        for name in ("quiet", "improved", "unchanged", "worsened"):
            for ground in ("paper", "raised"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def test_contrast_is_measured_on_the_sheets_backgrounds() -> None:
    assert f"--paper: {PAPER}" in SHEET
    assert f"--paper: {DARK_PAPER}" in SHEET


@pytest.mark.slow
def test_a_themes_template_overrides_ours(tmp_path: Path) -> None:
    (tmp_path / "theme/templates").mkdir(parents=True)
    (tmp_path / "theme/templates/400.html").write_text("From the theme", encoding="utf-8")
    script = (
        "import django; django.setup();"
        "from django.template.loader import render_to_string as r;"
        "print(r('400.html')); print(len(r('500.html')) > 100)"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "THEME_DIR": str(tmp_path / "theme"),
        "VAR_DIR": str(tmp_path / "var"),
    }
    process = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.split("\n")[:2] == ["From the theme", "True"]


@pytest.mark.parametrize("language", ["be", "ru"])
def test_article_counts_use_the_right_plural_form(language: str) -> None:  # F1
    with translation.override(language):
        forms = {
            n: ngettext("%(number)s article", "%(number)s articles", n) % {"number": n}
            for n in (1, 2, 5, 11, 21, 22, 111)
        }
    ending = {n: form.split()[-1] for n, form in forms.items()}
    assert ending[1] == ending[21] != ending[2] == ending[22] != ending[5]
    assert ending[5] == ending[11] == ending[111]
