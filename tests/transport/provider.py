"""Providers' APIs on loopback: they record requests and respond like the providers."""

from __future__ import annotations

import email
import json
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, list[str]]:
        """The fields of a form in either encoding; files as text."""
        kind = self.headers["content-type"]
        if kind.startswith("application/x-www-form-urlencoded"):
            return parse_qs(self.body.decode(), keep_blank_values=True)
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + self.body, policy=policy.HTTP)
        fields: dict[str, list[str]] = {}
        for part in parts.iter_parts():
            name = part.get_param("name", header="content-disposition")
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            fields.setdefault(str(name), []).append(payload.decode("utf-8", "replace"))
        return fields


@dataclass
class Answer:
    status: int = 200
    body: str = "{}"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0
    hang_up: bool = False


class Provider:
    """The base of all providers: `answer` returns the response to a request.

    Responses in `scripted` are used first.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.scripted: deque[Answer] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def answer(self, request: Request) -> Answer:
        return Answer()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One write for head and body, or each answer waits 40 ms for an acknowledgement.
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.path, headers, body)
            provider.requests.append(request)
            answer = provider.scripted.popleft() if provider.scripted else provider.answer(request)
            time.sleep(answer.delay)
            if answer.hang_up:
                self.close_connection = True
                return
            with suppress(OSError):
                self._say(answer)

        def _say(self, answer: Answer) -> None:
            said = answer.body.encode()
            self.send_response(answer.status)
            for name, value in (*answer.headers, ("Content-Length", str(len(said)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    return Handler


class Mailgun(Provider):
    """Refuses the whole call if one address is bad."""

    bad: frozenset[str] = frozenset()

    def answer(self, request: Request) -> Answer:
        bad = self.bad & set(request.form["to"])
        if bad:
            said = f"'to' parameter is not a valid address: {', '.join(bad)}"
            return Answer(400, json.dumps({"message": said}))
        return Answer(200, json.dumps({"id": "<1@mg>", "message": "Queued. Thank you."}))


class SendGrid(Provider):
    def answer(self, request: Request) -> Answer:
        return Answer(202, "")


class Scaleway(Provider):
    """Takes one recipient per call; gives no status for those in `silent`."""

    silent: frozenset[str] = frozenset()
    said = "new"

    def answer(self, request: Request) -> Answer:
        emails = [
            {"id": f"s-{n}", "mail_rcpt": to["email"], "status": self.said}
            for n, to in enumerate(request.json["to"])
            if to["email"] not in self.silent
        ]
        return Answer(200, json.dumps({"emails": emails}))


class Postmark(Provider):
    def answer(self, request: Request) -> Answer:
        data = request.json
        if request.path.endswith("/bulk"):
            return Answer(
                200, json.dumps({"ID": "b", "Status": "Accepted", "PercentageCompleted": 0})
            )
        if data["To"].startswith("inactive"):
            said = {
                "ErrorCode": 406,
                "Message": f"Found inactive addresses: {data['To']}. Inactive recipients are ones",
            }
            return Answer(422, json.dumps(said))
        said = {"ErrorCode": 0, "Message": "OK", "MessageID": "p-1", "To": data["To"]}
        return Answer(200, json.dumps(said))
