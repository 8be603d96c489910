"""Hints to the workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app

from newsletter.lib.queue import wake
from tests.conftest import ReportedOutages


@pytest.fixture
def broker_down() -> Iterator[None]:
    """A broker's address at which nobody listens."""
    before = current_app.conf.broker_url
    current_app.conf.broker_url = "redis://127.0.0.1:1/0"
    _forget_connections()
    yield
    current_app.conf.broker_url = before
    _forget_connections()


def _forget_connections() -> None:
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
    app._pool = None
    app.amqp._producer_pool = None


def test_wake_returns_false_while_the_broker_is_down(
    broker_down: None, reported: ReportedOutages
) -> None:
    assert not wake("delivery.send", 1)
    assert reported.services == ["broker"]
