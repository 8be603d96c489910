"""The local mailbox: email received by SMTP can be read in a browser, on this machine only."""

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


def make_message(*, subject: str = "Тыдзень", to: str = "alena@example.org") -> EmailMessage:
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
def stored(mailbox: Mailbox) -> str:
    """Return the name of a stored message."""
    return mailbox.add(make_message().as_bytes(), ("alena@example.org",)).name


@pytest.fixture
def local_client() -> Client:
    return Client(headers={"host": "127.0.0.1"})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """Run the real receiver in a separate process, and yield its port."""
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
def test_email_received_by_smtp_is_stored(server: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", server) as line:
        for number in range(3):
            line.send_message(make_message(subject=f"Тыдзень {number}", to="boris@example.org"))
    entries = Mailbox(tmp_path / "mailbox").entries()
    assert [entry.subject for entry in entries] == ["Тыдзень 2", "Тыдзень 1", "Тыдзень 0"]
    assert entries[0].to == ("boris@example.org",)
    assert entries[0].language == "be"


def test_the_source_is_the_message_byte_for_byte(mailbox: Mailbox) -> None:
    content = make_message().as_bytes()
    assert mailbox.source(mailbox.add(content, ("a@example.org", "b@example.org")).name) == content


def test_a_name_with_a_path_reaches_no_file(mailbox: Mailbox, tmp_path: Path) -> None:
    (tmp_path / "secret.eml").write_text("secret")
    assert mailbox.source("../secret") is None


def test_an_index_line_cut_off_by_a_crash_is_rebuilt(mailbox: Mailbox, stored: str) -> None:
    index = mailbox.directory / "index.jsonl"
    index.write_text(index.read_text()[:20] + "\n")
    assert mailbox.entries() == []
    assert mailbox.rebuild_index() == 1
    assert [entry.name for entry in mailbox.entries()] == [stored]
    assert mailbox.rebuild_index() == 0


@pytest.mark.slow
def test_thousands_of_messages_are_listed_fast(mailbox: Mailbox) -> None:
    content = make_message().as_bytes()
    for number in range(3000):
        mailbox.add(content, (f"reader{number}@example.org",))
    started = time.perf_counter()
    assert len(mailbox.entries("reader299")) == 11
    assert time.perf_counter() - started < 0.5


@pytest.mark.usefixtures("db")
class TestPages:
    def test_an_empty_mailbox_says_so(self, local_client: Client, mailbox: Mailbox) -> None:
        assert "No emails yet" in local_client.get("/inbox/").content.decode()

    def test_the_list_links_to_each_message(self, local_client: Client, stored: str) -> None:
        page = local_client.get("/inbox/").content.decode()
        assert f'href="/inbox/{stored}/"' in page
        assert "Тыдзень" in page
        assert "alena@example.org" in page

    def test_the_list_can_be_filtered_by_recipient(
        self, local_client: Client, mailbox: Mailbox, stored: str
    ) -> None:
        mailbox.add(make_message(subject="Другі").as_bytes(), ("boris@example.org",))
        page = local_client.get("/inbox/", {"to": "boris"}).content.decode()
        assert "Другі" in page
        assert stored not in page

    def test_text_and_source_are_readable(self, local_client: Client, stored: str) -> None:
        text = local_client.get(f"/inbox/{stored}/?view=text").content.decode()
        assert 'Добры дзень! <a href="https://news.example.org/be/"' in text
        source = local_client.get(f"/inbox/{stored}/?view=source").content.decode()
        assert "Content-Language: be" in source

    def test_the_frame_runs_no_scripts(self, local_client: Client, stored: str) -> None:
        response = local_client.get(f"/inbox/{stored}/html/")
        policy = response["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; img-src http://127.0.0.1 ")
        assert "sandbox allow-popups" in policy
        assert "allow-scripts" not in policy
        assert response["X-Frame-Options"] == "SAMEORIGIN"

    def test_links_open_in_the_whole_window(self, local_client: Client, stored: str) -> None:
        assert (
            '<head><base target="_top">'
            in local_client.get(f"/inbox/{stored}/html/").content.decode()
        )

    def test_an_inline_image_is_shown(self, local_client: Client, stored: str) -> None:
        page = local_client.get(f"/inbox/{stored}/html/").content.decode()
        url = f"/inbox/{stored}/picture/?cid=river%40news"
        assert f'src="{url}"' in page
        response = local_client.get(url)
        assert response["Content-Type"] == "image/png"
        assert response.content == PIXEL

    def test_dark_and_light_mode_can_be_chosen(self, local_client: Client, stored: str) -> None:
        dark = local_client.get(f"/inbox/{stored}/html/?look=dark").content.decode()
        assert "@media (min-width: 0) { body { background: #111 } }" in dark
        light = local_client.get(f"/inbox/{stored}/html/").content.decode()
        assert "@media (max-width: 0) { body { background: #111 } }" in light

    def test_deleting_all_messages_requires_post(
        self, local_client: Client, mailbox: Mailbox, stored: str
    ) -> None:
        assert local_client.get("/inbox/empty/").status_code == 405
        assert len(mailbox.entries()) == 1
        assert local_client.post("/inbox/empty/").status_code == 302
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
    def test_requests_from_elsewhere_are_refused(
        self, local_client: Client, stored: str, path: str, request_: Any
    ) -> None:
        assert local_client.get(path.format(stored), **request_).status_code == 403

    def test_another_host_name_is_refused(self, settings: Any, stored: str) -> None:
        settings.ALLOWED_HOSTS = ["news.example.org"]
        assert Client(headers={"host": "news.example.org"}).get("/inbox/").status_code == 403

    def test_an_unknown_message_is_404(self, local_client: Client, mailbox: Mailbox) -> None:
        assert local_client.get("/inbox/nothing/").status_code == 404
