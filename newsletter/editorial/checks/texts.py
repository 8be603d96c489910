"""Checks of the words and links of one text: a translation of an article, or of an issue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from newsletter.digest.rich_text.structure import canonical
from newsletter.digest.rich_text.text import plain_words
from newsletter.digest.rich_text.tree import Element
from newsletter.editorial.checks.problems import Problem, Severity
from newsletter.lib.languages import language_name
from newsletter.lib.writing import words
from newsletter.lib.writing.links import ERRORS, LinkFault, faults_of, links_in

LONGEST_SUBJECT = 78
"""Longer ones are cut off in many lists of emails; the line length that RFC 5322 recommends."""
_RICH = {"body", "introduction"}
_SHOWN = 3
"""How many examples of one fault a problem names."""


@dataclass(frozen=True)
class Place:
    """Where a text stands: how it is named in a problem, and its language."""

    name: str
    language: str
    article_id: int | None = None

    def problem(self, severity: Severity, code: str, field: str, text: str) -> Problem:
        place = f"{self.name} ({language_name(self.language)})"
        return Problem(
            severity,
            f"{place}: {text}",
            self.article_id,
            code,
            self.language if self.article_id else "",
            field,
        )


def check_fields(place: Place, fields: dict[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with the fields of a text, by their names in its form."""
    for field, value in fields.items():
        if not value:
            continue
        lines = _lines(value) if field in _RICH else [value]
        for check in _CHECKS:
            yield from check(place, field, "\n".join(lines))
        own = _lines(value, skip_marked=True) if field in _RICH else lines
        yield from _check_language(place, field, own)
        if field in _RICH:
            yield from _check_links(place, field, value)


def _lines(html: str, *, skip_marked: bool = False) -> list[str]:
    """Return the words of each block; with `skip_marked`, only of those that are in the text's own
    language, as far as their markup says."""
    return [
        plain_words([block]) for block in canonical(html) if not (skip_marked and _is_marked(block))
    ]


def _is_marked(block: Element) -> bool:
    return "lang" in block.attrs or any("lang" in each.attrs for each in block.elements())


def _check_placeholders(place: Place, field: str, text: str) -> Iterator[Problem]:
    for found in words.placeholders(text):
        yield place.problem(
            Severity.BLOCKS,
            "placeholder",
            field,
            _("a placeholder is left: “%(text)s”.") % {"text": found},
        )


def _check_letters(place: Place, field: str, text: str) -> Iterator[Problem]:
    if field == "slug":
        return
    if mixed := words.mixed_words(text):
        yield place.problem(
            Severity.WARNS,
            "mixed-alphabets",
            field,
            _("two alphabets in one word: %(words)s.") % {"words": _quoted(mixed)},
        )
    if disguised := words.disguised_words(text, place.language):
        yield place.problem(
            Severity.WARNS,
            "latin-look-alikes",
            field,
            _("a word of Latin characters that look Cyrillic: %(words)s.")
            % {"words": _quoted(disguised)},
        )


def _check_doubled(place: Place, field: str, text: str) -> Iterator[Problem]:
    if doubled := words.doubled_words(text):
        yield place.problem(
            Severity.WARNS,
            "doubled-word",
            field,
            _("a word stands twice: %(words)s.") % {"words": _quoted(doubled)},
        )


def _check_language(place: Place, field: str, paragraphs: list[str]) -> Iterator[Problem]:
    if field in {"slug", "authors"}:
        return
    for paragraph in paragraphs:
        if other := words.other_language(paragraph, place.language):
            yield place.problem(
                Severity.WARNS,
                "other-language",
                field,
                _("this looks like %(language)s: “%(text)s”.")
                % {"language": language_name(other), "text": _short(paragraph)},
            )
            return


_CHECKS: tuple[Callable[[Place, str, str], Iterable[Problem]], ...] = (
    _check_placeholders,
    _check_letters,
    _check_doubled,
)


def _check_links(place: Place, field: str, html: str) -> Iterator[Problem]:
    for link in links_in(html):
        for fault in faults_of(link, site=settings.SITE_URL):
            severity = Severity.BLOCKS if fault in ERRORS else Severity.WARNS
            values = {"words": _short(link.text or link.href), "address": _short(link.href)}
            yield place.problem(severity, f"link-{fault}", field, _say(fault) % values)


def _say(fault: LinkFault) -> str:
    match fault:
        case LinkFault.EMPTY:
            return _("the link “%(words)s” leads nowhere.")
        case LinkFault.RELATIVE:
            return _("the link “%(words)s” works on our pages only: %(address)s.")
        case LinkFault.SCHEME:
            return _("the link “%(words)s” can’t be opened by readers: %(address)s.")
        case LinkFault.PRIVATE:
            return _("the link “%(words)s” leads to the desk or to one reader’s page.")
        case LinkFault.LOCAL:
            return _("the link “%(words)s” leads to a machine that readers can’t reach.")
        case LinkFault.SHORTENER:
            return _("the link “%(words)s” hides where it leads: %(address)s.")
        case LinkFault.LOOKALIKE:
            return _("the link “%(words)s” mixes alphabets in its address: %(address)s.")
        case LinkFault.VAGUE:
            return _("the words of the link “%(words)s” don’t say where it leads.")


def check_subject(place: Place, subject: str, *, last: str) -> Iterator[Problem]:
    """Yield what is wrong with a subject. `last` is the one of the issue before, or ""."""
    if len(subject) > LONGEST_SUBJECT:
        yield place.problem(
            Severity.WARNS,
            "long-subject",
            f"subject_{place.language}",
            _("the subject has %(count)s characters. After %(limit)s it may be cut off.")
            % {"count": len(subject), "limit": LONGEST_SUBJECT},
        )
    if subject and subject.casefold() == last.casefold():
        yield place.problem(
            Severity.WARNS,
            "repeated-subject",
            f"subject_{place.language}",
            _("the subject is the same as last time."),
        )


def _quoted(found: list[str]) -> str:
    more = " …" if len(found) > _SHOWN else ""
    return ", ".join(f"“{each}”" for each in found[:_SHOWN]) + more


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59].rstrip()}…"
