"""The providers whose webhooks we take, and how each POST proves where it comes from.

Anymail's own view classes validate and parse; nothing else of them is used. Each gets its secret
from our settings (`WEBHOOK_SECRET_NAME`), never from Anymail's global WEBHOOK_SECRET: Anymail would
demand that beside every signature.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Hook:
    """A provider's webhook. `view` is Anymail's class, and `secret` its argument for the secret.

    Without `secret`, the POST carries HTTP basic authentication (user:password).
    """

    view: str
    secret: str = ""
    says_delivered: bool = True
    """Whether Anymail reports deliveries. If not, an issue without a bounce counts as delivered,
    and a delay that the provider is still working on is left out."""
    tested_with_get: bool = False
    """Whether the provider sends a GET when the URL is configured."""
    challenged: bool = False
    """Whether the provider sends its password only after a 401."""

    @property
    def is_signed(self) -> bool:
        return bool(self.secret)


HOOKS: Mapping[str, Hook] = {
    "amazon_ses": Hook("amazon_ses.AmazonSESTrackingWebhookView", challenged=True),
    "brevo": Hook("brevo.BrevoTrackingWebhookView"),
    "mailersend": Hook("mailersend.MailerSendTrackingWebhookView", "signing_secret"),
    "mailgun": Hook("mailgun.MailgunTrackingWebhookView", "webhook_signing_key"),
    "mailjet": Hook("mailjet.MailjetTrackingWebhookView"),
    "mailtrap": Hook("mailtrap.MailtrapTrackingWebhookView", "tracking_secret"),
    "mandrill": Hook("mandrill.MandrillCombinedWebhookView", "webhook_key", says_delivered=False),
    "postal": Hook("postal.PostalTrackingWebhookView", "webhook_key"),
    "postmark": Hook("postmark.PostmarkTrackingWebhookView"),
    "resend": Hook("resend.ResendTrackingWebhookView", "signing_secret"),
    "sendgrid": Hook("sendgrid.SendGridTrackingWebhookView", "tracking_webhook_verification_key"),
    "sparkpost": Hook("sparkpost.SparkPostTrackingWebhookView"),
    "unisender_go": Hook(
        "unisender_go.UnisenderGoTrackingWebhookView", "api_key", tested_with_get=True
    ),
}
"""By Anymail's name. Scaleway has webhooks, but Anymail doesn't read them."""


def parse_hooks(text: str) -> list[str]:
    """Parse WEBHOOKS: names of providers, separated by commas. Raises ValueError."""
    names = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [name for name in names if name not in HOOKS]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no such webhook; choose from {', '.join(HOOKS)}")
    return names


def hooks_of_transports(urls: list[str]) -> str:
    """Return the default of WEBHOOKS: the providers that the transports' URLs name."""
    names = (url.partition("://")[0].partition("anymail+")[2] for url in urls)
    return ",".join(dict.fromkeys(name for name in names if name in HOOKS))


def configured_hook(name: str) -> Hook | None:
    """Return the provider's hook if it is switched on and has a secret."""
    return HOOKS[name] if name in settings.WEBHOOKS and settings.WEBHOOK_SECRETS[name] else None


def verifier(name: str) -> Any:
    """Return Anymail's view that checks a POST with the configured secret."""
    return _view(name, settings.WEBHOOK_SECRETS[name], settings.SITE_URL)


def parser(name: str) -> Any:
    """Return Anymail's view that parses a verified POST. It knows no secret."""
    return _view(name, None, "")


@lru_cache(maxsize=64)
def _view(name: str, secret: str | None, site_url: str) -> Any:
    hook = HOOKS[name]
    # An empty webhook_secret keeps Anymail from looking for its global one.
    arguments: dict[str, Any] = {"webhook_secret": []}
    if hook.secret:
        arguments[hook.secret] = secret if secret is not None else _NO_SECRET.get(name, "-")
    elif secret is not None:
        arguments["webhook_secret"] = [secret]
    if name == "mandrill":
        # Its signature covers the URL, which a proxy may have changed on the way to us.
        arguments["webhook_url"] = f"{site_url}/hooks/mandrill/"
    with warnings.catch_warnings():
        # That Anymail has stopped testing SendGrid, and that a parser has no secret.
        warnings.simplefilter("ignore")
        return import_string(f"anymail.webhooks.{hook.view}")(**arguments)


_NO_SECRET: Mapping[str, None] = {"resend": None, "sendgrid": None}
"""These load the secret when they are made, and check nothing without one."""
