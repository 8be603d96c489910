"""Guessing is slow, and keeps nobody out who knows the password (I4). No address is kept (G9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import ConnectionError as CacheDownError

from newsletter.delivery.models import FailedSignIns, PasswordGuessing
from newsletter.delivery.oversight import alert_texts, alerts, problems
from newsletter.desk.sign_in.counters import Counter
from newsletter.editorial.models import User
from tests.conftest import ReportedOutages
from tests.desk.sign_in.conftest import (
    ELSEWHERE,
    HOME,
    app_code,
    browser,
    code,
    is_in,
    password,
)
from tests.subscribers.test_no_address_leaks import database

pytestmark = pytest.mark.django_db
TOO_MANY = "Too many wrong passwords"


def guess(times: int, *, networks: int = 5, name: str = "editor") -> None:
    """Guess from several networks, patiently: each waits until it may try again."""
    clock = timezone.now()
    with time_machine.travel(clock, tick=False) as traveller:
        for number in range(times):
            network = browser(f"203.0.{113 + number % networks}.99")
            password(network, f"guess {number}", name)
            if number % networks == networks - 1:
                traveller.shift(timedelta(seconds=1))


def test_after_50_wrong_passwords_from_elsewhere_the_editor_comes_in_at_once(
    protected: User,
) -> None:
    """Criterion 5 of issue 13."""
    own = browser(HOME)
    password(own)
    code(own)
    own.post("/admin/logout/")
    for network in range(10):
        guesser = browser(f"203.0.{network}.99")
        for number in range(6):
            answer = password(guesser, f"guess {number}")
    assert TOO_MANY in answer.content.decode()
    assert PasswordGuessing.objects.get().failures == 50
    assert password(own)["Location"] == "/admin/login/code/"
    assert code(own, app_code(period=1))["Location"] == "/admin/"
    assert is_in(own)
    # The guesser waits, even with the right password.
    assert TOO_MANY in password(guesser).content.decode()
    # The editor comes in from a new browser elsewhere as well: password and code.
    abroad = browser("198.51.100.7")
    password(abroad)
    code(abroad, app_code(period=2))
    assert is_in(abroad)
    assert_no_address()


def assert_no_address() -> None:
    stored = database().decode(errors="replace")
    cached = repr(getattr(cache, "_cache", {}))
    for text in (stored, cached):
        for trace in ("203.0.", "192.0.2", "198.51.100"):
            assert trace not in text


def test_without_a_second_factor_a_known_browser_comes_in_all_the_same(editor: User) -> None:
    own = browser(HOME)
    password(own)
    own.post("/admin/logout/")
    guess(60)
    assert TOO_MANY in password(browser("198.51.100.7")).content.decode()
    assert password(own)["Location"] == "/admin/"


def test_the_same_network_as_the_guessers_doesnt_matter_to_a_known_browser(editor: User) -> None:
    own = browser(HOME)
    password(own)
    own.post("/admin/logout/")
    neighbour = browser(HOME)
    for _guess in range(6):
        password(neighbour, "wrong")
    assert TOO_MANY in password(neighbour).content.decode()
    assert password(own)["Location"] == "/admin/"


def test_a_name_that_doesnt_exist_is_answered_the_same(editor: User) -> None:
    answers: dict[str, list[str]] = {}
    for name in ("editor", "nobody"):
        guesser = browser(ELSEWHERE)
        texts = [password(guesser, "wrong", name).content.decode() for _guess in range(7)]
        answers[name] = ["Too many" if TOO_MANY in text else "wrong" for text in texts]
    assert answers["editor"] == answers["nobody"] == ["wrong"] * 5 + ["Too many"] * 2


def test_the_pause_doubles_up_to_an_hour_and_ends() -> None:
    counter = Counter(("test",))
    with time_machine.travel(timezone.now().replace(hour=1), tick=False) as traveller:
        pauses = []
        for _failure in range(14):
            counter.count()
            pauses.append(counter.seconds_to_wait())
            traveller.shift(counter.seconds_to_wait() + 1)
            assert counter.seconds_to_wait() == 0
    assert pauses == [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_the_key_changes_daily() -> None:
    counter = Counter(("test", "192.0.2.0/24"))
    today = counter._key
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert counter._key != today
    assert "192" not in today


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise CacheDownError

    for name in ("get", "add", "set", "incr", "delete_many"):
        monkeypatch.setattr(cache, name, fail)


@pytest.mark.usefixtures("no_cache")
def test_while_the_cache_is_away_the_database_counts(
    editor: User, reported: ReportedOutages
) -> None:
    guesser, own = browser(ELSEWHERE), browser(HOME)
    for _guess in range(5):
        assert password(guesser, "wrong").status_code == 200
    assert TOO_MANY in password(guesser).content.decode()
    assert password(own)["Location"] == "/admin/"
    assert "cache" in reported.services
    assert FailedSignIns.objects.exists()
    assert_no_address()


@pytest.mark.usefixtures("no_cache")
def test_while_the_cache_is_away_a_code_works_once(protected: User) -> None:
    first, again = browser(HOME), browser(HOME)
    for client in (first, again):
        password(client)
        code(client)
    assert is_in(first)
    assert not is_in(again)


def test_staff_and_the_owner_are_told_and_no_address_is(editor: User) -> None:
    PasswordGuessing.objects.create(user=editor, failures=52, last_at=timezone.now())
    [problem] = problems._guessed_passwords()
    alerts.reconcile([problem])
    alert = alerts.open_alerts().get()
    editor.email = "editor@example.org"
    editor.save()
    assert [told.user for told in alerts._concerned(alert, [])] == [editor]
    text = alert_texts.write(alert)
    assert text.subject == "Somebody is guessing the password of editor"
    assert "52 wrong passwords" in text.text
    PasswordGuessing.objects.update(last_at=timezone.now() - timedelta(days=2))
    assert list(problems._guessed_passwords()) == []


def test_a_wait_at_the_account_applies_to_confirming_too(protected: User) -> None:
    client = browser(HOME)
    password(client)
    code(client)
    for _guess in range(6):
        answer = client.post("/admin/account/confirm/", {"password": "wrong"})
    assert answer.status_code == 200
    right = client.post("/admin/account/confirm/", {"password": "sign-me-in"})
    assert right.status_code == 200
