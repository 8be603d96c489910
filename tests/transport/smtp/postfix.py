"""A Postfix on loopback that puts every message it accepts on hold."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.chaos.servers import free_port
from tests.transport.certificate import certificate

DAEMONS = Path("/usr/lib/postfix/sbin")

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_restrictions = check_client_access static:hold
smtpd_tls_cert_file = {folder}/relay.pem
smtpd_tls_key_file = {folder}/relay.key
smtpd_tls_security_level = encrypt
smtpd_client_connection_rate_limit = 0
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""
_MASTER = """
127.0.0.1:{chunking} inet n - n - - smtpd
127.0.0.1:{data} inet n - n - - smtpd -o smtpd_discard_ehlo_keywords=chunking
127.0.0.1:{stepwise} inet n - n - - smtpd -o smtpd_discard_ehlo_keywords=chunking,pipelining
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def unavailable_reason() -> str:
    """Return why Postfix cannot be started here, or ""."""
    if not (DAEMONS / "master").exists() or shutil.which("postcat") is None:
        return "postfix is not installed"
    return "" if os.geteuid() == 0 else "starting Postfix needs root"


class Postfix:
    """A running Postfix. `ports` are by extension: chunking, data (only PIPELINING), stepwise."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tydzen-postfix-"))
        # Its processes run as another user.
        self.folder.chmod(0o755)
        _, self.trusted = certificate(self.folder)
        self.ports = {kind: free_port() for kind in ("chunking", "data", "stepwise")}
        self._configure()
        _run("postfix", "-c", str(self.config), "check")
        self._master = subprocess.Popen([DAEMONS / "master", "-c", self.config, "-d"])
        self._wait()

    @property
    def config(self) -> Path:
        return self.folder / "etc"

    def queued(self) -> list[tuple[str, str, bytes]]:
        """Return the envelope sender, recipient and content of each message, in no order.

        Lines end in LF, and Postfix's own Received is left out.
        """
        return [self._message(path) for path in (self.folder / "spool/hold").iterdir()]

    def close(self) -> None:
        self._master.terminate()
        self._master.wait(20)
        shutil.rmtree(self.folder)

    def _configure(self) -> None:
        for name in ("etc", "spool", "data"):
            (self.folder / name).mkdir()
        owner = pwd.getpwnam("postfix").pw_uid
        os.chown(self.folder / "data", owner, -1)
        main = _MAIN.format(folder=self.folder, daemons=DAEMONS)
        (self.config / "main.cf").write_text(main)
        (self.config / "master.cf").write_text(_MASTER.format(**self.ports))

    def _wait(self) -> None:
        until = time.monotonic() + 20
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if self._master.poll() is not None or time.monotonic() > until:
                        raise
                    time.sleep(0.05)

    def _message(self, path: Path) -> tuple[str, str, bytes]:
        envelope = _run("postcat", "-c", str(self.config), "-e", str(path)).decode()
        fields = dict(line.split(": ", 1) for line in envelope.splitlines() if ": " in line)
        content = _run("postcat", "-c", str(self.config), "-bh", str(path))
        lines = content.split(b"\n")
        end = next(i for i, line in enumerate(lines) if i and not line.startswith((b"\t", b" ")))
        return fields["sender"], fields["recipient"], b"\n".join(lines[end:])


def _run(*command: str) -> bytes:
    return subprocess.run(command, capture_output=True, check=True, timeout=20).stdout
