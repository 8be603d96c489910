"""What Tydzen knows about a language beyond CLDR and the catalogs: one optional file per language.

`be.toml` beside this module holds the rules for Belarusian, and so on. Every key is optional, and a
language without a file works: dates follow CLDR, and slugs follow the table of the script in
`scripts.toml`. docs/adding-a-language.md describes the keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class DateRules:
    """Exceptions to CLDR's date formats, in CLDR's notation (“MMMM d”). "" keeps CLDR's format."""

    range_day: str = ""
    """Pattern of each end of a range, if both ends always name their month."""
    range_day_with_year: str = ""
    range_omits: str = ""
    """Text to remove from ranges, such as a sign after the year."""
    moment: str = "{day}, {time}"


@dataclass(frozen=True)
class SearchRules:
    """How a search finds other forms of a word, in lower case and without accents (ё is е)."""

    endings: Sequence[str] = ()
    """Endings to strip, of which the longest counts."""
    alternations: dict[str, str] = field(default_factory=dict)
    """What the end of a word becomes in a further stem: "дзе" → "д"."""


@dataclass(frozen=True)
class LanguageRules:
    switch_label: str = ""
    """The label in the language switch, if readers look for something other than the code."""
    slug_letters: Mapping[str, str] = field(default_factory=dict)
    """Latin letters for each letter that this language writes unlike others of its script."""
    in_language: Mapping[str, str] = field(default_factory=dict)
    """How this language says “in Russian”, by the code of the language that is named."""
    dates: DateRules = DateRules()
    search: SearchRules = SearchRules()


@cache
def rules_for(language: str) -> LanguageRules:
    """Return the rules for a language code. "pt-br" has those of "pt" if it has no file itself."""
    for code in (language, language.partition("-")[0]):
        path = FOLDER / f"{code}.toml"
        if code.replace("-", "").isalpha() and path.exists():
            data = _read(path)
            parts = {
                "dates": DateRules(**data.get("dates", {})),
                "search": SearchRules(**data.get("search", {})),
            }
            return LanguageRules(**{**data, **parts})
    return LanguageRules()


@cache
def languages_with_rules() -> tuple[str, ...]:
    """Return the codes of the languages that have a file."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "scripts"))


@cache
def script_letters() -> Mapping[str, str]:
    """Return Latin letters for the letters of all scripts that have a table; "" leaves one out."""
    tables: dict[str, dict[str, str]] = _read(FOLDER / "scripts.toml")
    return {letter: latin for table in tables.values() for letter, latin in table.items()}


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
