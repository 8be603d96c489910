"""What is kept about staff signing in. None of it holds an IP address (G9)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class StaffSession(models.Model):
    """One sign-in of a user, so that they can see where they are signed in, and end it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff_sessions"
    )
    key = models.CharField(max_length=40, unique=True, help_text="The session's key.")
    browser = models.CharField(max_length=40, blank=True, help_text="Its family and system.")
    started_at = models.DateTimeField()
    used_at = models.DateTimeField(help_text="To the hour.")

    def __str__(self) -> str:
        return self.browser


class FailedSignIns(models.Model):
    """Wrong passwords while the cache is away. Otherwise they are counted in the cache.

    `key` is a keyed hash of the account and the source; its key changes daily.
    """

    key = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    wait_until = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key[:8]


class PasswordGuessing(models.Model):
    """Many wrong passwords for an account within a day, from browsers it hasn't used before."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="password_guessing"
    )
    failures = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.user)


class StaffEmail(models.Model):
    """An email with a link for choosing a password. A worker makes the link when it sends the
    email, and deletes the row, so no table ever holds one.

    Without a user, nothing is sent: somebody asked for an address that no account has.
    """

    class Kind(models.TextChoices):
        RESET = "reset", _("forgotten password")
        INVITATION = "invitation", _("invitation")

    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="staff_emails"
    )
    language = models.CharField(max_length=16)
    by = models.CharField(max_length=200, blank=True, help_text="Who invites.")
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} {self.user_id}"
