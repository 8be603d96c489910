"""Waking the workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app

from newsletter.lib.queue import wake
from tests.conftest import ReportedOutages


@pytest.fixture
def broker_down() -> Iterator[None]:
    """A broker URL at which nothing listens."""
    conf: Any = current_app.conf
    before = conf.broker_url
    conf.broker_url = "redis://127.0.0.1:1/0"
    _drop_connections()
    yield
    conf.broker_url = before
    _drop_connections()


def _drop_connections() -> None:
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
    app._pool = None
    app.amqp._producer_pool = None


def test_wake_returns_false_while_the_broker_is_down(
    broker_down: None, reported: ReportedOutages
) -> None:
    assert not wake("delivery.send", 1)
    assert reported.services == ["broker"]
