"""Every refusal is explained in the editors' language, with what to do (D7)."""

from __future__ import annotations

import pytest
from django.utils import translation

from newsletter.delivery.models import Alert
from newsletter.delivery.oversight.alert_texts import describe
from newsletter.delivery.oversight.explanations import explain
from newsletter.transport.outcomes import Fault


@pytest.mark.parametrize(
    ("fault", "code", "status", "reason", "words"),
    [
        (Fault.SENDER, 535, "5.7.8", "", "user name and password"),
        (Fault.SENDER, 550, "5.4.5", "", "limit"),
        (Fault.SENDER, 420, "", "", "limit"),
        (Fault.SENDER, 550, "5.7.26", "", "send from this address"),
        (Fault.SENDER, 550, "5.7.1", "", "policy"),
        (Fault.MESSAGE, 552, "5.3.4", "", "larger"),
        (Fault.MESSAGE, 554, "5.7.1", "", "spam"),
        (Fault.READER, 550, "5.1.1", "", "as if no address existed"),
        (Fault.SPEED, 429, "", "", "too fast"),
        (Fault.RELAY, None, "", "TLS handshake failed (certificate has expired)", "certificate"),
        (Fault.RELAY, None, "", "connection failed", "reached"),
    ],
)
def test_codes_have_a_meaning(
    fault: Fault, code: int | None, status: str, reason: str, words: str
) -> None:
    assert words in str(explain(fault, code, status, reason).title)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", Alert.Kind)
@pytest.mark.parametrize("language", ["be", "ru"])
def test_every_alert_is_translated(kind: Alert.Kind, language: str) -> None:
    facts = {
        "transport": "T",
        "readers": 5,
        "failed": 5,
        "unknown": 5,
        "fault": "sender",
        "problem": "unreachable",
        "issue": 5,
        "by": "ina",
        "name": "ina",
        "failures": 5,
    }
    alert = Alert(kind=kind, subject="1", facts=facts)
    with translation.override("en"):
        english = describe(alert)
    with translation.override(language):
        translated = describe(alert)

    assert translated.title != english.title
    assert not set(translated.details) & set(english.details)
