"""What the first `make run` prepares, and what each tells the person who started it."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from newsletter.editorial.models import User

EDITOR = "editor"


def password_path() -> Path:
    return Path(settings.VAR_DIR / "run" / "admin-password")


def sample_issue_path() -> Path:
    return Path(settings.VAR_DIR / "run" / "sample-issue.json")


def create_editor() -> None:
    """A first account where there is none, with a password that is kept for this machine's user.

    The file is written first: an account whose password nobody learned would be worse than a
    file without an account.
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
    User.objects.create_superuser(EDITOR, password=password)


def generated_password() -> str | None:
    """The first account's password, as long as it is still the generated one."""
    try:
        password = password_path().read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    user = User.objects.filter(username=EDITOR).first()
    return password if user and user.check_password(password) else None


def schedule_sample_issue(newsletter: str, week: str) -> None:
    """Note that the sample's digest of that week is to go out once everything runs."""
    path = sample_issue_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps([newsletter, week]), encoding="utf-8")


def pending_sample_issue() -> tuple[str, str] | None:
    """Newsletter and Monday of what is to go out, or None. Sending twice is not possible: a
    release is unique, so a run that ended before it could forget does no harm."""
    if not settings.USES_LOCAL_MAILBOX:
        return None
    try:
        newsletter, week = json.loads(sample_issue_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return newsletter, week


def clear_sample_issue() -> None:
    sample_issue_path().unlink(missing_ok=True)


def welcome() -> str:
    """Where everything is, for the terminal."""
    password = generated_password()
    account = f"{EDITOR}, password {password}" if password else "with your own account"
    lines = [
        ("Site", f"{settings.SITE_URL}/"),
        ("Admin", f"{settings.SITE_URL}{reverse('admin:index')}   {account}"),
    ]
    if settings.USES_LOCAL_MAILBOX:
        lines.append(("Mailbox", f"{settings.SITE_URL}{reverse('local:inbox')}"))
    rows = "".join(f"  {name:<9}{text}\n" for name, text in lines)
    return f"\n{rows}\n  Ctrl-C ends everything. Logs are in {settings.VAR_DIR / 'log'}.\n\n"
