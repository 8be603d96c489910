"""`manage.py begin`: replace the sample newsroom with your own."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from newsletter.editorial.models import Newsroom
from newsletter.lib.environment import split_list
from newsletter.lib.time_zones import system_time_zone, validate_zone
from newsletter.local import first_run
from newsletter.local.sample import removal
from newsletter.local.setup import NewsroomExistsError, create_newsroom

ZONE_EXAMPLES = "Give an IANA name, such as Europe/Minsk or Europe/Brussels."
QUESTIONS = {
    "name": "Name of the newsroom: ",
    "languages": "Languages, the main one first (such as be,ru,en): ",
    "address": "Sender address of its emails: ",
}


class Command(BaseCommand):
    help = "Replaces the sample newsroom with your own. Asks for any option that you leave out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", help="name of the newsroom")
        parser.add_argument("--languages", help="language codes, the main one first: be,ru,en")
        parser.add_argument("--address", help="sender address of its emails")
        parser.add_argument(
            "--time-zone",
            metavar="ZONE",
            help="IANA time zone of its schedule and dates: Europe/Minsk",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # This may be the first command of a new installation.
        call_command("migrate", interactive=False, verbosity=0)
        if Newsroom.objects.filter(is_sample=False).exists():
            raise CommandError("You already have a newsroom. Nothing was changed.")
        if options["time_zone"]:
            _require_zone(options["time_zone"])
        answers = {field: options[field] or _ask(field, QUESTIONS[field]) for field in QUESTIONS}
        time_zone = options["time_zone"] or self._ask_time_zone()
        try:
            # In one transaction, so that a typing mistake doesn't cost the sample.
            with transaction.atomic():
                if Newsroom.objects.filter(is_sample=True).exists():
                    removal.remove()
                newsletter = create_newsroom(
                    name=answers["name"].strip(),
                    languages=split_list(answers["languages"]),
                    address=answers["address"].strip(),
                    time_zone=time_zone,
                )
        except NewsroomExistsError:
            raise CommandError("A newsroom exists already. Nothing was changed.") from None
        except ValidationError as error:
            raise CommandError(_error_lines(error)) from None
        first_run.clear_sample_issue()
        self.stdout.write(
            f"Created the newsletter “{newsletter.slug}” in the time zone {time_zone}. "
            "Set its texts, topics and schedule in the admin."
        )

    def _ask_time_zone(self) -> str:
        suggested = system_time_zone()
        while True:
            answer = _ask("time-zone", f"Time zone [{suggested}]: ").strip() or suggested
            try:
                validate_zone(answer)
            except ValidationError as error:
                self.stdout.write(f"{error.messages[0]} {ZONE_EXAMPLES}")
                continue
            return answer


def _ask(option: str, question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise CommandError(f"Please give --{option}. Nothing was changed.") from None


def _require_zone(name: str) -> None:
    try:
        validate_zone(name)
    except ValidationError as error:
        raise CommandError(f"{error.messages[0]} {ZONE_EXAMPLES} Nothing was changed.") from None


def _error_lines(error: ValidationError) -> str:
    lines = [f"{field}: {text}" for field, texts in error.message_dict.items() for text in texts]
    return "\n".join(["Nothing was changed.", *lines])
