"""What each provider can do through Anymail 15.2 (docs/adding-a-transport.md says how to check).

"Header" is a personal List-Unsubscribe for each recipient of one call without a stored template,
"body" an inline merge in content that is sent along. Only where both can be is a call a batch;
everywhere else one call is one recipient, so that List-Unsubscribe is never dropped or shared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class ProviderProfile:
    """`required` and `optional` are the backend's settings, given as options of the URL."""

    required: tuple[str, ...] = ("api_key",)
    optional: tuple[str, ...] = ()
    most: int = 1
    """Most recipients in a call."""
    header: Literal["each", "list-unsubscribe", "template", "none"] = "none"
    place: str = ""
    """How a recipient's own value stands in the body, "%s" for its name; "" where it cannot."""
    escapes: bool = False
    """The provider escapes a value for HTML by itself."""
    syntax: tuple[str, ...] = ()
    """How its own merge fields begin; neutralised in editorial text (C7)."""
    metadata: bool = True
    tracking: bool = True
    """It can be told not to track opens and clicks, and is."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Anymail's esp_extra."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Given to the backend always."""

    @property
    def is_batch(self) -> bool:
        return self.header == "each" and bool(self.place) and self.most > 1


PROFILES: Mapping[str, ProviderProfile] = {
    "amazon_ses": ProviderProfile(
        required=(),
        optional=("configuration_set_name", "message_tag_name"),
        header="template",
        tracking=False,
    ),
    "brevo": ProviderProfile(
        header="each",
        syntax=("{{", "{%"),
        tracking=False,
    ),
    "mailersend": ProviderProfile(
        required=("api_token",), place="{{%s}}", syntax=("{{", "{$"), metadata=False
    ),
    "mailgun": ProviderProfile(
        optional=("sender_domain",),
        most=1000,
        header="each",
        place="%%recipient.%s%%",
        syntax=("%recipient", "%unsubscribe", "%tag_unsubscribe", "%mailing_list"),
    ),
    "mailjet": ProviderProfile(
        required=("api_key", "secret_key"),
        most=50,
        header="each",
        place="[[var:%s]]",
        syntax=("[[", "{{", "{%"),
        extra={"Globals": {"TemplateLanguage": True}},
    ),
    "mailtrap": ProviderProfile(
        required=("api_token",),
        optional=("sandbox_id",),
        header="each",
        syntax=("{{", "{%"),
        tracking=False,
    ),
    "mandrill": ProviderProfile(place="*|%s|*", syntax=("*|", "{{")),
    # It has no API host of its own.
    "postal": ProviderProfile(required=("api_key", "api_url"), metadata=False, tracking=False),
    "postmark": ProviderProfile(
        required=("server_token",), optional=("message_stream", "use_bulk_api"), header="each"
    ),
    "resend": ProviderProfile(header="each", syntax=("{{",), tracking=False),
    "scaleway": ProviderProfile(
        required=("secret_key", "project_id"), optional=("region",), tracking=False
    ),
    "sendgrid": ProviderProfile(
        most=1000,
        header="each",
        place="-tydzen_%s-",
        syntax=("-tydzen_", "<%"),
        kwargs={"merge_field_format": "-tydzen_{}-"},
    ),
    "sparkpost": ProviderProfile(
        optional=("subaccount",),
        place="{{%s}}",
        syntax=("{{",),
        # Else it puts a List-Unsubscribe of its own in place of ours.
        extra={"options": {"transactional": True}},
    ),
    "unisender_go": ProviderProfile(
        required=("api_key", "api_url"),
        header="list-unsubscribe",
        place="{{%s}}",
        syntax=("{{",),
    ),
}

_POSTMARK_BULK = dataclasses.replace(
    PROFILES["postmark"],
    most=500,
    place="{{%s}}",
    escapes=True,
    syntax=("{{",),
    kwargs={"use_bulk_api": True},
)
UNKNOWN_PROVIDER = ProviderProfile(required=(), metadata=False, tracking=False)
"""For a backend that Anymail has and this table has not: nothing is taken for granted."""


def profile_of(provider: str, options: Mapping[str, str]) -> ProviderProfile:
    """Postmark has two ways, chosen by `use_bulk_api=true`."""
    if provider == "postmark" and options.get("use_bulk_api") == "true":
        return _POSTMARK_BULK
    return PROFILES.get(provider, UNKNOWN_PROVIDER)
