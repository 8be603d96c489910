"""Where each user is signed in, so that they can see and end it. No IP address is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.utils import timezone

from newsletter.delivery.models import StaffSession
from newsletter.desk.sign_in import browsers
from newsletter.editorial.models import User

SEEN = "desk-seen"
"""In a session: its own key and the hour for which its use was last recorded."""


def record_use(request: HttpRequest, user: Any) -> None:
    """Record, once an hour, that the user's session is in use."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    seen = [request.session.session_key, hour.isoformat()]
    if request.session.session_key is None or request.session.get(SEEN) == seen:
        return
    browser = browsers.family(request.headers.get("User-Agent", ""))
    facts = {"user": user, "used_at": hour, "browser": browser}
    StaffSession.objects.update_or_create(
        key=request.session.session_key,
        defaults=facts,
        create_defaults={**facts, "started_at": hour},
    )
    request.session[SEEN] = seen


def sessions_of(user: Any) -> QuerySet[StaffSession]:
    """Return the sessions that are open, the latest first."""
    living = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return StaffSession.objects.filter(user=user, key__in=living).order_by("-used_at", "-pk")


def end(sessions: QuerySet[StaffSession]) -> int:
    """Sign these browsers out; return how many."""
    keys = list(sessions.values_list("key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    StaffSession.objects.filter(key__in=keys).delete()
    return len(keys)


def _begin(request: HttpRequest, user: Any, **signal: Any) -> None:
    """Let the session end a day from now, even if it is used until then."""
    request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    old = timezone.now() - timedelta(days=2)
    StaffSession.objects.filter(started_at__lt=old).delete()
    if user.is_staff:
        record_use(request, user)


def _end_after_change(instance: User, *, created: bool, **signal: Any) -> None:
    """End all sessions of a user whose password was changed, or whose account was closed.

    Whoever changes their own password stays signed in: the page that does it opens a new session.
    """
    password_changed = getattr(instance, "_password", None) is not None
    if not created and (password_changed or not instance.is_active):
        end(StaffSession.objects.filter(user=instance))


def connect() -> None:
    """Watch sign-ins and changes of users. DeskConfig.ready calls this once."""
    user_logged_in.connect(_begin, dispatch_uid="desk.sign_in.begin")
    post_save.connect(_end_after_change, sender=User, dispatch_uid="desk.sign_in.end")
