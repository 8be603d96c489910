"""What invitations and emails with a link for a new password say."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.delivery.models import StaffEmail
from newsletter.editorial import account_links
from newsletter.editorial.account_links import Purpose
from newsletter.editorial.models import Newsletter
from newsletter.transport.outcomes import Email


def write(row: StaffEmail, sender: str) -> Email:
    """Return the email, with a link that only its reader gets to see."""
    purpose = Purpose(row.kind)
    path = reverse("admin:choose_password", args=[purpose, account_links.make(row.user, purpose)])
    link = settings.SITE_URL.rstrip("/") + path
    with translation.override(row.language):
        lines = _invitation(row, link) if purpose is Purpose.INVITATION else _password(link)
        subject = (
            _("Your account at the newsletter desk")
            if purpose is Purpose.INVITATION
            else _("Choose a new password for the newsletter desk")
        )
        return Email(
            from_name=_("Newsletter desk"),
            from_address=sender,
            subject=subject,
            text="\n\n".join(lines) + "\n",
            headers=(("Auto-Submitted", "auto-generated"), ("Content-Language", row.language)),
        )


def _invitation(row: StaffEmail, link: str) -> list[str]:
    by = row.requested_by
    names = {"name": by.get_full_name() or by.get_username()} if by else {}
    return [
        _("%(name)s invites you to the newsletter desk.") % names
        if by
        else _("You are invited to the newsletter desk."),
        _("Your name for signing in: %(name)s") % {"name": row.user.get_username()},
        _("Choose your password here within 7 days:"),
        link,
        _("If you don’t know what this is about, ignore this email. Nothing happens then."),
    ]


def _password(link: str) -> list[str]:
    return [
        _("Somebody, probably you, asked for a new password for your account."),
        _("Choose it here within 24 hours:"),
        link,
        _("If it wasn’t you, ignore this email. Your password stays as it is."),
    ]


def sender_address() -> str | None:
    """Return the address that emails to staff come from; None before there is a newsletter."""
    return Newsletter.objects.order_by("pk").values_list("sender_address", flat=True).first()
