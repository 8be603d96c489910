"""`manage.py add_reader EMAIL --newsletter N --languages be,ru`: confirmed by the operator."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.editorial.arguments import newsletter_by_slug
from newsletter.lib.environment import words
from newsletter.lib.languages import language_name
from subscribers.addresses import AddressError
from subscribers.crypto.sealing import SealedError
from subscribers.lifecycle import LifecycleError, add_confirmed
from subscribers.models import Subscription


class Command(BaseCommand):
    help = "Add a reader whose consent you vouch for; it is recorded as such, and no mail is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the reader's address")
        parser.add_argument("--newsletter", required=True, help="its short name")
        parser.add_argument(
            "--languages", required=True, type=words, help="the reader's, in order: be,ru"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        newsletter = newsletter_by_slug(options["newsletter"])
        languages: list[str] = options["languages"]
        try:
            subscription = add_confirmed(
                options["email"],
                newsletter=newsletter,
                languages=languages,
                page_language=next(iter(languages), ""),
                source=Subscription.Source.OPERATOR,
            )
        except (AddressError, LifecycleError) as error:
            raise CommandError(str(error)) from None
        except SealedError as error:
            raise CommandError(f"An address cannot be sealed here: {error}.") from None
        names = ", ".join(language_name(code) for code in subscription.languages)
        self.stdout.write(f"Added to “{newsletter.slug}” in: {names}.")
