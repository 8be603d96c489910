"""The `newsroom` variable in every template. Nothing is queried until a template uses it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import translate_url
from django.utils import timezone
from django.utils.translation import get_language

from newsletter.editorial.models import Issue, Newsletter, Newsroom, NewsroomTranslation, Topic
from newsletter.web.archive import IssueView, issue_view
from newsletter.web.colours import palette
from newsletter.web.page_urls import Alternate, localized_path, site_languages


@dataclass(frozen=True)
class TopicLink:
    slug: str
    name: str


class Masthead:
    """The newsroom in one language. Each property queries the database at most once."""

    def __init__(self, request: HttpRequest, language: str) -> None:
        self._request, self._language = request, language

    @cached_property
    def room(self) -> Newsroom | None:
        return Newsroom.objects.prefetch_related("translations").first()

    @cached_property
    def newsletters(self) -> list[Newsletter]:
        return list(Newsletter.objects.prefetch_related("translations"))

    @cached_property
    def text(self) -> NewsroomTranslation | None:
        return self.room.any_text(self.chain) if self.room else None

    @cached_property
    def chain(self) -> tuple[str, ...]:
        if not self.newsletters:
            return (self._language, *site_languages())
        return self.newsletters[0].chain_for(self._language)

    @property
    def name(self) -> str:
        return self.text.name if self.text else ""

    @property
    def tagline(self) -> str:
        return self.text.tagline if self.text else ""

    @property
    def logo_url(self) -> str:
        return self.room.logo.url if self.room and self.room.logo else ""

    @property
    def follow_links(self) -> list[dict[str, str]]:
        links = self.room.follow_links if self.room else []
        return [
            {"label": str(link.get("label") or link["url"]), "url": link["url"]}
            for link in links
            if isinstance(link, dict) and str(link.get("url", "")).startswith("https://")
        ]

    @cached_property
    def colours(self) -> dict[str, str]:
        room = self.room
        return palette(room.accent, room.ink) if room else palette("", "")

    @cached_property
    def topics(self) -> list[TopicLink]:
        """The topics of the first newsletter."""
        if not self.newsletters:
            return []
        topics = Topic.objects.filter(newsletter=self.newsletters[0])
        return [
            TopicLink(topic.slug, topic.name_in(self.chain))
            for topic in topics.prefetch_related("translations")
        ]

    @cached_property
    def latest(self) -> IssueView | None:
        """The latest public issue."""
        now = timezone.now()
        issue = Issue.objects.with_texts().latest_public(now)
        return issue_view(issue, self._language, at=now) if issue else None

    @property
    def language_switch(self) -> list[Alternate]:
        """Links to this page in each language.

        They lead to the home page if this page answers a form or doesn't exist in that language.
        """
        return [Alternate(code, self._path_in(code)) for code in site_languages()]

    def _path_in(self, code: str) -> str:
        if self._request.method in {"GET", "HEAD"}:
            path = translate_url(self._request.get_full_path(), code)
            if path.startswith(f"/{code}/"):
                return path
        return localized_path(code, "web:home")


def newsroom(request: HttpRequest) -> dict[str, Any]:
    """A template context processor."""
    return {"newsroom": Masthead(request, get_language() or site_languages()[0])}
