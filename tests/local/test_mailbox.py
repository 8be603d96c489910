"""The local mailbox: what comes in by SMTP can be read in the browser, at this machine only."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from newsletter.local.mailbox import Mailbox

ROOT = Path(__file__).resolve().parent.parent.parent
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360f8cf500f0003860180345bb2070000000049454e44ae426082"
)
HTML = """<html><head><title>x</title><style>
@media (prefers-color-scheme: dark) { body { background: #111 } }</style></head>
<body><a href="http://127.0.0.1/here">here</a><img src="cid:river@news">
<script>x</script></body></html>"""


def letter(*, subject: str = "Тыдзень", to: str = "alena@example.org") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "desk@news.example.org"
    message["To"] = to
    message["Subject"] = subject
    message.set_content("Добры дзень! https://news.example.org/be/")
    message.add_alternative(HTML, subtype="html")
    # Last: what makes a message multipart moves such headers into its first part.
    message["Content-Language"] = "be"
    part = message.get_payload(1)
    assert isinstance(part, EmailMessage)
    part.add_related(PIXEL, "image", "png", cid="<river@news>")
    return message


@pytest.fixture
def mailbox(settings: Any, tmp_path: Path) -> Mailbox:
    settings.LOCAL_MAILBOX_DIR = tmp_path / "mailbox"
    return Mailbox(tmp_path / "mailbox")


@pytest.fixture
def kept(mailbox: Mailbox) -> str:
    """The name of one mail."""
    return mailbox.add(letter().as_bytes(), ("alena@example.org",)).name


@pytest.fixture
def here() -> Client:
    return Client(headers={"host": "127.0.0.1"})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """A real receiver in a process of its own; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "MAILBOX_PORT": str(port)}
    environment.pop("DELIVERY_TRANSPORTS", None)
    with subprocess.Popen(
        [sys.executable, "manage.py", "mailbox", "--skip-checks"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
    ) as process:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.server
def test_what_comes_by_smtp_is_kept(server: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", server) as line:
        for number in range(3):
            line.send_message(letter(subject=f"Тыдзень {number}", to="boris@example.org"))
    entries = Mailbox(tmp_path / "mailbox").entries()
    assert [entry.subject for entry in entries] == ["Тыдзень 2", "Тыдзень 1", "Тыдзень 0"]
    assert entries[0].to == ("boris@example.org",)
    assert entries[0].language == "be"


def test_the_source_is_the_mail_byte_for_byte(mailbox: Mailbox) -> None:
    content = letter().as_bytes()
    assert mailbox.source(mailbox.add(content, ("a@example.org", "b@example.org")).name) == content


def test_a_name_from_elsewhere_reaches_no_file(mailbox: Mailbox, tmp_path: Path) -> None:
    (tmp_path / "secret.eml").write_text("secret")
    assert mailbox.source("../secret") is None


def test_a_line_cut_off_by_a_crash_is_made_anew(mailbox: Mailbox, kept: str) -> None:
    index = mailbox.directory / "index.jsonl"
    index.write_text(index.read_text()[:20] + "\n")
    assert mailbox.entries() == []
    assert mailbox.rebuild_index() == 1
    assert [entry.name for entry in mailbox.entries()] == [kept]
    assert mailbox.rebuild_index() == 0


@pytest.mark.slow
def test_some_thousands_are_listed_fast(mailbox: Mailbox) -> None:
    content = letter().as_bytes()
    for number in range(3000):
        mailbox.add(content, (f"reader{number}@example.org",))
    begun = time.perf_counter()
    assert len(mailbox.entries("reader299")) == 11
    assert time.perf_counter() - begun < 0.5


@pytest.mark.usefixtures("db")
class TestPages:
    def test_an_empty_mailbox_says_so(self, here: Client, mailbox: Mailbox) -> None:
        assert "No emails yet" in here.get("/inbox/").content.decode()

    def test_the_list_links_to_each_mail(self, here: Client, kept: str) -> None:
        page = here.get("/inbox/").content.decode()
        assert f'href="/inbox/{kept}/"' in page
        assert "Тыдзень" in page
        assert "alena@example.org" in page

    def test_a_recipient_filters_it(self, here: Client, mailbox: Mailbox, kept: str) -> None:
        mailbox.add(letter(subject="Другі").as_bytes(), ("boris@example.org",))
        page = here.get("/inbox/", {"to": "boris"}).content.decode()
        assert "Другі" in page
        assert kept not in page

    def test_text_and_source_are_readable(self, here: Client, kept: str) -> None:
        text = here.get(f"/inbox/{kept}/?view=text").content.decode()
        assert 'Добры дзень! <a href="https://news.example.org/be/"' in text
        source = here.get(f"/inbox/{kept}/?view=source").content.decode()
        assert "Content-Language: be" in source

    def test_the_frame_runs_nothing(self, here: Client, kept: str) -> None:
        response = here.get(f"/inbox/{kept}/html/")
        policy = response["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; img-src http://127.0.0.1 ")
        assert "sandbox allow-popups" in policy
        assert "allow-scripts" not in policy
        assert response["X-Frame-Options"] == "SAMEORIGIN"

    def test_links_open_in_the_whole_window(self, here: Client, kept: str) -> None:
        assert '<head><base target="_top">' in here.get(f"/inbox/{kept}/html/").content.decode()

    def test_a_picture_inside_the_mail_is_shown(self, here: Client, kept: str) -> None:
        page = here.get(f"/inbox/{kept}/html/").content.decode()
        url = f"/inbox/{kept}/picture/?cid=river%40news"
        assert f'src="{url}"' in page
        response = here.get(url)
        assert response["Content-Type"] == "image/png"
        assert response.content == PIXEL

    def test_dark_and_light_are_answered_as_asked(self, here: Client, kept: str) -> None:
        dark = here.get(f"/inbox/{kept}/html/?look=dark").content.decode()
        assert "@media (min-width: 0) { body { background: #111 } }" in dark
        light = here.get(f"/inbox/{kept}/html/").content.decode()
        assert "@media (max-width: 0) { body { background: #111 } }" in light

    def test_throwing_away_takes_a_post(self, here: Client, mailbox: Mailbox, kept: str) -> None:
        assert here.get("/inbox/empty/").status_code == 405
        assert len(mailbox.entries()) == 1
        assert here.post("/inbox/empty/").status_code == 302
        assert mailbox.entries() == []

    @pytest.mark.parametrize("path", ["/inbox/", "/inbox/{}/", "/inbox/{}/html/"])
    @pytest.mark.parametrize(
        "request_",
        [
            {"REMOTE_ADDR": "192.0.2.7"},
            {"REMOTE_ADDR": ""},
            {"headers": {"X-Forwarded-For": "192.0.2.7"}},
        ],
    )
    def test_who_is_elsewhere_is_refused(
        self, here: Client, kept: str, path: str, request_: Any
    ) -> None:
        assert here.get(path.format(kept), **request_).status_code == 403

    def test_another_name_for_this_machine_is_refused(self, settings: Any, kept: str) -> None:
        settings.ALLOWED_HOSTS = ["news.example.org"]
        assert Client(headers={"host": "news.example.org"}).get("/inbox/").status_code == 403

    def test_a_mail_that_is_not_there(self, here: Client, mailbox: Mailbox) -> None:
        assert here.get("/inbox/nothing/").status_code == 404
