"""`manage.py reset_second_factor USER`: for somebody who lost their phone and recovery codes."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.delivery.models import StaffSession
from newsletter.desk.sign_in.second_factor import reset_second_factor
from newsletter.desk.sign_in.sessions import end
from newsletter.editorial.models import User

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Remove a user's second factor and recovery codes, and sign them out everywhere. Make sure "
        "first, by voice or face to face, that it is them who asks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"No user is called {options['user']}.")
        removed = reset_second_factor(user)
        sessions = end(StaffSession.objects.filter(user=user))
        LogEntry.objects.log_actions(
            user_id=user.pk,
            queryset=[user],
            action_flag=CHANGE,
            change_message="Second factor removed by the operator (reset_second_factor).",
            single_object=True,
        )
        log.warning("second-factor-reset", extra={"user": user.pk, "removed": removed})
        self.stdout.write(
            f"Removed {removed} second factors and codes of {user.get_username()}, "
            f"and ended {sessions} sessions."
        )
