"""Documents that `manage.py import_issues` takes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

CHOICES = [
    {"label": "EN", "languages": ["en"]},
    {"label": "BE/RU", "languages": ["be", "ru"]},
]


def article(category: str = "security", *, credit: str = "", **headlines: str) -> dict[str, Any]:
    """Return an article with a headline per language; lead and text are made from the headline."""
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
    """Return a newsletter with an approved issue for each Monday."""
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
