"""Store the newsroom, newsletter and categories of a document that differ from the database."""

from __future__ import annotations

import ipaddress
from typing import Any, get_args
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from newsletter.editorial import models
from newsletter.editorial.importing import schema
from newsletter.editorial.importing.files import PictureFolder
from newsletter.editorial.importing.report import ImportReport, save_if_changed, upsert
from newsletter.editorial.importing.rich_text import clean_rich_text

NEWSLETTER_TEXTS = ("name", "sender_name", "promise", "footer")
NEWSROOM_TEXTS = ("name", "tagline", "about", "privacy")
NEWSROOM_PAGES = {"about", "privacy"}
NEWSLETTER_PATH, NEWSROOM_PATH = "newsletter", "newsroom"


def store_newsletter(data: schema.Newsletter, report: ImportReport) -> models.Newsletter:
    known = models.Newsletter.objects.filter(slug=data.slug).first()
    values = data.model_dump(exclude={"slug", "schedule", *NEWSLETTER_TEXTS}, exclude_none=True)
    values |= _schedule(data.schedule)
    if known is None and "sender_address" not in values:
        values["sender_address"] = placeholder_sender_address()
        report.notes.append(
            _("No sender address was given. Emails will come from %(address)s until you change it.")
            % {"address": values["sender_address"]}
        )
    row = known or models.Newsletter(slug=data.slug)
    newsletter = save_if_changed(row, report, values, location=NEWSLETTER_PATH)
    _store_newsletter_texts(data, newsletter, report)
    return newsletter


def placeholder_sender_address() -> str:
    """Return a sender address for a newsletter without one, at the host of SITE_URL.

    If that is an IP address or a local name, the domain is one that RFC 2606 reserves.
    """
    host = str(urlsplit(settings.SITE_URL).hostname)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f"newsletter@{host if '.' in host else 'newsroom.example'}"
    return "newsletter@newsroom.example"


def _schedule(data: schema.Schedule) -> dict[str, Any]:
    values = data.model_dump(exclude_none=True)
    if "weekday" in values:
        values["weekday"] = get_args(schema.Weekday).index(values["weekday"])
    if "active" in values:
        values["schedule_active"] = values.pop("active")
    return values


def _store_newsletter_texts(
    data: schema.Newsletter, newsletter: models.Newsletter, report: ImportReport
) -> None:
    texts_by_field: dict[str, dict[str, str]] = {
        key: getattr(data, key) for key in NEWSLETTER_TEXTS
    }
    for code in [c for c in data.languages if any(c in texts for texts in texts_by_field.values())]:
        values = {key: texts[code] for key, texts in texts_by_field.items() if code in texts}
        known_by = {"newsletter": newsletter, "language": code}
        exists = newsletter.translations.filter(language=code).exists()
        if not exists and not values.get("name"):
            values["name"] = next(iter(data.name.values()), newsletter.slug)
        upsert(models.NewsletterTranslation, report, known_by, values, location=NEWSLETTER_PATH)


def store_topics(
    categories: list[schema.Category], newsletter: models.Newsletter, report: ImportReport
) -> dict[str, models.Topic]:
    """Store the categories and return all of the newsletter's topics by slug."""
    for position, data in enumerate(categories):
        location = f"categories[{position}]"
        known_by = {"newsletter": newsletter, "slug": data.slug}
        topic = upsert(models.Topic, report, known_by, {"position": position}, location=location)
        for code, name in data.name.items():
            known_by = {"topic": topic, "language": code}
            upsert(models.TopicTranslation, report, known_by, {"name": name}, location=location)
    return {topic.slug: topic for topic in newsletter.topics.all()}


def store_newsroom(
    data: schema.Newsroom,
    newsletter: models.Newsletter,
    report: ImportReport,
    *,
    pictures: PictureFolder,
) -> None:
    """Store the newsroom. If there is none at all, create one with the newsletter's name."""
    room = models.Newsroom.objects.first()
    if room is not None and not data.model_fields_set:
        return
    values = data.model_dump(exclude={"logo", *NEWSROOM_TEXTS}, exclude_none=True)
    if data.logo is not None:
        values["logo"] = pictures.stored(data.logo, folder="newsroom").name
    room = save_if_changed(room or models.Newsroom(), report, values, location=NEWSROOM_PATH)
    _store_newsroom_texts(data, room, newsletter, report)


def _store_newsroom_texts(
    data: schema.Newsroom,
    room: models.Newsroom,
    newsletter: models.Newsletter,
    report: ImportReport,
) -> None:
    texts_by_field: dict[str, dict[str, str]] = {key: getattr(data, key) for key in NEWSROOM_TEXTS}
    if not texts_by_field["name"] and not room.translations.exists():
        texts_by_field["name"] = dict(newsletter.translations.values_list("language", "name"))
    for code in dict.fromkeys(code for texts in texts_by_field.values() for code in texts):
        values = {key: texts[code] for key, texts in texts_by_field.items() if code in texts}
        for key in NEWSROOM_PAGES & values.keys():
            location = f"{NEWSROOM_PATH}.{key}.{code}"
            values[key] = clean_rich_text(values[key], report, location=location)
        known_by = {"newsroom": room, "language": code}
        upsert(models.NewsroomTranslation, report, known_by, values, location=NEWSROOM_PATH)
