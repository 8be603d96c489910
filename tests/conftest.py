"""The cast: one newsroom, its weekly, and who works there and reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation

from newsletter.editorial.models import (
    Article,
    ArticleTranslation,
    Issue,
    Newsletter,
    NewsletterTranslation,
    Newsroom,
    NewsroomTranslation,
    Topic,
    TopicTranslation,
    User,
)
from newsletter.lib import outages, sandbox
from newsletter.lib.catalogs import compile_catalogs
from newsletter.lib.logs import KeyValueFormatter
from newsletter.lib.outages import OutageMonitor
from subscribers.views import cached_newsletters

HERE = Path(__file__).parent
MARKED = {"delivery/simulation": "simulation", "web": "pages", "desk": "pages"}
NAMES = {"en": "Week in View", "be": "Тыдзень у фокусе", "ru": "Неделя в фокусе"}


def pytest_configure() -> None:
    # Django reads a catalogue once, at its first use.
    for path in settings.LOCALE_PATHS:
        compile_catalogs(Path(path))
    # Neither the cache nor static files are what is tested; each process has its own.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # Hints go nowhere here; tests that want workers start a site of their own.
    settings.CELERY_BROKER_URL = "memory://"
    # One round of hashing: tests sign in often.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make unit` leaves out what is marked as more than that; some of it by its folder."""
    for item in items:
        for folder, marker in MARKED.items():
            if item.path.is_relative_to(HERE / folder):
                item.add_marker(marker)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share tests out by file, but keep together those that share a running site: the folders
    of tests/e2e. In the order of collection, so that these come first."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            folder = path.rpartition("/")[0]
            return folder if "/e2e/" in folder else path

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many states the simulation of the send-out went through (tests/delivery/simulation)."""
    passed = terminalreporter.getreports("passed")
    states = [n for report in passed for name, n in report.user_properties if name == "states"]
    if states:
        terminalreporter.write_line(f"simulation: {sum(states)} states checked")


@pytest.fixture(scope="session", autouse=True)
def addresses() -> None:
    """They follow from settings as they are at the start, not from those that a test changed
    before the first page was asked for."""
    import_module(settings.ROOT_URLCONF)


@pytest.fixture(autouse=True)
def site_language() -> Iterator[None]:
    """A page that a test looked at leaves its language to the next test otherwise."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """Each test has newsletters of its own."""
    cached_newsletters.clear()


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """`caplog.text` has lines as the log has them, with what is given as `extra`."""
    caplog.handler.setFormatter(KeyValueFormatter())
    return caplog


class ReportedOutages(OutageMonitor):
    """Notes which services were reported, and tries none: a thread that did would write into the
    log of the tests that follow."""

    def __init__(self) -> None:
        super().__init__({})
        self.services: list[str] = []

    def report_failure(self, service: str, error: str) -> None:
        self.services.append(service)

    def is_any_suspected(self) -> bool:
        return bool(self.services)


@pytest.fixture(autouse=True)
def reported(monkeypatch: pytest.MonkeyPatch) -> ReportedOutages:
    reported = ReportedOutages()
    monkeypatch.setattr(outages, "monitor", reported)
    return reported


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """Uploaded files go where the test's other files go."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VAR_DIR = tmp_path
    return tmp_path / "media"


@pytest.fixture
def newsroom(db: None) -> Newsroom:
    room = Newsroom.objects.create()
    for language, name in NAMES.items():
        NewsroomTranslation.objects.create(newsroom=room, language=language, name=name)
    return room


@pytest.fixture
def weekly(newsroom: Newsroom) -> Newsletter:
    """The weekly letter in English, Belarusian and Russian; choices EN and BE/RU."""
    letter = Newsletter.objects.create(
        slug="weekly",
        languages=["en", "be", "ru"],
        choices=[
            {"label": "EN", "languages": ["en"]},
            {"label": "BE/RU", "languages": ["be", "ru"]},
        ],
        sender_address="desk@news.example.org",
        time=time(9, 0),
    )
    for language, name in NAMES.items():
        NewsletterTranslation.objects.create(newsletter=letter, language=language, name=name)
    return letter


@pytest.fixture
def security(weekly: Newsletter) -> Topic:
    topic = Topic.objects.create(newsletter=weekly, slug="security")
    for language, name in {"en": "Security", "be": "Бяспека", "ru": "Безопасность"}.items():
        TopicTranslation.objects.create(topic=topic, language=language, name=name)
    return topic


@pytest.fixture
def issue(weekly: Newsletter) -> Issue:
    """The issue of 24–30 July 2017, without articles."""
    return Issue.objects.create(
        newsletter=weekly, starts_on=date(2017, 7, 24), ends_on=date(2017, 7, 30)
    )


WriteArticle = Callable[..., Article]


@pytest.fixture
def write_article(weekly: Newsletter) -> WriteArticle:
    """A function that makes an article ready in the languages given: en="Headline"."""

    def write(
        *,
        issue: Issue | None = None,
        topic: Topic | None = None,
        state: str = ArticleTranslation.State.READY,
        published_at: datetime = datetime(2017, 8, 1, 6, 0, tzinfo=UTC),
        **headlines: str,
    ) -> Article:
        article = Article.objects.create(
            newsletter=weekly,
            issue=issue,
            topic=topic,
            published_at=published_at,
            original_language=next(iter(headlines)),
            position=Article.objects.count(),
        )
        for language, headline in headlines.items():
            ArticleTranslation.objects.create(
                article=article,
                language=language,
                headline=headline,
                slug=f"article-{article.pk}-{language}",
                lead=f"{headline}: lead.",
                body=f"<p>{headline}: text.</p>",
                state=state,
            )
        return article

    return write


@pytest.fixture
def editor(db: None) -> User:
    return User.objects.create_superuser("editor", password="sign-me-in")


@pytest.fixture(autouse=True)
def not_apart(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails are laid out in the test's own process, where a test can change settings; tests of
    newsletter.lib.sandbox itself, and all running sites, use the other process."""
    if request.node.get_closest_marker("apart") is None:
        monkeypatch.setattr(
            sandbox, "run", lambda function, *args, **kwargs: function(*args, **kwargs)
        )
