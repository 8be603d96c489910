"""Parses `anymail+NAME://?option=value` into a provider's profile and an Anymail backend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from anymail.exceptions import AnymailError
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from newsletter.transport.base import TransportURLError
from newsletter.transport.esp.profiles import PROFILES, ProviderProfile, profile_of
from newsletter.transport.url import TransportURL, is_loopback

_DOMAIN = re.compile(r"[A-Za-z0-9.-]+")
_NOT_PROVIDERS = frozenset({"base", "base_requests", "console", "test"})
_COMMON_OPTIONS = frozenset({"api_url", "timeout"})
_FORBIDDEN_OPTIONS = frozenset(
    {"ignore_unsupported_features", "ignore_recipient_status", "debug_api_requests"}
)
"""They would silently drop headers (C6), or print addresses (G8)."""
_AMAZON_CLIENT = {
    "api_url": "endpoint_url",
    "region": "region_name",
    "access_key_id": "aws_access_key_id",
    "secret_access_key": "aws_secret_access_key",
}
"""Our options and those of boto3's client. Without them, boto3 looks where it always does."""


def parse_provider(url: TransportURL) -> tuple[ProviderProfile, Any]:
    """Return the provider's profile and Anymail's backend. Raises TransportURLError."""
    provider = url.scheme.partition("+")[2]
    if provider in _NOT_PROVIDERS:
        raise TransportURLError(f"{url.scheme}: unknown provider")
    if url.host or url.user or url.path not in {"", "/"}:
        raise TransportURLError(f"{url.scheme}: only ?options may follow the scheme")
    profile = profile_of(provider, url.options)
    _check_options(url, provider, profile)
    timeout = url.int_option("timeout", default=30, minimum=1, maximum=300)
    options: dict[str, Any] = {k: v for k, v in url.options.items() if k != "timeout"}
    if provider == "amazon_ses":
        options = _amazon_options(options, timeout)
    kwargs: dict[str, Any] = {
        **options,
        **dict.fromkeys(_FORBIDDEN_OPTIONS, False),
        "send_defaults": {},
        **profile.backend_kwargs,
    }
    return profile, _backend(url.scheme, provider, kwargs, timeout)


def _check_options(url: TransportURL, provider: str, profile: ProviderProfile) -> None:
    missing = [name for name in profile.required if not url.options.get(name)]
    if missing:
        raise TransportURLError(f"{url.scheme}: missing option {', '.join(missing)}")
    forbidden = sorted(_FORBIDDEN_OPTIONS & set(url.options))
    if forbidden:
        raise TransportURLError(f"{url.scheme}: option {', '.join(forbidden)} cannot be set")
    if provider in PROFILES:
        url.require_known_options({*profile.required, *profile.optional, *_COMMON_OPTIONS})
    if url.options.get("use_bulk_api", "true") not in {"true", "false"}:
        raise TransportURLError(f"{url.scheme}: use_bulk_api must be true or false")
    if not _DOMAIN.fullmatch(url.options.get("sender_domain", "x")):
        raise TransportURLError(f"{url.scheme}: sender_domain must be a domain")
    api = urlsplit(url.options.get("api_url", "https://x"))
    is_local = api.scheme == "http" and is_loopback(api.hostname or "")
    if api.scheme != "https" and not is_local:
        raise TransportURLError(f"{url.scheme}: api_url must be https://")


def _amazon_options(options: Mapping[str, str], timeout: int) -> dict[str, Any]:
    """Return the options of Anymail's SES backend, which passes `client_params` to boto3.

    boto3 would call again if a response was lost, and then a reader gets the email twice (E6).
    """
    config = {
        "connect_timeout": timeout,
        "read_timeout": timeout,
        "retries": {"total_max_attempts": 1},
    }
    own = {_AMAZON_CLIENT[name]: value for name, value in options.items() if name in _AMAZON_CLIENT}
    others = {name: value for name, value in options.items() if name not in _AMAZON_CLIENT}
    return {**others, "client_params": {"config": config, **own}}


def _backend(scheme: str, provider: str, kwargs: dict[str, Any], timeout: int) -> Any:
    if kwargs.get("use_bulk_api") == "false":
        del kwargs["use_bulk_api"]
    try:
        backend = import_string(f"anymail.backends.{provider}.EmailBackend")(**kwargs)
    except ImportError:
        raise TransportURLError(
            f"{scheme}: unknown provider, or a package that it needs is not installed"
        ) from None
    except (AnymailError, ImproperlyConfigured):
        raise TransportURLError(f"{scheme}: a required option is missing") from None
    backend.timeout = timeout
    return backend
