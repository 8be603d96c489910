"""A relay without a network: bytes in, replies out. It is as strict and unhelpful as RFC 5321 and
RFC 3030 allow: after a refused BDAT the transaction is still open."""

from __future__ import annotations

from collections.abc import Callable, Iterable

OK = ""
DROP = "DROP"
"""The relay executes the command, but the connection is lost before it can reply."""


def accept_all(_verb: str) -> str:
    return OK


class ModelRelay:
    """A relay whose `answer(verb)` returns a reply that refuses the command, or OK.

    `taken` has the recipients and the content of each accepted message.
    """

    def __init__(
        self,
        extensions: Iterable[str] = ("PIPELINING", "CHUNKING"),
        answer: Callable[[str], str] = accept_all,
        *,
        goes_on_without_recipients: str = "",
    ) -> None:
        self.taken: list[tuple[tuple[bytes, ...], bytes]] = []
        self.closed = False
        self.verbs: list[str] = []
        self._extensions = ["relay.example", *extensions]
        self._answer = answer
        self._without = goes_on_without_recipients
        self._data = b""
        self._missing = 0
        self._in_data = False
        self._mail = False
        self._rcpts: list[bytes] = []
        self.said = b"220 relay.example ESMTP\r\n"

    def feed(self, data: bytes) -> None:
        """Process what the client wrote; replies are added to `said`."""
        self._data += data
        while not self.closed and self._step():
            pass

    def _step(self) -> bool:
        if self._in_data:
            end = b"\r\n.\r\n" if not self._data.startswith(b".\r\n") else b".\r\n"
            content, found, rest = self._data.partition(end)
            if found:
                self._data, self._in_data = rest, False
                self._take("final", content + b"\r\n" if content else b"")
                self._reset()
            return bool(found)
        if self._missing:
            if len(self._data) < self._missing:
                return False
            content, self._data = self._data[: self._missing], self._data[self._missing :]
            self._missing = 0
            if self._take("final", content):
                self._reset()
            return True
        line, found, rest = self._data.partition(b"\r\n")
        if found:
            self._data = rest
            self._command(line)
        return bool(found)

    def _command(self, line: bytes) -> None:
        verb = line.split(b" ")[0].decode().upper()
        self.verbs.append(verb)
        if verb == "BDAT":
            self._missing = int(line.split()[1])
            return
        refusal = self._answer(verb)
        if refusal:
            self._say(refusal)
            if verb == "DATA" and refusal.startswith("354"):
                self._in_data = True
            return
        getattr(self, f"_on_{verb.lower()}")(line)

    def _on_ehlo(self, line: bytes) -> None:
        *before, last = self._extensions
        self._say("\r\n".join([*(f"250-{name}" for name in before), f"250 {last}"]))

    def _on_rset(self, line: bytes) -> None:
        self._reset()
        self._say("250 2.0.0 ok")

    def _on_mail(self, line: bytes) -> None:
        if self._mail:
            self._say("503 5.5.1 nested")
            return
        self._mail = True
        self._say("250 2.1.0 ok")

    def _on_rcpt(self, line: bytes) -> None:
        if not self._mail:
            self._say("503 5.5.1 MAIL first")
            return
        self._rcpts.append(line.partition(b"<")[2].rstrip(b">"))
        self._say("250 2.1.5 ok")

    def _on_data(self, line: bytes) -> None:
        if self._rcpts or self._without:
            self._in_data = True
            self._say("354 go on")
        else:
            self._say("554 5.5.1 no valid recipients")

    def _take(self, verb: str, content: bytes) -> bool:
        if not self._rcpts:
            self._say(self._without or "554 5.5.1 no valid recipients")
            return False
        refusal = self._answer(verb)
        if refusal not in (OK, DROP):
            self._say(refusal)
            return False
        self.taken.append((tuple(self._rcpts), content))
        self._say(refusal or "250 2.0.0 queued")
        return True

    def _reset(self) -> None:
        self._mail, self._rcpts = False, []

    def _say(self, text: str) -> None:
        if text == DROP:
            self.closed = True
            return
        self.said += text.encode() + b"\r\n"
        self.closed = self.closed or text.startswith("421")
