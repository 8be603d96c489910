"""WEBHOOKS: which hooks exist."""

from __future__ import annotations

import pytest

from newsletter.delivery.feedback.providers import hooks_of_transports, parse_hooks


def test_the_providers_of_the_transports_are_the_default() -> None:
    urls = [
        "anymail+mailgun://?api_key=k",
        "smtp://mail.example.org",
        "anymail+amazon_ses://",
        "anymail+mailgun://?api_key=l",
        "anymail+scaleway://?secret_key=s&project_id=p",
    ]
    assert parse_hooks(hooks_of_transports(urls)) == ["mailgun", "amazon_ses"]
    assert parse_hooks(hooks_of_transports(["smtp://mail.example.org"])) == []


def test_a_misspelt_provider_is_named() -> None:
    with pytest.raises(ValueError, match="mailgum: no such webhook; choose from amazon_ses"):
        parse_hooks("mailgun, mailgum")
