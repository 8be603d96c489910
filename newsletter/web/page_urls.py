"""A page's canonical URL and its URLs in the other languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from newsletter.lib.languages import language_name
from newsletter.web.languages import short_label

SLUG = re.compile(r"[-a-zA-Z0-9_]+")


@dataclass(frozen=True)
class Alternate:
    """The page in one language; `path` starts with a slash."""

    language: str
    path: str

    @property
    def url(self) -> str:
        return absolute_url(self.path)

    @property
    def label(self) -> str:
        return short_label(self.language)

    @property
    def name(self) -> str:
        return language_name(self.language)


@dataclass(frozen=True)
class PageUrls:
    """The URLs in a page's head and its language switch.

    `alternates` are the page's translations including itself, for hreflang (F4); empty if the
    canonical URL is another page's. `language_switch` has a link for every language of the site.
    """

    canonical: str
    language_switch: tuple[Alternate, ...]
    alternates: tuple[Alternate, ...] = ()
    default: str = ""
    """The URL for x-default."""


def absolute_url(path: str) -> str:
    """Return the public URL of a path."""
    return f"{settings.SITE_URL}{path}"


def site_languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


def fits_url(slug: str) -> bool:
    """Return whether a stored slug is one. A row written past the forms may have any text."""
    return bool(SLUG.fullmatch(slug))


def localized_path(language: str, name: str, **kwargs: str) -> str:
    """Return the path of a named URL in one language."""
    with translation.override(language):
        return reverse(name, kwargs=kwargs)


def urls_in_every_language(name: str, *, language: str, query: str = "", **kwargs: str) -> PageUrls:
    """Return the URLs of a page that exists in every language of the site."""
    alternates = tuple(
        Alternate(code, localized_path(code, name, **kwargs) + query) for code in site_languages()
    )
    own = next(a for a in alternates if a.language == language)
    return PageUrls(own.url, alternates, alternates, alternates[0].url)


def article_urls(
    slugs: Mapping[str, str], *, language: str, shown: str, fallbacks: Mapping[str, str]
) -> PageUrls:
    """Return the URLs of an article shown in language `shown` on a page in `language`.

    `slugs` has the slug of each translation. `fallbacks` maps each language of the site to the
    language of the translation that its page shows.
    """
    language_switch = tuple(
        Alternate(code, localized_path(code, "web:article", slug=slugs[fallbacks[code]]))
        for code in site_languages()
    )
    # A translation in a language that the site lacks belongs to the site's first language.
    home = shown if shown in site_languages() else site_languages()[0]
    canonical = absolute_url(localized_path(home, "web:article", slug=slugs[shown]))
    if shown != language:
        return PageUrls(canonical, language_switch)
    alternates = tuple(a for a in language_switch if a.language in slugs)
    return PageUrls(canonical, language_switch, alternates, alternates[0].url if alternates else "")
