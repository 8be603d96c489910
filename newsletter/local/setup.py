"""One's own newsroom, as little as it takes to begin; the admin has the rest."""

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
    """There is a newsroom already."""


def create_newsroom(*, name: str, languages: list[str], address: str, time_zone: str) -> Newsletter:
    """Make the newsroom and its first newsletter. The name stands for every language at first.

    Raises AlreadyBegunError, or ValidationError by field; then nothing is stored.
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
            in_language = NewsroomTranslation(newsroom=newsroom, language=language, name=name)
            in_language.full_clean()
            in_language.save()
            NewsletterTranslation.objects.create(
                newsletter=newsletter, language=language, name=name
            )
    return newsletter
