"""/readyz: whether mailings can be sent, for an outside monitor (E9)."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from newsletter.delivery.models import TaskRun, WorkerRecord
from subscribers.models import KeyCheck
from tests.conftest import ReportedOutages

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def running(db: None, settings: Any) -> None:
    """A tick and a worker of a few seconds ago."""
    settings.KEYS_ARE_TEMPORARY = False
    now = timezone.now() - timedelta(seconds=5)
    TaskRun.objects.create(name="tick", started_at=now)
    WorkerRecord.objects.create(started_at=now, alive_at=now)


@pytest.fixture
def broker_down() -> Iterator[None]:
    conf: Any = current_app.conf
    before = conf.broker_url, conf.broker_read_url
    conf.broker_url = conf.broker_read_url = "redis://127.0.0.1:1/0"
    yield
    conf.broker_url, conf.broker_read_url = before


def failures(client: Client, *, status: int = 503) -> set[str]:
    """Return the names of the checks that fail."""
    response = client.get("/readyz")
    assert response.status_code == status
    body = response.json()
    assert body["ready"] is (status == 200)
    return {name for name, check in body["checks"].items() if not check["ok"]}


def test_it_is_ready_and_says_what_it_checked(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200, response.content
    assert list(response.json()["checks"]) == [
        "database",
        "broker",
        "tick",
        "worker",
        "disk",
        "keys",
    ]
    assert 4 <= response.json()["checks"]["tick"]["seconds"] <= 20
    assert not response.cookies
    assert "no-store" in response["Cache-Control"]
    assert b"@" not in response.content
    assert client.post("/readyz").status_code == 405


def test_a_tick_that_has_not_come_or_failed_shows(client: Client) -> None:
    TaskRun.objects.update(failing=True)
    assert failures(client) == {"tick"}
    TaskRun.objects.update(failing=False, started_at=timezone.now() - timedelta(minutes=4))
    assert failures(client) == {"tick"}
    TaskRun.objects.all().delete()
    assert failures(client) == {"tick"}


def test_a_worker_that_is_not_seen_shows(client: Client) -> None:
    WorkerRecord.objects.update(alive_at=timezone.now() - timedelta(minutes=2))
    assert failures(client) == {"worker"}
    WorkerRecord.objects.all().delete()
    assert failures(client) == {"worker"}
    TaskRun.objects.create(name="drain", started_at=timezone.now())
    assert failures(client, status=200) == set(), "a Celery worker that was started by hand"


def test_a_full_disk_shows(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(9e9, 9e9, 100_000_000))
    assert failures(client) == {"disk"}


def test_keys_of_another_database_show_and_nothing_is_stored(client: Client) -> None:
    assert failures(client, status=200) == set()
    assert not KeyCheck.objects.exists()
    KeyCheck.objects.create(purpose=KeyCheck.Purpose.TOKENS, number=1, mark=b"0" * 16)
    assert failures(client) == {"keys"}


@pytest.mark.usefixtures("broker_down")
def test_a_broker_that_is_down_shows(client: Client, reported: ReportedOutages) -> None:
    assert failures(client) == {"broker"}
    assert reported.services == ["broker"]


def test_a_database_that_is_down_shows(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise DatabaseError

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", refuse)
        assert failures(client) == {"database", "tick", "worker", "keys"}
