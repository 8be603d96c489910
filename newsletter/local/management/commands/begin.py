"""`manage.py begin`: removes the sample newsroom and begins one's own."""

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

HOW_ZONES_LOOK = "Name one as the IANA does, such as Europe/Minsk or Europe/Brussels."
QUESTIONS = {
    "name": "Name of the newsroom: ",
    "languages": "Its languages, the first one first (such as be,ru,en): ",
    "address": "Address that its emails come from: ",
}


class Command(BaseCommand):
    help = "Removes the sample newsroom and begins your own; asks for what is not given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", help="the newsroom's name")
        parser.add_argument("--languages", help="codes in order: be,ru,en")
        parser.add_argument("--address", help="the From address of its emails")
        parser.add_argument(
            "--time-zone",
            metavar="ZONE",
            help="IANA zone in which its schedule and dates are: Europe/Minsk",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # The first command of a new installation may be this one.
        call_command("migrate", interactive=False, verbosity=0)
        if Newsroom.objects.filter(is_sample=False).exists():
            raise CommandError("Your newsroom has begun already; nothing was changed.")
        if options["time_zone"]:
            _insist_on_zone(options["time_zone"])
        answers = {field: options[field] or _ask(field, QUESTIONS[field]) for field in QUESTIONS}
        time_zone = options["time_zone"] or self._ask_time_zone()
        try:
            # One step: whoever mistypes an address still has the sample to look at.
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
            raise CommandError("There is a newsroom already; nothing was changed.") from None
        except ValidationError as error:
            raise CommandError(_in_words(error)) from None
        first_run.clear_sample_issue()
        self.stdout.write(
            f"Begun: {newsletter.slug}, in the time zone {time_zone}. "
            "Its wording, topics and schedule are in the admin."
        )

    def _ask_time_zone(self) -> str:
        suggested = system_time_zone()
        while True:
            given = _ask("time-zone", f"Its time zone [{suggested}]: ").strip() or suggested
            try:
                validate_zone(given)
            except ValidationError as error:
                self.stdout.write(f"{error.messages[0]} {HOW_ZONES_LOOK}")
                continue
            return given


def _ask(option: str, question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise CommandError(f"--{option} is needed; nothing was changed.") from None


def _insist_on_zone(name: str) -> None:
    try:
        validate_zone(name)
    except ValidationError as error:
        raise CommandError(f"{error.messages[0]} {HOW_ZONES_LOOK} Nothing was changed.") from None


def _in_words(error: ValidationError) -> str:
    lines = [f"{field}: {text}" for field, texts in error.message_dict.items() for text in texts]
    return "\n".join(["Nothing was changed.", *lines])
