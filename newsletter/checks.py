"""System checks of the configuration. Their IDs are stable.

Errors stop every management command. The web server and the worker run no system checks, so they
call `require_configuration` when they start.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004
from django.db import connections

from newsletter import old_database
from newsletter.delivery.feedback import providers
from newsletter.lib import database_sessions
from newsletter.lib.environment import is_loopback, suggest_names
from newsletter.transport import registry
from newsletter.transport.base import TransportURLError
from subscribers.crypto import key_check

log = logging.getLogger(__name__)

TAG = "newsletter"
WAIT_SECONDS = 45.0
"""How long a process waits for the database when it starts."""

COMMANDS_WITHOUT_KEYS = frozenset(
    {"collectstatic", "compilemessages", "makemessages", "makemigrations", "migrate"}
)
"""Commands that touch no reader, so that temporary keys suffice."""


def temporary_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E001: whatever is sealed under temporary keys is lost when the process ends."""
    if not settings.KEYS_ARE_TEMPORARY or COMMANDS_WITHOUT_KEYS.intersection(sys.argv[1:2]):
        return []
    return [
        Error(
            "No keys exist yet, so readers' addresses couldn't be decrypted again.",
            hint="Create them once: manage.py keys new --recovery FILE. "
            "Then see WEB_KEYS in docs/configuration.md.",
            id="newsletter.E001",
        )
    ]


def public_local_mailbox(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E002: `/inbox/` shows every email to anyone who can reach the site."""
    if not settings.USES_LOCAL_MAILBOX:
        return []
    hint = "Set DELIVERY_TRANSPORTS to your relay or provider only."
    if len(settings.DELIVERY_TRANSPORTS) > 1:
        return [_mailbox_error("is configured together with another transport", hint)]
    if not is_loopback(settings.SITE_URL):
        return [_mailbox_error("is in use on a site that others can reach", hint)]
    return []


def _mailbox_error(problem: str, hint: str) -> CheckMessage:
    message = f"The local mailbox, which anyone can read at /inbox/, {problem}."
    return Error(message, hint=hint, id="newsletter.E002")


def valid_transports(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E003: a mistake in a transport's URL must show now, not when an issue is due."""
    try:
        registry.validate(settings.DELIVERY_TRANSPORTS)
    except TransportURLError as error:
        hint = "docs/configuration.md describes DELIVERY_TRANSPORTS."
        return [Error(f"DELIVERY_TRANSPORTS: {error}", hint=hint, id="newsletter.E003")]
    return []


def debug_in_public(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E004: Django's error pages show settings and submitted form data."""
    if not settings.DEBUG or is_loopback(settings.SITE_URL):
        return []
    return [
        Error(
            "DEBUG is on although others can reach the site.",
            hint="Unset DEBUG.",
            id="newsletter.E004",
        )
    ]


def plain_http(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report W001: links that change a reader's preferences would travel unencrypted."""
    if is_loopback(settings.SITE_URL) or settings.SITE_URL.startswith("https://"):
        return []
    return [
        Warning(
            "SITE_URL isn't https, so readers' links can be read in transit.",
            hint="Put a TLS proxy in front of the site; docs/deploy.md has an example. "
            "One-click unsubscribe (RFC 8058) requires https.",
            id="newsletter.W001",
        )
    ]


def keys_fit_the_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E005 if anything written now would be lost, and W004 if nobody can tell."""
    if old_database.traces():  # E007 says what to do
        return []
    if settings.KEYS_ARE_TEMPORARY or COMMANDS_WITHOUT_KEYS.intersection(sys.argv[1:2]):
        return []
    hint = "Give each process the key documents that belong to this database; see docs/safety.md."
    try:
        faults = key_check.check()
    except key_check.CannotCompareError as error:
        return [
            Warning(
                f"The database can't be read ({error}), so the keys weren't compared with it.",
                hint="Check DATABASE_URL and the database server, then try again.",
                id="newsletter.W004",
            )
        ]
    return [
        Error(f"The keys don't belong to this database. {fault}.", hint=hint, id="newsletter.E005")
        for fault in faults
    ]


def worker_keys_are_private(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report W002: anyone who can read this file can decrypt the list of readers."""
    path = settings.WORKER_KEYS_PATH
    if path is None or not path.stat().st_mode & 0o077:
        return []
    return [
        Warning(
            f"Other users can read {path}.",
            hint=f"chmod 600 {path}",
            id="newsletter.W002",
        )
    ]


def discreet_domain_is_neutral(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E006: a Return-Path under the newsroom's domain, or a “neutral” domain that is the
    site's own, would reveal who sent a discreet email."""
    if not settings.DISCREET_URL:
        return []
    own = {urlsplit(settings.SITE_URL).hostname}
    if urlsplit(settings.DISCREET_URL).hostname in own:
        return [_discreet_domain_error("DISCREET_URL has the site's own host name")]
    if any("return_path=" in url for url in settings.DELIVERY_TRANSPORTS):
        return [_discreet_domain_error("a transport sets a return_path for every email")]
    return []


def _discreet_domain_error(problem: str) -> CheckMessage:
    message = f"Discreet emails would reveal the newsroom: {problem}."
    hint = "See “Discreet readers” in docs/configuration.md."
    return Error(message, hint=hint, id="newsletter.E006")


def database_of_this_version(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E007: another version's database can't be migrated."""
    traces = old_database.traces()
    if not traces:
        return []
    more = f" and {len(traces) - 1} more" if len(traces) > 1 else ""
    return [
        Error(
            f"Another version of Tydzen set this database up ({traces[0]}{more}), and this one "
            f"can't migrate it. Start afresh: move {settings.VAR_DIR} away, or drop the database "
            "that DATABASE_URL names.",
            id="newsletter.E007",
        )
    ]


def alert_urls_work(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E008: whoever relies on an alert must not find out too late that it never comes."""
    if not settings.ALERT_URLS:
        return []
    try:
        import apprise
    except ImportError:
        return [
            Error(
                "ALERT_URLS is set, but Apprise isn't installed.",
                hint="Install it: pip install 'tydzen[alerts]'.",
                id="newsletter.E008",
            )
        ]
    bad = [
        number
        for number, url in enumerate(settings.ALERT_URLS, start=1)
        if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None
    ]
    return [
        Error(
            f"ALERT_URLS: URL {number} isn't one that Apprise knows.",
            hint="https://github.com/caronc/apprise/wiki lists the services and their URLs.",
            id="newsletter.E008",
        )
        for number in bad
    ]


def webhooks_have_secrets(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E009: without a secret anybody could report bounces (D10); and W005: without a hook,
    addresses that bounce are emailed again and again."""
    problems = [problem for name in settings.WEBHOOKS if (problem := _webhook_problem(name))]
    hint = "docs/providers/ has a page for each provider. WEBHOOKS says which are switched on."
    used = providers.hooks_of_transports(settings.DELIVERY_TRANSPORTS).split(",")
    missing = [name for name in used if name and name not in settings.WEBHOOKS]
    return [
        *(Error(problem, hint=hint, id="newsletter.E009") for problem in problems),
        *(
            Warning(
                f"{name} can't report bounces and complaints: WEBHOOKS leaves it out.",
                hint=hint,
                id="newsletter.W005",
            )
            for name in missing
        ),
    ]


def _webhook_problem(name: str) -> str:
    variable, hook = f"WEBHOOK_SECRET_{name.upper()}", providers.HOOKS[name]
    secret = settings.WEBHOOK_SECRETS[name]
    if not secret:
        return f"The webhook of {name} has no secret: set {variable}, or {variable}_FILE."
    if not hook.is_signed and not all(secret.partition(":")):
        return f"{variable} must be of the form user:password."
    try:
        providers.verifier(name)
    except Exception as error:  # noqa: BLE001 - it may quote the secret
        return (
            f"{variable} can't be used, or a package that {name} needs isn't installed "
            f"({type(error).__name__})."
        )
    return ""


def misspelt_variables(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report W003: a misspelt variable has no effect, and nobody would notice."""
    return [
        Warning(
            f"{given} isn't a setting." + (f" Did you mean {suggestion}?" if suggestion else ""),
            hint="docs/configuration.md lists every variable.",
            id="newsletter.W003",
        )
        for given, suggestion in suggest_names(settings.CONFIGURATION, os.environ).items()
    ]


def database_keeps_sessions(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E020 and E021: behind such a pool, a mailing would fail or lose its guarantees."""
    if connections["default"].vendor != "postgresql":
        return []
    try:
        if database_sessions.are_shared():
            return [_pool_error("gives its sessions to other clients between two transactions")]
        durable = database_sessions.commits_are_durable()
    except database_sessions.StartupParameterError:
        return [_pool_error("refuses the startup parameter “options”")]
    except psycopg.Error:
        return []  # W004 reports a database that doesn't answer
    if durable:
        return []
    return [
        Error(
            "A power cut could make the database forget what was sent: synchronous_commit is off.",
            hint="A connection pool ignores our setting, so set it on the server: "
            "ALTER ROLE … SET synchronous_commit = on. See “Connection pools” in "
            "docs/operations.md.",
            id="newsletter.E021",
        )
    ]


def _pool_error(problem: str) -> CheckMessage:
    message = f"The connection pool in front of the database {problem}."
    hint = (
        "Connect to PostgreSQL directly, or set PgBouncer's pool_mode to session. "
        "See “Connection pools” in docs/operations.md."
    )
    return Error(message, hint=hint, id="newsletter.E020")


def no_code_bypasses_the_second_factor(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report E010: allauth's code for developers would be a second factor that everybody knows."""
    if not getattr(settings, "MFA_TOTP_INSECURE_BYPASS_CODE", None):
        return []
    return [
        Error(
            "MFA_TOTP_INSECURE_BYPASS_CODE is set: whoever knows it needs no second factor.",
            hint="Remove it from the settings.",
            id="newsletter.E010",
        )
    ]


ALL = (
    database_of_this_version,
    database_keeps_sessions,
    temporary_keys,
    public_local_mailbox,
    valid_transports,
    debug_in_public,
    plain_http,
    worker_keys_are_private,
    keys_fit_the_database,
    discreet_domain_is_neutral,
    alert_urls_work,
    webhooks_have_secrets,
    no_code_bypasses_the_second_factor,
    misspelt_variables,
)


def register() -> None:
    """Register all checks. LocalConfig.ready calls this once."""
    for check in ALL:
        checks.register(check, TAG)


def require_configuration(*, wait_seconds: float = WAIT_SECONDS) -> None:
    """Raise SystemExit with the errors' texts if the configuration has any; log the warnings.

    Waits up to `wait_seconds` for a database that doesn't answer: under keys that were never
    compared with it, a process could write data that nobody can decrypt.
    """
    deadline = time.monotonic() + wait_seconds
    messages = checks.run_checks(tags=[TAG])
    while any(message.id == "newsletter.W004" for message in messages):
        if time.monotonic() >= deadline:
            raise SystemExit("\n".join(str(message) for message in messages))
        log.warning("waiting-for-database", extra={"seconds": round(deadline - time.monotonic())})
        time.sleep(min(5.0, max(0.0, deadline - time.monotonic())))
        messages = checks.run_checks(tags=[TAG])
    errors: Sequence[CheckMessage] = [message for message in messages if message.is_serious()]
    if errors:
        raise SystemExit("\n".join(str(error) for error in errors))
    for warning in messages:
        log.warning("configuration", extra={"check": warning.id, "problem": warning.msg})
