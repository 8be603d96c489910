"""Settings from the environment: how they are parsed, and what errors say but never show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from environs import EnvError

from newsletter.lib import environment
from newsletter.lib.environment import Environment, between, suggest_names

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def env() -> Environment:
    return Environment(strip_whitespace=True)


class TestParsing:
    def test_an_error_names_the_variable_and_the_range(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SEND_STEP", "0")
        with pytest.raises(EnvError, match=r"SEND_STEP.*greater than or equal to 1 .* 1000"):
            env.int("SEND_STEP", 50, validate=between(1, 1000))

    def test_the_parsers_error_follows_the_name(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SITE_URL", "news.example.org")
        with pytest.raises(EnvError, match=r"^SITE_URL: 'news\.example\.org' is not of the form"):
            env.parsed("SITE_URL", "http://localhost", environment.parse_site_url)

    def test_any_variable_may_come_from_a_file(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "url").write_text("postgres://desk@db.example/news\n")
        monkeypatch.setenv("DATABASE_URL", "sqlite:///other")
        monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
        config = env.parsed("DATABASE_URL", "", environment.parse_database)
        assert (config["HOST"], config["NAME"]) == ("db.example", "news")

    def test_every_variable_read_is_remembered(self, env: Environment) -> None:
        env.int("PORT", 8000)
        env.parsed("ALLOWED_HOSTS", "a, b", environment.split_list)
        assert env.names() == ["PORT", "ALLOWED_HOSTS"]


@pytest.mark.parametrize(
    "url", ["mysql://desk:hunter2@db/news", "postgres://desk:hunter2@db:port/x", "hunter2"]
)
def test_no_error_shows_the_database_password(
    env: Environment, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(EnvError, match=r"^DATABASE_URL: .*postgres://user@host/name") as raised:
        env.parsed("DATABASE_URL", "", environment.parse_database)
    shown: BaseException | None = raised.value
    while shown is not None:
        assert "hunter2" not in str(shown)
        # What a traceback would show.
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)


class TestFiles:
    def test_a_missing_file_is_named(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("WEB_KEYS_FILE", str(tmp_path / "web.json"))
        with pytest.raises(EnvError, match=r"WEB_KEYS_FILE: .*/web.json: No such file"):
            env.str("WEB_KEYS", "")

    def test_the_content_of_a_binary_file_is_not_shown(
        self, env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "key").write_bytes(b"hunter2\xff")
        monkeypatch.setenv("WEB_KEYS_FILE", str(tmp_path / "key"))
        with pytest.raises(EnvError, match="not a text file") as raised:
            env.str("WEB_KEYS", "")
        assert "hunter2" not in str(raised.value)


class TestMisspelt:
    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ("SEND_STEPS", "SEND_STEP"),
            ("SEND_STEP_SIZE", "SEND_STEP"),
            ("SIGN_UPS_PER_NETWORKS", "SIGN_UPS_PER_NETWORK"),
            ("DATABSE_URL", "DATABASE_URL"),
            ("ALLOWED_HOST", "ALLOWED_HOSTS"),
            ("WEB_KEY_FILE", "WEB_KEYS_FILE"),
            ("SITE_ULR", "SITE_URL"),
            ("SEND_XYZZY_QUX", None),
        ],
    )
    def test_a_misspelt_name_is_found(self, given: str, meant: str | None) -> None:
        assert suggest_names(settings.CONFIGURATION, {given: "4"}) == {given: meant}

    def test_common_variables_are_not_reported(self) -> None:
        common = (
            "PATH HOME USER LOGNAME SHELL TERM LANG LANGUAGE LC_ALL TZ PWD TMPDIR HOSTNAME HOST "
            "PORT DATABASE_URL DATABASE_URL_FILE PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD "
            "PYTHONPATH PYTHONWARNINGS VIRTUAL_ENV DJANGO_SETTINGS_MODULE WEB_CONCURRENCY "
            "GUNICORN_CMD_ARGS REDIS_URL CELERY_BROKER_URL CELERY_LOG_LEVEL DEBUGINFOD_URLS BIN "
            "MAKEFLAGS MAKELEVEL XDG_RUNTIME_DIR SSH_AUTH_SOCK INVOCATION_ID JOURNAL_STREAM "
            "KUBERNETES_SERVICE_HOST KUBERNETES_PORT WEB_PORT WEB_SERVICE_HOST WORKER_PORT "
            "MAILBOX_SERVICE_PORT HTTP_PROXY NO_PROXY EDITOR PAGER NODE_ENV CI SENDGRID_API_KEY "
            "SECRET_KEY MEDIA_ROOT STATIC_ROOT VAR CACHE_DIR BROWSER SITE_ID THEME LANGUAGES"
        )
        assert suggest_names(settings.CONFIGURATION, dict.fromkeys(common.split(), "x")) == {}


def test_a_domain_is_kept_in_ace_form() -> None:
    assert environment.parse_domain("") == ""
    assert environment.parse_domain("Bounces.Example.org.") == "bounces.example.org"
    assert environment.parse_domain("вяртанні.example") == "xn--80ad8aamm3gvc.example"


@pytest.mark.parametrize("text", ["localhost", "desk@news.example", "a b.example", "-"])
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a domain"):
        environment.parse_domain(text)


def test_the_domain_for_unsubscriptions_has_to_fit_into_a_header() -> None:
    """A7: List-Unsubscribe holds it beside the link."""
    assert environment.parse_inbound_domain("bounces.example.org") == "bounces.example.org"
    with pytest.raises(ValueError, match="more than 80 characters"):
        environment.parse_inbound_domain(f"{'b' * 40}.{'c' * 40}.example")


def test_a_folder_without_write_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / "var"
    folder.mkdir(mode=0o500)
    code = (
        "import os, sys; from pathlib import Path; from newsletter.lib import environment as e\n"
        # Permissions do not hold for root.
        "os.geteuid() or os.setuid(65534)\n"
        "e.require_folder('VAR_DIR', Path(sys.argv[1]), write=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    last = done.stderr.splitlines()[-1]
    assert f"VAR_DIR: the folder {folder} cannot be used (" in last
    assert "Choose another one, or make this user its owner: chown" in last


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "migrate", "up"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DATABASE_URL": "mysql://desk:hunter2@db/news"}, "DATABASE_URL: Tydzen runs on Postgre"),
        ({"VAR_DIR": "/dev/null/var"}, "VAR_DIR: the folder /dev/null/var cannot be used (Not a"),
        ({"WEB_KEYS_FILE": "/nowhere/web.json"}, "WEB_KEYS_FILE: /nowhere/web.json: No such file"),
    ],
)
def test_a_bad_setting_is_explained_in_one_line(
    command: str, given: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), **given},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(said)
    assert "hunter2" not in line
