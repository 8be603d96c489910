"""URLs of providers, and the mistakes in them."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.transport import registry
from newsletter.transport.base import TransportURLError

pytestmark = [
    pytest.mark.server,
    # The warning is for operators; the backend still exists and is tested.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

URLS = [
    "anymail+brevo://?api_key=k",
    "anymail+mailersend://?api_token=k",
    "anymail+mailgun://?api_key=k",
    "anymail+mailjet://?api_key=k&secret_key=s",
    "anymail+mailtrap://?api_token=k",
    "anymail+mandrill://?api_key=k",
    "anymail+postal://?api_key=k&api_url=https://postal.example.org",
    "anymail+postmark://?server_token=k",
    "anymail+postmark://?server_token=k&use_bulk_api=true",
    "anymail+resend://?api_key=k",
    "anymail+scaleway://?secret_key=k&project_id=p",
    "anymail+sendgrid://?api_key=k",
    "anymail+sparkpost://?api_key=k",
    "anymail+unisender_go://?api_key=k&api_url=https://go1.example.org",
]


@pytest.mark.parametrize("url", URLS)
def test_every_supported_provider_has_a_url(url: str) -> None:
    transport = registry.from_url(url)
    assert transport.name == f"{url.partition('?')[0]}"
    assert transport.window in {None, 50, 500, 1000}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("anymail+mailgun://", "missing option api_key"),
        ("anymail+mailgun://?api_key=", "missing option api_key"),
        ("anymail+mailjet://?api_key=s3cret", "missing option secret_key"),
        ("anymail+scaleway://?secret_key=s3cret", "missing option project_id"),
        ("anymail+postal://?api_key=s3cret", "missing option api_url"),
        ("anymail+mailgun://?api_key=s3cret&domain=x", "unknown option domain"),
        ("anymail+mailgun://?api_key=s3cret&api_url=http://api.example", "must be https"),
        ("anymail+mailgun://?api_key=s3cret&sender_domain=a/b", "sender_domain must be a domain"),
        ("anymail+mailgun://?api_key=s3cret&timeout=0", "whole number"),
        ("anymail+mailgun://?api_key=s3cret&debug_api_requests=true", "cannot be set"),
        ("anymail+postmark://?server_token=s3cret&use_bulk_api=yes", "true or false"),
        ("anymail+mailgun://s3cret", "only ?options"),
        ("anymail+amazon_ses://?region=x&aws_region=s3cret", "unknown option aws_region"),
        ("anymail+pigeon://?api_key=s3cret", "unknown provider"),
        ("anymail+console://", "unknown provider"),
        ("anymail://?api_key=s3cret", "unknown scheme"),
    ],
)
def test_each_mistake_in_a_url_is_explained_without_its_secrets(url: str, says: str) -> None:
    with pytest.raises(TransportURLError) as caught:
        registry.from_url(url)
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_key_may_contain_plus_and_percent_signs() -> None:
    transport: Any = registry.from_url("anymail+sendgrid://?api_key=a+b%2Fc%26d%2C")
    assert transport._backend.api_key == "a+b/c&d,"


def test_amazons_options_are_those_of_its_client_and_it_never_repeats_a_call() -> None:
    """E6: boto3 would call again after a lost answer."""
    url = "anymail+amazon_ses://?region=eu-west-1&access_key_id=a&secret_access_key=s3cret"
    transport: Any = registry.from_url(f"{url}&configuration_set_name=weekly&timeout=7")
    params = transport._backend.client_params
    assert transport._backend.configuration_set_name == "weekly"
    assert params["region_name"] == "eu-west-1"
    assert (params["aws_access_key_id"], params["aws_secret_access_key"]) == ("a", "s3cret")
    assert params["config"].retries == {"total_max_attempts": 1}
    assert (params["config"].connect_timeout, params["config"].read_timeout) == (7, 7)
    assert "s3cret" not in transport.name
