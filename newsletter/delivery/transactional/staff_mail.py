"""Emails to staff with a link for choosing a password: a forgotten one, or an invited one's first.

The web process only asks for one. A worker makes the link and sends the email through the
transports, as it does with alerts, so the web process needs no relay, and no table holds a link.
An email that nobody takes is tried again until the link would have expired.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db.models.functions import Now
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from newsletter.delivery.message_ids import STAFF, delivery_id_factory
from newsletter.delivery.models import StaffEmail
from newsletter.delivery.sending.to_staff import hand_over
from newsletter.editorial.models import Newsletter, User
from newsletter.transport.outcomes import Email, Recipient

Kind = StaffEmail.Kind
PASSWORD_PATH = "/admin/password/"  # noqa: S105 - a path
"""Where the link leads. A worker doesn't load the desk's URLs; a test compares this with them."""
_SALT = "delivery.staff-mail."


def lifetime(kind: str) -> timedelta:
    """Return how long a link works."""
    if kind == Kind.INVITATION:
        return timedelta(days=7)
    return timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)


def queue(
    kind: StaffEmail.Kind, users: list[User], language: str, by: str = ""
) -> list[StaffEmail]:
    """Have each of them sent a link. For nobody, a row is written all the same, so that the answer
    takes as long."""
    now = timezone.now()
    addressed: list[User | None] = [*users] or [None]
    return [
        StaffEmail.objects.create(kind=kind, user=user, language=language, by=by, due_at=now)
        for user in addressed
    ]


def make_token(kind: str, user: User) -> str:
    """Return what the link ends with. It works once: a new password or sign-in makes it void."""
    return signing.dumps([user.pk, _fingerprint(user)], salt=_SALT + kind)


def user_of_token(token: str) -> tuple[User, StaffEmail.Kind] | None:
    """Return whose link it is, or None if it is void, expired or forged."""
    for kind in Kind:
        try:
            pk, fingerprint = signing.loads(token, salt=_SALT + kind, max_age=lifetime(kind))
        except signing.BadSignature:
            continue
        user = User.objects.filter(pk=pk, is_active=True).first()
        if user is not None and fingerprint == _fingerprint(user):
            return user, kind
    return None


def _fingerprint(user: User) -> str:
    text = f"{user.pk}\0{user.password}\0{user.last_login}\0{user.email}"
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()[:24]


def drain(limit: int = 20) -> int:
    """Send what is due; return how many emails were taken."""
    StaffEmail.objects.filter(user=None).delete()
    sent = 0
    for email in StaffEmail.objects.filter(due_at__lte=Now()).order_by("due_at", "pk")[:limit]:
        if not _claim(email):
            continue
        user = email.user
        expired = timezone.now() - email.created_at >= lifetime(email.kind)
        if expired or user is None or not (user.is_active and user.email):
            email.delete()
        elif _send(email, user):
            email.delete()
            sent += 1
    return sent


def _claim(email: StaffEmail) -> bool:
    """Put off the next attempt, so that no other worker makes this one, too."""
    pause = timedelta(seconds=min(900, 30 * 2 ** min(email.attempts, 10)))
    mine = StaffEmail.objects.filter(pk=email.pk, attempts=email.attempts)
    return bool(mine.update(attempts=email.attempts + 1, due_at=Now() + pause))


def _send(email: StaffEmail, user: User) -> bool:
    sender = Newsletter.objects.order_by("pk").values_list("sender_address", flat=True).first()
    if sender is None:
        return False
    with translation.override(email.language):
        written = _write(email, user, sender)
    to = Recipient(
        position=0,
        address=user.email,
        delivery_id=delivery_id_factory(STAFF, email.pk)(user.pk),
        urls={},
    )
    return bool(hand_over(written, to, {"staff_email": email.pk}))


def _write(email: StaffEmail, user: User, sender: str) -> Email:
    link = f"{settings.SITE_URL.rstrip('/')}{PASSWORD_PATH}{make_token(email.kind, user)}/"
    desk = str(settings.ADMIN_TITLE)
    if email.kind == Kind.INVITATION:
        subject = _("Your account at the newsletter desk")
        lines = [
            _("%(name)s has made an account for you.") % {"name": email.by}
            if email.by
            else _("An account has been made for you."),
            _("Your user name: %(name)s") % {"name": user.get_username()},
            _("Choose your password here. The link works once, for seven days:"),
            link,
        ]
    else:
        subject = _("Choose a new password")
        lines = [
            _("Somebody, probably you, asked for a new password for the account %(name)s.")
            % {"name": user.get_username()},
            _("Choose it here. The link works once, for an hour:"),
            link,
            _("If it wasn’t you, do nothing: your password stays as it is."),
        ]
    return Email(
        from_name=desk,
        from_address=sender,
        subject=subject,
        text="\n\n".join(lines) + "\n",
        headers=(("Auto-Submitted", "auto-generated"), ("Content-Language", email.language)),
    )
