"""System checks of the configuration, each with an id that stays.

Errors stop every command; `insist` stops the web process and the worker, which run none.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004

from newsletter.lib.environment import misspelt
from newsletter.transport import registry
from newsletter.transport.base import TransportURLError
from subscribers.crypto import key_check

log = logging.getLogger(__name__)

TAG = "newsletter"
WAIT_SECONDS = 45.0
"""How long a process that starts waits for the database."""

COMMANDS_WITHOUT_KEYS = frozenset(
    {"collectstatic", "compilemessages", "makemessages", "makemigrations", "migrate"}
)
"""Commands for which temporary keys do."""


def temporary_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001: what is sealed under keys that end with the process is lost."""
    if not settings.KEYS_ARE_TEMPORARY or COMMANDS_WITHOUT_KEYS.intersection(sys.argv[1:2]):
        return []
    return [
        Error(
            "There are no keys, so no reader's address could be read again.",
            hint="Make them once: manage.py keys new --recovery FILE. "
            "Then see WEB_KEYS in docs/configuration.md.",
            id="newsletter.E001",
        )
    ]


def public_local_mailbox(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E002: `/inbox/` shows every mail to whoever asks, so it must be alone on its machine."""
    if not settings.USES_LOCAL_MAILBOX:
        return []
    hint = "Set DELIVERY_TRANSPORTS to your relay or provider, without the local mailbox."
    if len(settings.DELIVERY_TRANSPORTS) > 1:
        return [_mailbox_error("is used beside another transport", hint)]
    if not is_loopback(settings.SITE_URL):
        return [_mailbox_error("is used on a site that others can reach", hint)]
    return []


def _mailbox_error(what: str, hint: str) -> CheckMessage:
    return Error(
        f"The local mailbox, readable at /inbox/, {what}.", hint=hint, id="newsletter.E002"
    )


def valid_transports(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E003: a mistake in a transport's URL is better told now than when an issue is due."""
    try:
        registry.validate(settings.DELIVERY_TRANSPORTS)
    except TransportURLError as error:
        hint = "docs/configuration.md describes DELIVERY_TRANSPORTS."
        return [Error(f"DELIVERY_TRANSPORTS: {error}", hint=hint, id="newsletter.E003")]
    return []


def debug_in_public(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E004: Django's error pages show settings and what a form was sent."""
    if not settings.DEBUG or is_loopback(settings.SITE_URL):
        return []
    return [
        Error(
            "DEBUG is on, on a site that others can reach.",
            hint="Unset DEBUG.",
            id="newsletter.E004",
        )
    ]


def plain_http(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W001: a link that changes a reader's choices would travel in clear."""
    if is_loopback(settings.SITE_URL) or settings.SITE_URL.startswith("https://"):
        return []
    return [
        Warning(
            "SITE_URL is not https, so readers' links can be read on their way.",
            hint="Put a proxy with a certificate in front; docs/deploy.md has an example. "
            "One-click unsubscription (RFC 8058) works with https only.",
            id="newsletter.W001",
        )
    ]


def keys_fit_the_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E005: what is written under a wrong key is lost. W004: that could not be found out."""
    if settings.KEYS_ARE_TEMPORARY or COMMANDS_WITHOUT_KEYS.intersection(sys.argv[1:2]):
        return []
    hint = "Give each process the documents that this database was used with; see docs/safety.md."
    try:
        faults = key_check.check()
    except key_check.CannotCompareError as error:
        return [
            Warning(
                f"The database cannot be read ({error}), so the keys were not compared with it.",
                hint="Look at DATABASE_URL and at the database server, then run this again.",
                id="newsletter.W004",
            )
        ]
    return [
        Error(f"The keys do not fit the database. {fault}.", hint=hint, id="newsletter.E005")
        for fault in faults
    ]


def worker_keys_are_private(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W002: a file that others can read opens the list for them."""
    path = settings.WORKER_KEYS_PATH
    if path is None or not path.stat().st_mode & 0o077:
        return []
    return [
        Warning(
            f"{path} can be read by others than its owner.",
            hint=f"chmod 600 {path}",
            id="newsletter.W002",
        )
    ]


def is_loopback(url: str) -> bool:
    """Whether only this machine can reach the URL."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def discreet_domain_is_neutral(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E006: a Return-Path of the newsroom's would tell whose a discreet mail is, and so would a
    neutral domain that is no other."""
    if not settings.DISCREET_URL:
        return []
    own = {urlsplit(settings.SITE_URL).hostname}
    if urlsplit(settings.DISCREET_URL).hostname in own:
        return [_discreet_domain_error("DISCREET_URL is under the site's own name")]
    if any("return_path=" in url for url in settings.DELIVERY_TRANSPORTS):
        return [_discreet_domain_error("a transport has a return_path, which all mails bear")]
    return []


def _discreet_domain_error(what: str) -> CheckMessage:
    hint = "docs/configuration.md, Discreet readers."
    return Error(f"Discreet mails would not be: {what}.", hint=hint, id="newsletter.E006")


def misspelt_variables(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W003: a variable with a slip in its name would have no effect, and nobody would notice."""
    return [
        Warning(
            f"{given} is not a setting." + (f" Did you mean {meant}?" if meant else ""),
            hint="docs/configuration.md lists every variable.",
            id="newsletter.W003",
        )
        for given, meant in misspelt(settings.CONFIGURATION, os.environ).items()
    ]


ALL = (
    temporary_keys,
    public_local_mailbox,
    valid_transports,
    debug_in_public,
    plain_http,
    worker_keys_are_private,
    keys_fit_the_database,
    discreet_domain_is_neutral,
    misspelt_variables,
)


def register() -> None:
    """Called once, when the applications are ready."""
    for check in ALL:
        checks.register(check, TAG)


def require_configuration(*, wait_seconds: float = WAIT_SECONDS) -> None:
    """Raise SystemExit with the errors' texts unless the configuration can be worked with.

    Waits for a database that does not answer yet: keys that nobody compared with it could write
    what is lost, so a process must not start without having done so. Warnings go to the log.
    """
    until = time.monotonic() + wait_seconds
    messages = checks.run_checks(tags=[TAG])
    while any(message.id == "newsletter.W004" for message in messages):
        if time.monotonic() >= until:
            raise SystemExit("\n".join(str(message) for message in messages))
        log.warning("waiting-for-database", extra={"seconds": round(until - time.monotonic())})
        time.sleep(min(5.0, max(0.0, until - time.monotonic())))
        messages = checks.run_checks(tags=[TAG])
    errors: Sequence[CheckMessage] = [each for each in messages if each.is_serious()]
    if errors:
        raise SystemExit("\n".join(str(error) for error in errors))
    for warning in messages:
        log.warning("configuration", extra={"check": warning.id, "problem": warning.msg})
