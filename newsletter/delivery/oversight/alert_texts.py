"""What an alert says, in the active language: on the desk, in the email, through ALERT_URLS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.delivery.feedback.mail import mailboxes
from newsletter.delivery.models import Alert, Mailing
from newsletter.delivery.oversight.explanations import explain_facts
from newsletter.editorial.models import Issue

Kind = Alert.Kind


@dataclass(frozen=True)
class AlertText:
    """`title` is one sentence, `details` the sentences after it; `url` is a path at the desk.

    `is_urgent` if a mailing has stopped or failed: other failures may pass.
    """

    title: str
    details: list[str]
    url: str
    is_urgent: bool = False


@dataclass(frozen=True)
class WrittenAlert:
    """An alert as an email or a notification."""

    sender: str
    subject: str
    text: str


def write(alert: Alert) -> WrittenAlert:
    """Return the alert as plain text, with the address of the page that has more."""
    text = describe(alert)
    ended = [_("This problem has since been resolved.")] if alert.resolved_at else []
    lines = [text.title, *text.details, *ended, settings.SITE_URL.rstrip("/") + text.url]
    return WrittenAlert(
        sender=_("Tydzen alerts"),
        subject=text.title.rstrip("."),
        text="\n\n".join(lines) + "\n",
    )


def describe(alert: Alert) -> AlertText:
    """Return what happened, what it means for readers and what to do."""
    mailing = None
    if alert.mailing_id is not None:
        rows = Mailing.objects.select_related("release__newsletter", "release__issue")
        mailing = rows.filter(pk=alert.mailing_id).first()
    title, details = _TEXTS[Kind(alert.kind)](alert.facts, str(mailing or ""))
    return AlertText(
        title,
        [detail for detail in details if detail],
        _url(alert, mailing),
        is_urgent=alert.kind in {Kind.HELD, Kind.FAILED},
    )


def _url(alert: Alert, mailing: Mailing | None) -> str:
    if mailing is not None:
        return reverse("admin:delivery_mailing_change", args=[mailing.pk])
    if alert.kind == Kind.APPROVAL:
        return reverse("admin:editorial_issue_change", args=[alert.facts["issue"]])
    return reverse("admin:transports" if alert.kind == Kind.TRANSPORT else "admin:index")


def _codes(facts: dict[str, Any]) -> str:
    """Return the reply's codes in a sentence, or ""."""
    codes = f"{facts.get('code') or ''} {facts.get('status') or ''}".strip()
    return _("Reply: %(codes)s.") % {"codes": codes} if codes else ""


def _explained(facts: dict[str, Any]) -> list[str]:
    explanation = explain_facts(facts)
    return [str(explanation.title), str(explanation.meaning), str(explanation.to_do), _codes(facts)]


def _held(facts: dict[str, Any], mailing: str) -> tuple[str, list[str]]:
    title = _("Mailing held: %(mailing)s.") % {"mailing": mailing}
    if facts.get("hold") == Mailing.Hold.REFUSED:
        *explained, codes = _explained(facts)
        return title, [*explained, str(explain_facts(facts).then), codes]
    if facts.get("hold") == Mailing.Hold.RATES:
        return title, [rates_sentence(facts), _source_advice()]
    reason = str(Mailing.Hold(facts.get("hold") or "").label)
    return title, [f"{reason[:1].upper()}{reason[1:]}.", str(facts.get("detail") or "")]


def _failed(facts: dict[str, Any], mailing: str) -> tuple[str, list[str]]:
    title = _("Mailing failed: %(mailing)s.") % {"mailing": mailing}
    return title, [failed_sentence(facts["failed"], facts["readers"]), *_explained(facts)]


def failed_sentence(failed: int, readers: int) -> str:
    """Return how many readers didn't get a mailing in a sentence."""
    return ngettext(
        "%(failed)d of %(readers)d reader didn’t get it.",
        "%(failed)d of %(readers)d readers didn’t get it.",
        readers,
    ) % {"failed": failed, "readers": readers}


def _unknown(facts: dict[str, Any], mailing: str) -> tuple[str, list[str]]:
    title = _("Some readers may not have got the mailing: %(mailing)s.") % {"mailing": mailing}
    number = ngettext(
        "It isn’t known whether %(count)d reader got it.",
        "It isn’t known whether %(count)d readers got it.",
        facts["unknown"],
    ) % {"count": facts["unknown"]}
    return title, [number, _("Decide on the mailing’s page whether to send it to them again.")]


def _transport(facts: dict[str, Any], _mailing: str) -> tuple[str, list[str]]:
    name = str(facts["transport"])
    title = _("Can’t send through %(transport)s.") % {"transport": name}
    *explained, codes = _explained(facts)
    # Without a reply, only the reason says more. It begins with the name, which the title has.
    reason = str(facts.get("reason") or "").removeprefix(f"{name}: ")
    return title, [*explained, codes or (f"{reason[:1].upper()}{reason[1:]}." if reason else "")]


def _backlog(facts: dict[str, Any], mailing: str) -> tuple[str, list[str]]:
    title = _("Emails are due but aren’t being sent: %(mailing)s.") % {"mailing": mailing}
    number = ngettext(
        "%(count)d reader is waiting.", "%(count)d readers are waiting.", facts["readers"]
    ) % {"count": facts["readers"]}
    return title, [number, _("Ask the operator whether a worker is running.")]


def _rates(facts: dict[str, Any], mailing: str) -> tuple[str, list[str]]:
    title = _("Many bounces or complaints: %(mailing)s.") % {"mailing": mailing}
    blocked = facts.get("blocked", 0)
    sentences = [rates_sentence(facts), _source_advice()]
    if blocked:
        sentences.append(
            ngettext(
                "%(count)d of them was blocked as unwanted, which isn’t the reader’s fault.",
                "%(count)d of them were blocked as unwanted, which isn’t the readers’ fault.",
                blocked,
            )
            % {"count": blocked}
        )
    return title, sentences


def rates_sentence(facts: Mapping[str, Any]) -> str:
    """Return a mailing's numbers of bounces and complaints in a sentence."""
    return _(
        "%(bounced)d of %(accepted)d emails bounced, %(complained)d were reported as spam."
    ) % {name: facts.get(name, 0) for name in ("bounced", "accepted", "complained")}


def _source_advice() -> str:
    return _("Look at where these readers came from before you send the next issue.")


def _mailbox(facts: dict[str, Any], _mailing: str) -> tuple[str, list[str]]:
    return _("The mailbox for bounces can’t be read."), [
        str(mailboxes.Problem(facts["problem"]).label),
        _("Bounces and complaints aren’t processed until it can be. Ask the operator to check it."),
    ]


def _approval(facts: dict[str, Any], _mailing: str) -> tuple[str, list[str]]:
    issue = Issue.objects.filter(pk=facts["issue"]).first()
    title = _("The approval of %(issue)s was withdrawn.") % {"issue": issue or facts["issue"]}
    changed = (
        _("%(name)s changed the issue after it had been approved.") % {"name": facts["by"]}
        if facts["by"]
        else _("The issue was changed outside the desk after it had been approved.")
    )
    return title, [changed, _("It won’t be sent until it is approved again.")]


def _passwords(facts: dict[str, Any], _mailing: str) -> tuple[str, list[str]]:
    title = _("Somebody is guessing the password of %(name)s.") % {"name": facts["name"]}
    number = ngettext(
        "%(count)d wrong password within a day, from browsers the account hasn’t used before.",
        "%(count)d wrong passwords within a day, from browsers the account hasn’t used before.",
        facts["failures"],
    ) % {"count": facts["failures"]}
    return title, [
        number,
        _("The guesser waits longer each time; in its own browser, the account isn’t held up."),
        _("Choose a long password, and set up a second factor on the account’s page."),
    ]


_TEXTS: dict[Alert.Kind, Callable[[dict[str, Any], str], tuple[str, list[str]]]] = {
    Kind.HELD: _held,
    Kind.FAILED: _failed,
    Kind.UNKNOWN: _unknown,
    Kind.TRANSPORT: _transport,
    Kind.BACKLOG: _backlog,
    Kind.RATES: _rates,
    Kind.MAILBOX: _mailbox,
    Kind.APPROVAL: _approval,
    Kind.PASSWORDS: _passwords,
}
