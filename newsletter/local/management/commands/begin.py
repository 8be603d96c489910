"""`manage.py begin`: removes the sample newsroom and begins one's own."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from newsletter.editorial.models import Newsroom
from newsletter.lib.environment import words
from newsletter.local import first_run
from newsletter.local.beginning import AlreadyBegunError, begin
from newsletter.local.sample import removing

QUESTIONS = {
    "name": "Name of the newsroom: ",
    "languages": "Its languages, the first one first (such as be,ru,en): ",
    "address": "Address that its mail comes from: ",
}


class Command(BaseCommand):
    help = "Removes the sample newsroom and begins your own; asks for what is not given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", help="the newsroom's name")
        parser.add_argument("--languages", help="codes in order: be,ru,en")
        parser.add_argument("--address", help="the From of its mail")

    def handle(self, *args: Any, **options: Any) -> None:
        if Newsroom.objects.filter(is_sample=False).exists():
            raise CommandError("Your newsroom has begun already; nothing was changed.")
        answers = {field: options[field] or _ask(field) for field in QUESTIONS}
        try:
            # One step: whoever mistypes an address still has the sample to look at.
            with transaction.atomic():
                if Newsroom.objects.filter(is_sample=True).exists():
                    removing.remove()
                newsletter = begin(
                    name=answers["name"].strip(),
                    languages=words(answers["languages"]),
                    address=answers["address"].strip(),
                )
        except AlreadyBegunError:
            raise CommandError("There is a newsroom already; nothing was changed.") from None
        except ValidationError as error:
            raise CommandError(_in_words(error)) from None
        first_run.issue_was_sent()
        self.stdout.write(
            f"Begun: {newsletter.slug}. Its wording, topics and schedule are in the admin."
        )


def _ask(field: str) -> str:
    try:
        return input(QUESTIONS[field])
    except EOFError:
        raise CommandError(f"--{field} is needed; nothing was changed.") from None


def _in_words(error: ValidationError) -> str:
    lines = [f"{field}: {text}" for field, texts in error.message_dict.items() for text in texts]
    return "\n".join(["Nothing was changed.", *lines])
