"""Findings of checks: how severe each is, where it stands, and which page can fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    BLOCKS = "blocks"
    """The issue can't go out until this is fixed."""
    WARNS = "warns"
    """The issue can go out, but an editor should know."""


@dataclass(frozen=True)
class Problem:
    """One finding for editors, translated.

    `code` names the check. Where it was found is stated, too: the article (None if it concerns the
    whole issue), the language of the text ("" for all) and the form's field.
    """

    severity: Severity
    text: str
    article_id: int | None = None
    code: str = ""
    language: str = ""
    field: str = ""

    @property
    def anchor(self) -> str:
        """The query and fragment that lead to the field on the article's page."""
        query = f"?language={self.language}" if self.language else ""
        return query + (f"#id_{self.field}" if self.field else "")
