"""Fixtures for all tests: a newsroom, its weekly newsletter, and an editor."""

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
from subscribers.views import signup

HERE = Path(__file__).parent
MARKERS_BY_FOLDER = {
    "delivery/simulation": "simulation",
    "web": "pages",
    "desk": "pages",
    "subscribers/views": "pages",
}
PAGE_FIXTURES = {"client", "admin_client"}
NAMES = {"en": "Week in View", "be": "Тыдзень у фокусе", "ru": "Неделя в фокусе"}


def pytest_configure() -> None:
    # Django loads a catalog once, at its first use.
    for path in settings.LOCALE_PATHS:
        compile_catalogs(Path(path))
    # Each test process has its own cache and static files: neither is under test.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # Wake-ups go nowhere; a test that needs workers starts its own site.
    settings.CELERY_BROKER_URL = "memory://"
    # A fast hash: tests sign in often.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of some folders, and those that ask for Django's test client; `make unit`
    deselects by marker."""
    for item in items:
        for folder, marker in MARKERS_BY_FOLDER.items():
            if item.path.is_relative_to(HERE / folder):
                item.add_marker(marker)
        if PAGE_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("pages")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute tests by file, but keep the folders of tests/e2e together: each shares a running
    site. Each test of tests/chaos starts its own, takes up to a minute and mostly waits, so these
    are distributed one by one. Keep the order of collection, so that the long ones start first."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            folder = path.rpartition("/")[0]
            if "/chaos" in folder:
                return nodeid
            return folder if "/e2e/" in folder else path

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report how many states of a mailing the simulation explored (tests/delivery/simulation)."""
    passed = terminalreporter.getreports("passed")
    states = [n for report in passed for name, n in report.user_properties if name == "states"]
    if states:
        terminalreporter.write_line(f"simulation: {sum(states)} states checked")


@pytest.fixture(scope="session", autouse=True)
def url_patterns() -> None:
    """Load the URLs before any test changes the settings that they depend on."""
    import_module(settings.ROOT_URLCONF)


@pytest.fixture(autouse=True)
def site_language() -> Iterator[None]:
    """Keep the language of one test's last page from leaking into the next test."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def empty_newsletter_cache() -> None:
    """Forget the newsletters that an earlier test cached."""
    signup.newsletter_cache.clear()


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Format `caplog.text` like the real log, with the fields given as `extra`."""
    caplog.handler.setFormatter(KeyValueFormatter())
    return caplog


class ReportedOutages(OutageMonitor):
    """Records which services were reported down, and starts no thread that tries them: it would
    write into the log of later tests."""

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
    """Store uploads below the test's temporary folder."""
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
    """A weekly newsletter in English, Belarusian and Russian, offered as EN and BE/RU."""
    newsletter = Newsletter.objects.create(
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
        NewsletterTranslation.objects.create(newsletter=newsletter, language=language, name=name)
    return newsletter


@pytest.fixture
def security(weekly: Newsletter) -> Topic:
    topic = Topic.objects.create(newsletter=weekly, slug="security")
    for language, name in {"en": "Security", "be": "Бяспека", "ru": "Безопасность"}.items():
        TopicTranslation.objects.create(topic=topic, language=language, name=name)
    return topic


@pytest.fixture
def issue(weekly: Newsletter) -> Issue:
    """The issue of 24–30 July 2017, without any articles."""
    return Issue.objects.create(
        newsletter=weekly, starts_on=date(2017, 7, 24), ends_on=date(2017, 7, 30)
    )


WriteArticle = Callable[..., Article]


@pytest.fixture
def write_article(weekly: Newsletter) -> WriteArticle:
    """Return a function that creates an article, ready in the given languages: en="Headline"."""

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
def render_in_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Render in the test's own process, so that the test can change settings. Tests marked
    `sandbox`, and running sites, render in a child process as in production."""
    if request.node.get_closest_marker("sandbox") is None:
        monkeypatch.setattr(
            sandbox, "run", lambda function, *args, **kwargs: function(*args, **kwargs)
        )
