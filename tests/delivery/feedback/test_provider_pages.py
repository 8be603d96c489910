"""Each provider has a page that says how to set it up, and the page agrees with the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.delivery.feedback.providers import HOOKS
from newsletter.transport.esp.profiles import PROFILES

PAGES = Path(__file__).resolve().parents[3] / "docs" / "providers"


def test_every_provider_with_a_profile_has_a_page() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(PROFILES)
    assert set(HOOKS) == set(PROFILES) - {"scaleway"}


@pytest.mark.parametrize("name", PROFILES)
def test_a_page_says_what_is_needed(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert f"anymail+{name}://" in text
    for option in PROFILES[name].required:
        assert f"{option}=" in text
    for heading in ("Sending", "Webhook", "DNS", "Limits and quirks"):
        assert f"\n## {heading}\n" in text
    assert f"]({name}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")
    if name in HOOKS:
        login = "" if HOOKS[name].is_signed else "user:password@"
        assert f"https://{login}news.example.org/hooks/{name}/`" in text
        assert f"WEBHOOK_SECRET_{name.upper()}" in text
