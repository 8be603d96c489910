"""What each provider can do through Anymail 15.2 (docs/adding-a-transport.md says how to check).

A call carries a batch only if each recipient can have their own List-Unsubscribe header
without a stored template, and the content that is sent with the call can contain merge fields.
Otherwise each call has one recipient, so that List-Unsubscribe is never dropped or shared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class ProviderProfile:
    """`required` and `optional` are settings of Anymail's backend, given as options of the URL."""

    required: tuple[str, ...] = ("api_key",)
    optional: tuple[str, ...] = ()
    max_recipients: int = 1
    """The most recipients of a call."""
    max_bytes: int = 0
    """The most octets of a call, or 0 if the provider states no limit."""
    headers: Literal["each", "list-unsubscribe", "template", "none"] = "none"
    merge_field: str = ""
    """A merge field in the body, with "%s" for its name; "" if the provider has none."""
    escapes_html: bool = False
    """Whether the provider escapes values in HTML."""
    merge_openings: tuple[str, ...] = ()
    """How the provider's merge fields start; neutralized in editorial text (C7)."""
    metadata: bool = True
    """Whether the provider accepts metadata."""
    tracking: bool = True
    """Whether the provider can be told not to track opens and clicks."""
    esp_extra: Mapping[str, Any] = field(default_factory=dict)
    """The message's esp_extra in Anymail."""
    backend_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Fixed arguments of the backend."""

    @property
    def is_batch(self) -> bool:
        """Whether one call carries several recipients."""
        return self.headers == "each" and bool(self.merge_field) and self.max_recipients > 1


MB = 1_000_000

PROFILES: Mapping[str, ProviderProfile] = {
    "amazon_ses": ProviderProfile(
        required=(),
        optional=(
            *("configuration_set_name", "message_tag_name"),
            *("region", "access_key_id", "secret_access_key"),
        ),
        max_bytes=40 * MB,
        headers="template",
        tracking=False,
    ),
    "brevo": ProviderProfile(
        headers="each",
        merge_openings=("{{", "{%"),
        tracking=False,
    ),
    "mailersend": ProviderProfile(
        required=("api_token",), merge_field="{{%s}}", merge_openings=("{{", "{$"), metadata=False
    ),
    "mailgun": ProviderProfile(
        optional=("sender_domain",),
        max_recipients=1000,
        max_bytes=25 * MB,
        headers="each",
        merge_field="%%recipient.%s%%",
        merge_openings=("%recipient", "%unsubscribe", "%tag_unsubscribe", "%mailing_list"),
    ),
    "mailjet": ProviderProfile(
        required=("api_key", "secret_key"),
        max_recipients=50,
        headers="each",
        merge_field="[[var:%s]]",
        merge_openings=("[[", "{{", "{%"),
        esp_extra={"Globals": {"TemplateLanguage": True}},
    ),
    "mailtrap": ProviderProfile(
        required=("api_token",),
        optional=("sandbox_id",),
        max_bytes=10 * MB,
        headers="each",
        merge_openings=("{{", "{%"),
        tracking=False,
    ),
    "mandrill": ProviderProfile(
        max_bytes=25 * MB, merge_field="*|%s|*", merge_openings=("*|", "{{")
    ),
    # There is no public Postal service, hence no default api_url.
    "postal": ProviderProfile(required=("api_key", "api_url"), metadata=False, tracking=False),
    "postmark": ProviderProfile(
        required=("server_token",),
        optional=("message_stream", "use_bulk_api"),
        max_bytes=10 * MB,
        headers="each",
    ),
    "resend": ProviderProfile(headers="each", merge_openings=("{{",), tracking=False),
    "scaleway": ProviderProfile(
        required=("secret_key", "project_id"), optional=("region",), tracking=False
    ),
    "sendgrid": ProviderProfile(
        max_recipients=1000,
        max_bytes=30 * MB,
        headers="each",
        merge_field="-tydzen_%s-",
        merge_openings=("-tydzen_", "<%"),
        backend_kwargs={"merge_field_format": "-tydzen_{}-"},
    ),
    "sparkpost": ProviderProfile(
        optional=("subaccount",),
        max_bytes=20 * MB,
        merge_field="{{%s}}",
        merge_openings=("{{",),
        # Otherwise SparkPost replaces List-Unsubscribe with its own.
        esp_extra={"options": {"transactional": True}},
    ),
    "unisender_go": ProviderProfile(
        required=("api_key", "api_url"),
        max_bytes=10 * MB,
        headers="list-unsubscribe",
        merge_field="{{%s}}",
        merge_openings=("{{",),
    ),
}

_POSTMARK_BULK = dataclasses.replace(
    PROFILES["postmark"],
    max_recipients=500,
    max_bytes=50 * MB,
    merge_field="{{%s}}",
    escapes_html=True,
    merge_openings=("{{",),
    backend_kwargs={"use_bulk_api": True},
)
UNKNOWN_PROVIDER = ProviderProfile(required=(), metadata=False, tracking=False)
"""For a backend of Anymail that isn't in this table: nothing is assumed."""


def profile_of(provider: str, options: Mapping[str, str]) -> ProviderProfile:
    """Return the profile. `use_bulk_api=true` selects that of Postmark's bulk API."""
    if provider == "postmark" and options.get("use_bulk_api") == "true":
        return _POSTMARK_BULK
    return PROFILES.get(provider, UNKNOWN_PROVIDER)
