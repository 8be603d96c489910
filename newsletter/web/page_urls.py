"""A page's own address, and those of the same page in the other languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from newsletter.lib.languages import language_name
from newsletter.web.languages import short_label


@dataclass(frozen=True)
class Alternate:
    """The page in one language; `path` begins with a slash."""

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
    """What a page's head and its language switch need.

    `alternates` are the true versions, the page itself among them, for hreflang (F4); empty on a
    page whose canonical address is another's. `switch` leads somewhere in every language.
    """

    canonical: str
    switch: tuple[Alternate, ...]
    alternates: tuple[Alternate, ...] = ()
    default: str = ""
    """The URL for x-default."""


def absolute_url(path: str) -> str:
    """The public URL of a path of this site."""
    return f"{settings.SITE_URL}{path}"


def site_languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


def localized_path(language: str, name: str, **kwargs: str) -> str:
    """The path of a named page in one language."""
    with translation.override(language):
        return reverse(name, kwargs=kwargs)


def urls_in_every_language(name: str, *, language: str, query: str = "", **kwargs: str) -> PageUrls:
    """For a page that exists under the same name in every language of the site."""
    alternates = tuple(
        Alternate(code, localized_path(code, name, **kwargs) + query) for code in site_languages()
    )
    own = next(a for a in alternates if a.language == language)
    return PageUrls(own.url, alternates, alternates, alternates[0].url)


def article_urls(
    slugs: Mapping[str, str], *, language: str, shown: str, fallbacks: Mapping[str, str]
) -> PageUrls:
    """For an article with `slugs` by language, shown in language `shown` on a page in `language`.

    `fallbacks` names, for each language of the site, that of the text which its page shows.
    """
    switch = tuple(
        Alternate(code, localized_path(code, "web:article", slug=slugs[fallbacks[code]]))
        for code in site_languages()
    )
    # A text in a language that the site itself is not in belongs to the site's first language.
    home = shown if shown in site_languages() else site_languages()[0]
    canonical = absolute_url(localized_path(home, "web:article", slug=slugs[shown]))
    if shown != language:
        return PageUrls(canonical, switch)
    alternates = tuple(a for a in switch if a.language in slugs)
    return PageUrls(canonical, switch, alternates, alternates[0].url if alternates else "")
