"""Newsletters for a site: documents as `manage.py import_issues` takes them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

CHOICES = [
    {"label": "EN", "languages": ["en"]},
    {"label": "BE/RU", "languages": ["be", "ru"]},
]


def article(category: str = "security", *, credit: str = "", **headlines: str) -> dict[str, Any]:
    """An article with a headline in each language given; lead and text follow from it."""
    return {
        "category": category,
        "image_credit": credit or None,
        "translations": {
            language: {
                "headline": headline,
                "lead": f"{headline} — lead.",
                "body": f"<p>{headline} — text.</p>",
            }
            for language, headline in headlines.items()
        },
    }


def document(slug: str, issues: dict[str, list[dict[str, Any]]], **names: str) -> dict[str, Any]:
    """A newsletter with an approved issue for each Monday."""
    return {
        "newsletter": {
            "slug": slug,
            "name": names or {"en": slug.title(), "be": slug.title(), "ru": slug.title()},
            "languages": ["en", "be", "ru"],
            "choices": CHOICES,
            "schedule": {"weekday": "tuesday", "time": "09:00", "timezone": "Europe/Minsk"},
        },
        "categories": [
            {
                "slug": "security",
                "name": {"en": "Security", "be": "Бяспека", "ru": "Безопасность"},
            },
            {"slug": "west", "name": {"en": "The West", "be": "Захад", "ru": "Запад"}},
        ],
        "issues": [
            {
                "starts_on": monday,
                "ends_on": (date.fromisoformat(monday) + timedelta(days=6)).isoformat(),
                "approved": True,
                "articles": articles,
            }
            for monday, articles in issues.items()
        ],
    }
