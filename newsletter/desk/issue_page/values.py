"""What an issue's page shows and saves, as plain text by field name, and how two saves are merged.

The values are compared, not a revision number, because an import, another page or the shell may
have changed them as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from newsletter.editorial import approval, ordering
from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.models import Issue, Topic, Trend
from newsletter.lib import characters

Values = dict[str, str]
FACTS = ("kind", "starts_on", "ends_on", "slug", "note")
TEXTS = ("subject", "preheader", "introduction")
"""An issue's texts in one language. Their fields are called `subject_en` and so on."""


@dataclass(frozen=True)
class Conflict:
    """A field that two people changed differently."""

    name: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class Merge:
    """One person's save, combined with what others have stored since the page was opened."""

    values: Values
    """What to store; for a conflict, what this person typed."""
    theirs: list[str]
    """Fields that only others changed."""
    conflicts: list[Conflict]


def languages_of(issue: Issue) -> list[str]:
    """Return the languages of the newsletter, and others in which the issue has texts."""
    return list(dict.fromkeys([*issue.newsletter.languages, *issue.texts()]))


def topics_of(issue: Issue) -> list[Topic]:
    """Return the topics that can have a trend in the issue. A special issue has none."""
    if issue.kind == Issue.Kind.SPECIAL:
        return []
    return list(issue.newsletter.topics.prefetch_related("translations"))


def current_values(issue: Issue) -> Values:
    """Return what is stored, by field name."""
    values = {
        "kind": issue.kind,
        "starts_on": issue.starts_on.isoformat(),
        "ends_on": issue.ends_on.isoformat(),
        "slug": issue.slug,
        "note": issue.note,
    }
    texts = issue.texts()
    for code in languages_of(issue):
        text = texts.get(code)
        values |= {f"{name}_{code}": getattr(text, name) if text else "" for name in TEXTS}
    trends = Trend.objects.for_issue(issue)
    values |= {f"trend_{topic.pk}": trends.get(topic.pk, "") for topic in topics_of(issue)}
    return {name: _normal(name, value) for name, value in values.items()}


def posted_values(post: Mapping[str, str], base: Mapping[str, str], names: Iterable[str]) -> Values:
    """Return what was typed. A field that the page didn't have keeps its value from `base`.

    Where the person chose a colleague's value for a conflict (`keep_…` = "theirs"), it is that one.
    """
    values = {}
    for name in names:
        keeps_theirs = post.get(f"keep_{name}") == "theirs"
        typed = base.get(name, "") if keeps_theirs else post.get(name, base.get(name, ""))
        values[name] = _normal(name, typed)
    return values


def parse_base(text: str) -> Values:
    """Return what the page showed when it was opened; nothing if that can't be parsed.

    Then every field that differs is a conflict.
    """
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(data, dict):
        return {}
    return {name: _normal(name, str(value)) for name, value in data.items()}


def merge(base: Mapping[str, str], current: Values, posted: Values) -> Merge:
    """Combine what was typed with what is stored by now, starting from what the page showed."""
    values, theirs, conflicts = {}, [], []
    for name, stored in current.items():
        typed = posted.get(name, stored)
        shown = base.get(name)
        values[name] = typed
        if typed == stored or stored == shown:
            continue
        if typed == shown:
            values[name] = stored
            theirs.append(name)
        else:
            conflicts.append(Conflict(name, typed, stored))
    return Merge(values, theirs, conflicts)


def token(issue: Issue) -> str:
    """Return a name for all that the page shows of the issue, and all that is sent of it.

    Approving and sending are refused if it isn't the one that the page showed.
    """
    state = [current_values(issue), ordering.order_of(issue), approval.current_digest(issue)]
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:32]


def _normal(name: str, value: str) -> str:
    """Return the text as it would be stored, whatever line ends the browser sends."""
    text = value.replace("\r\n", "\n").strip()
    if not name.startswith("introduction_"):
        return text
    try:
        return clean_html(characters.markup(text))
    except characters.UnfitCharacterError:
        return text  # its field says so
