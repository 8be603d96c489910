"""A small IMAP server on loopback: it has the commands that reading a mailbox needs."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

PASSWORD = "right"


@dataclass
class ImapServer:
    """`folders` maps each folder to its emails by UID. `commands` are those that were received."""

    can_move: bool = True
    accepts: bool = True
    uid_behind: bool = False
    folders: dict[str, dict[int, bytes]] = field(default_factory=lambda: {"INBOX": {}})
    flags: dict[int, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    def start(self) -> None:
        imap = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                Session(imap, self).run()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def deliver(self, *emails: bytes) -> None:
        first = 1 + max((uid for folder in self.folders.values() for uid in folder), default=0)
        self.folders["INBOX"].update(enumerate(emails, first))

    @property
    def url(self) -> str:
        return f"imap://desk%40news.example:{PASSWORD}@127.0.0.1:{self.port}/INBOX"


class Session:
    """One connection."""

    def __init__(self, imap: ImapServer, stream: socketserver.StreamRequestHandler) -> None:
        self.imap, self.stream = imap, stream
        self.folder: dict[int, bytes] = {}

    def say(self, *chunks: bytes) -> None:
        self.stream.wfile.write(b"".join(chunks) + b"\r\n")

    def run(self) -> None:
        self.say(b"* OK ready")
        while line := self.stream.rfile.readline().decode().strip():
            tag, command, rest = (*line.split(" ", 2), "")[:3]
            if command.upper() == "UID":
                command, _, rest = rest.partition(" ")
            self.imap.commands.append(command.upper())
            answer = getattr(self, f"on_{command.lower()}")(rest)
            self.say(f"{tag} {answer or 'OK done'}".encode())
            if command.upper() == "LOGOUT":
                return

    def on_capability(self, rest: str) -> None:
        self.say(b"* CAPABILITY IMAP4rev1", b" MOVE" if self.imap.can_move else b"")

    def on_login(self, rest: str) -> str:
        if rest != f'"desk@news.example" "{PASSWORD}"' and rest != f"desk@news.example {PASSWORD}":
            return "NO [AUTHENTICATIONFAILED] desk@news.example is unknown"
        return "OK welcome"

    def on_select(self, rest: str) -> str:
        if rest.strip('"') not in self.imap.folders:
            return "NO no such folder"
        self.folder = self.imap.folders[rest.strip('"')]
        self.say(f"* {len(self.folder)} EXISTS".encode())
        self.say(b"* OK [UIDVALIDITY 77] valid")
        return "OK [READ-WRITE] done"

    def on_search(self, rest: str) -> None:
        self.say(b"* SEARCH", *(f" {uid}".encode() for uid in sorted(self.folder)))

    def on_fetch(self, rest: str) -> None:
        uids, parts = rest.split(" ", 1)
        cut = re.search(r"<0\.(\d+)>", parts)
        for number, uid in enumerate(sorted(self.folder), 1):
            if str(uid) not in uids.split(","):
                continue
            raw = self.folder[uid]
            if cut is None:
                self.say(f"* {number} FETCH (UID {uid} RFC822.SIZE {len(raw)})".encode())
                continue
            if "PEEK" not in parts:
                self.imap.flags[uid] = "Seen"
            raw = raw[: int(cut[1])]
            before, after = ("", f" UID {uid}") if self.imap.uid_behind else (f"UID {uid} ", "")
            head = f"* {number} FETCH ({before}BODY[]<0> {{{len(raw)}}}\r\n"
            self.say(head.encode(), raw, f"{after})".encode())

    def on_list(self, rest: str) -> None:
        name = rest.split('"')[-2] if rest.endswith('"') else rest.split()[-1]
        if name in self.imap.folders:
            self.say(f'* LIST () "/" "{name}"'.encode())

    def on_create(self, rest: str) -> str:
        if not self.imap.accepts:
            return "NO permission denied"
        self.imap.folders[rest.strip('"')] = {}
        return "OK created"

    def on_move(self, rest: str) -> None:
        self.on_copy(rest)
        self._remove(self._uids(rest))

    def on_copy(self, rest: str) -> None:
        target = self.imap.folders[rest.split(" ", 1)[1].strip('"')]
        target.update({uid: self.folder[uid] for uid in self._uids(rest)})

    def on_store(self, rest: str) -> None:
        self.imap.flags.update(dict.fromkeys(self._uids(rest), rest.split(" ", 1)[1]))

    def on_expunge(self, rest: str) -> None:
        self._remove([uid for uid, flags in self.imap.flags.items() if "Deleted" in flags])

    def on_logout(self, rest: str) -> None:
        self.say(b"* BYE")

    def _uids(self, rest: str) -> list[int]:
        return [int(uid) for uid in rest.split(" ", 1)[0].split(",") if int(uid) in self.folder]

    def _remove(self, uids: Iterable[int]) -> None:
        for uid in uids:
            self.folder.pop(uid, None)
