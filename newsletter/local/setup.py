"""Create a newsroom with the minimum that it needs. The desk has all other settings."""

from __future__ import annotations

from django.db import transaction

from newsletter.editorial.models import (
    Newsletter,
    NewsletterTranslation,
    Newsroom,
    NewsroomTranslation,
)
from newsletter.editorial.slugs import slug_for


class NewsroomExistsError(Exception):
    """A newsroom exists already."""


def create_newsroom(*, name: str, languages: list[str], address: str, time_zone: str) -> Newsletter:
    """Create the newsroom and its first newsletter, with the same name in every language.

    Raises NewsroomExistsError, or ValidationError with a message for each field, and stores nothing
    then.
    """
    with transaction.atomic():
        if Newsroom.objects.exists():
            raise NewsroomExistsError
        newsletter = Newsletter(
            slug=slug_for(name, languages[0] if languages else "en")[:50],
            languages=languages,
            sender_address=address,
            timezone=time_zone,
        )
        newsletter.full_clean()
        newsletter.save()
        newsroom = Newsroom.objects.create()
        for language in languages:
            translation = NewsroomTranslation(newsroom=newsroom, language=language, name=name)
            translation.full_clean()
            translation.save()
            NewsletterTranslation.objects.create(
                newsletter=newsletter, language=language, name=name
            )
    return newsletter
