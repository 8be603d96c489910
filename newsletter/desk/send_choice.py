"""What an editor chose on the page that sends an issue: who gets it, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.delivery.models import Mailing
from newsletter.delivery.planning.readers import ReaderCounts
from newsletter.delivery.planning.snapshot import Audience
from newsletter.editorial.models import Issue
from newsletter.editorial.workflow import scheduled_send_time
from newsletter.lib.languages import language_name_in

EVERYONE = ""
FURTHEST = timedelta(days=366)


class When(StrEnum):
    ON_SCHEDULE = "schedule"
    NOW = "now"
    AT = "at"


@dataclass(frozen=True)
class Choice:
    """`who` is EVERYONE, a first language or “unreached”. `at` is None if it is sent now.

    `error` says why it can't be sent like that, in the page's language.
    """

    who: str
    when: str
    at: datetime | None = None
    error: str = ""

    @property
    def first_language(self) -> str:
        return "" if self.who == Audience.UNREACHED else self.who


@dataclass(frozen=True)
class Option:
    """A card of the page. `why_not` is why it can't be picked, empty if it can."""

    value: str
    label: str
    meaning: str
    readers: int | None = None
    why_not: str = ""


def read_choice(data: Mapping[str, str], issue: Issue, *, now: datetime) -> Choice:
    """Return what was chosen. `now` is the server's time, whatever the browser's clock says."""
    who, when = data.get("who", ""), data.get("when", "")
    if who not in {EVERYONE, Audience.UNREACHED.value, *issue.newsletter.languages}:
        # The language was removed after the page was opened. Don't fall back to all readers.
        return Choice(who, when, error=_("The newsletter isn’t available in this language."))
    if when not in list(When):
        return Choice(who, when, error=_("Choose when it is sent."))
    if when != When.NOW and who == Audience.UNREACHED:
        error = _("The readers whom it didn’t reach can only be sent to now.")
        return Choice(who, when, error=error)
    if when == When.ON_SCHEDULE:
        return _on_schedule(who, issue, now)
    return _at(who, data, issue, now) if when == When.AT else Choice(who, when)


def _on_schedule(who: str, issue: Issue, now: datetime) -> Choice:
    at = scheduled_send_time(issue)
    if at is None or at <= now:
        return Choice(who, When.ON_SCHEDULE, error=_("The schedule doesn’t send this issue."))
    if who:
        error = _("On schedule it goes to everyone. Set an earlier time for one language first.")
        return Choice(who, When.ON_SCHEDULE, error=error)
    return Choice(who, When.ON_SCHEDULE, at)


def _at(who: str, data: Mapping[str, str], issue: Issue, now: datetime) -> Choice:
    """Return the set time in UTC; a local time that a clock change skips moves an hour later, and
    of one that occurs twice the first counts, as in editorial.schedule."""
    try:
        day, clock = date.fromisoformat(data.get("date", "")), time.fromisoformat(data["time"])
        zone = ZoneInfo(issue.newsletter.timezone)
        local = datetime.combine(day, clock.replace(tzinfo=None), tzinfo=zone)
        at = local.astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return Choice(who, When.AT, error=_("Enter the date and the time at which it is sent."))
    if at <= now:
        return Choice(who, When.AT, error=_("This time has passed. Choose a later one."))
    if at > now + FURTHEST:
        return Choice(who, When.AT, error=_("Choose a time within a year."))
    return Choice(who, When.AT, at)


def mailing_of(issue: Issue, who: str) -> Mailing | None:
    """Return the issue's mailing to everyone or to one language first; None if there is none."""
    if who == Audience.UNREACHED:
        return None
    audience = Audience.FIRST_LANGUAGE if who else Audience.ALL
    rows = Mailing.objects.filter(release__issue=issue, audience=audience, language=who)
    return rows.select_related("started_by").first()


def is_waiting(mailing: Mailing | None) -> bool:
    """Return whether this choice can still be made: nothing was sent to its readers."""
    state = Mailing.State
    waiting = {state.HELD, state.SCHEDULED, state.CANCELLED}
    return mailing is None or (mailing.state in waiting and mailing.snapshot_at is None)


def who_label(who: str) -> str:
    if who == Audience.UNREACHED:
        return _("Only readers it didn’t reach")
    if not who:
        return _("Everyone who hasn’t got it yet")
    return capfirst(
        _("%(language)s first") % {"language": language_name_in(who, get_language() or who)}
    )


def who_options(issue: Issue, counts: ReaderCounts) -> list[Option]:
    """Return the cards for who gets it; languages only if the newsletter has several."""
    languages = issue.newsletter.languages if len(issue.newsletter.languages) > 1 else []
    options = [_who_option(issue, who, counts) for who in [EVERYONE, *languages]]
    if counts.already:
        options.append(_who_option(issue, Audience.UNREACHED.value, counts))
    return options


def _who_option(issue: Issue, who: str, counts: ReaderCounts) -> Option:
    readers, why_not, meaning = counts.of(who), "", ""
    if who == Audience.UNREACHED:
        meaning = _("Their email was refused, failed or was skipped. Nobody gets it twice.")
        why_not = "" if readers else _("Nobody: the mailings until now reached all of them.")
    elif not is_waiting(mailing_of(issue, who)):
        why_not = _("This mailing has already started.")
    elif not who:
        meaning = _already(counts.already) if counts.already else _("Nobody gets it twice.")
    else:
        meaning = _("Readers whose first language it is. The others wait until you send again.")
    return Option(who, who_label(who), meaning, readers, why_not)


def _already(readers: int) -> str:
    return _("Readers who already have it: %(readers)s. They won’t get it again.") % {
        "readers": readers
    }
