"""What the first `make run` sets up, and the greeting that every run prints."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from newsletter.editorial.models import User

EDITOR_NAME = "editor"


def password_path() -> Path:
    return Path(settings.VAR_DIR / "run" / "admin-password")


def sample_issue_path() -> Path:
    return Path(settings.VAR_DIR / "run" / "sample-issue.json")


def create_editor() -> None:
    """Create the first account, if there is none, and keep its password in a private file.

    Writes the file first: an account with an unknown password would be worse than a password
    without an account.
    """
    if User.objects.exists():
        return
    password = secrets.token_urlsafe(9)
    path = password_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password + "\n")
    User.objects.create_superuser(EDITOR_NAME, password=password)


def generated_password() -> str | None:
    """Return the first account's password, or None once someone has changed it."""
    try:
        password = password_path().read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    user = User.objects.filter(username=EDITOR_NAME).first()
    return password if user and user.check_password(password) else None


def schedule_sample_issue(newsletter: str, week: str) -> None:
    """Note that `manage.py up` should send this sample issue once everything runs."""
    path = sample_issue_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps([newsletter, week]), encoding="utf-8")


def pending_sample_issue() -> tuple[str, str] | None:
    """Return newsletter slug and Monday of the sample issue to send, or None.

    A run that ends before it can clear the note does no harm: a release is unique, so the issue
    can't be sent twice.
    """
    if not settings.USES_LOCAL_MAILBOX:
        return None
    try:
        newsletter, week = json.loads(sample_issue_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return newsletter, week


def clear_sample_issue() -> None:
    """Clear the note of `schedule_sample_issue`."""
    sample_issue_path().unlink(missing_ok=True)


def welcome() -> str:
    """Return the greeting: the URLs, the first account, and how to stop."""
    password = generated_password()
    account = f"{EDITOR_NAME}, password {password}" if password else "with your own account"
    lines = [
        ("Site", f"{settings.SITE_URL}/"),
        ("Admin", f"{settings.SITE_URL}{reverse('admin:index')}   {account}"),
    ]
    if settings.USES_LOCAL_MAILBOX:
        lines.append(("Mailbox", f"{settings.SITE_URL}{reverse('local:inbox')}"))
    rows = "".join(f"  {name:<9}{text}\n" for name, text in lines)
    return (
        f"\n{rows}\n  Press Ctrl-C to stop everything. Logs are in {settings.VAR_DIR / 'log'}.\n\n"
    )
