"""The newsroom, the newsletter and its categories of a document."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from newsletter.editorial import models
from newsletter.editorial.cleaning import clean_html
from newsletter.editorial.importing.document import Scope
from newsletter.editorial.importing.faults import Node
from newsletter.editorial.importing.files import stored_picture
from newsletter.editorial.importing.report import ImportReport, put, write
from newsletter.lib.zones import validate_zone

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
SETTINGS: dict[str, Callable[[Node], Any]] = {
    "sender_address": lambda node: node.text(longest=254, required=True),
    "reply_to": lambda node: node.text(longest=254),
    "approval": lambda node: node.one_of(list(models.Newsletter.Approval.values)),
    "content": lambda node: node.one_of(list(models.Newsletter.Content.values)),
    "pictures": lambda node: node.one_of(list(models.Newsletter.Pictures.values)),
    "least_articles": lambda node: node.number(most=1000),
}
WORDING = {"name": 120, "sender_name": 120, "promise": 300, "footer": 500}


def store_newsletter(node: Node, report: ImportReport) -> models.Newsletter:
    node.only("slug", "languages", "choices", "schedule", *SETTINGS, *WORDING)
    slug = node["slug"].slug()
    known = models.Newsletter.objects.filter(slug=slug).first()
    values = {name: read(node[name]) for name, read in SETTINGS.items() if name in node}
    values |= _languages(node) | _schedule(node.child("schedule", {}))
    if known is None and "sender_address" not in values:
        values["sender_address"] = made_up_address()
        report.notes.append(
            _("No sender address was given: mails come from %(address)s until you change it.")
            % {"address": values["sender_address"]}
        )
    newsletter = write(known or models.Newsletter(slug=slug), report, values, place=node)
    _store_wording(node, newsletter, report)
    return newsletter


def made_up_address() -> str:
    """A sender address for a newsletter that has none: at the site's host, or, where that is a
    number or this machine, at a name that RFC 2606 reserves, which reaches nobody."""
    host = str(urlsplit(settings.SITE_URL).hostname)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f"newsletter@{host if '.' in host else 'newsroom.example'}"
    return "newsletter@newsroom.example"


def _languages(node: Node) -> dict[str, Any]:
    languages = [child.language() for child in node["languages"].items()]
    choices = []
    for child in node.child("choices", []).items():
        child.only("label", "languages")
        chain = [each.one_of(languages) for each in child["languages"].items()]
        choices.append({"label": child["label"].text(required=True), "languages": chain})
    return {"languages": languages, **({"choices": choices} if "choices" in node else {})}


def _schedule(node: Node) -> dict[str, Any]:
    node.only("weekday", "time", "timezone", "period", "active")
    values: dict[str, Any] = {}
    if "weekday" in node:
        values["weekday"] = WEEKDAYS.index(node["weekday"].one_of(WEEKDAYS))
    if "time" in node:
        values["time"] = node["time"].time()
    if "timezone" in node:
        values["timezone"] = _zone(node["timezone"])
    if "period" in node:
        values["period"] = node["period"].one_of(list(models.Newsletter.Period.values))
    if "active" in node:
        values["schedule_active"] = node["active"].truth()
    return values


def _zone(node: Node) -> str:
    try:
        validate_zone(name := node.text())
    except ValidationError as error:
        raise node.fault(error.messages[0]) from None
    return name


def _store_wording(node: Node, newsletter: models.Newsletter, report: ImportReport) -> None:
    allowed = tuple(newsletter.languages)
    wording = {key: node.texts(key, longest=most, allowed=allowed) for key, most in WORDING.items()}
    for code in [c for c in allowed if any(c in texts for texts in wording.values())]:
        values = {key: texts[code] for key, texts in wording.items() if code in texts}
        known_by = {"newsletter": newsletter, "language": code}
        exists = newsletter.translations.filter(language=code).exists()
        if not exists and not values.get("name"):
            values["name"] = next(iter(wording["name"].values()), newsletter.slug)
        put(models.NewsletterTranslation, report, known_by, values, place=node)


def store_topics(
    node: Node, newsletter: models.Newsletter, report: ImportReport
) -> dict[str, models.Topic]:
    """The newsletter's topics by short name: those of the document, and those it has already."""
    for position, child in enumerate(node.items()):
        child.only("slug", "name")
        known_by = {"newsletter": newsletter, "slug": child["slug"].slug()}
        topic = put(models.Topic, report, known_by, {"position": position}, place=child)
        names = child.texts("name", longest=120, allowed=tuple(newsletter.languages))
        for code, name in names.items():
            put(
                models.TopicTranslation,
                report,
                {"topic": topic, "language": code},
                {"name": name},
                place=child,
            )
    return {topic.slug: topic for topic in newsletter.topics.all()}


def scope_of(newsletter: models.Newsletter, topics: dict[str, models.Topic]) -> Scope:
    zone = ZoneInfo(newsletter.timezone)
    return Scope(tuple(newsletter.languages), zone, frozenset(topics))


ROOM_WORDING: dict[str, int] = {"name": 120, "tagline": 200, "about": 100_000, "privacy": 100_000}


def store_newsroom(
    node: Node, newsletter: models.Newsletter, report: ImportReport, *, base: Path
) -> None:
    """The newsroom as the document has it; where there is none, one of the newsletter's name."""
    node.only("accent", "ink", "postal_address", "follow_links", "logo", *ROOM_WORDING)
    room = models.Newsroom.objects.first()
    if room is not None and not node.value:
        return
    values: dict[str, Any] = {
        key: node[key].text(longest=300)
        for key in ("accent", "ink", "postal_address")
        if key in node
    }
    if "follow_links" in node:
        values["follow_links"] = [_link(child) for child in node["follow_links"].items()]
    if "logo" in node:
        values["logo"] = stored_picture(node["logo"], base=base, folder="newsroom")
    room = write(room or models.Newsroom(), report, values, place=node)
    _store_room_wording(node, room, newsletter, report)


def _link(node: Node) -> dict[str, str]:
    node.only("label", "url")
    return {"label": node["label"].text(required=True), "url": node["url"].text(required=True)}


def _store_room_wording(
    node: Node, room: models.Newsroom, newsletter: models.Newsletter, report: ImportReport
) -> None:
    wording = {key: node.texts(key, longest=most) for key, most in ROOM_WORDING.items()}
    if not wording["name"] and not room.translations.exists():
        wording["name"] = dict(newsletter.translations.values_list("language", "name"))
    codes = dict.fromkeys(code for texts in wording.values() for code in texts)
    for code in codes:
        values = {key: texts[code] for key, texts in wording.items() if code in texts}
        for page in {"about", "privacy"} & set(values):
            values[page] = clean_html(values[page])
        known_by = {"newsroom": room, "language": code}
        put(models.NewsroomTranslation, report, known_by, values, place=node)
