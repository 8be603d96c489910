"""A Postfix on loopback that delivers to a Maildir, and bounces what it can't deliver."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from pathlib import Path

from tests.transport.smtp.postfix import Postfix

BOUNCES = "bounces.news.example"

_MAIN = """
smtpd_client_restrictions =
smtpd_reject_unlisted_recipient = no
recipient_delimiter = +
virtual_mailbox_domains = readers.example, {bounces}
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{folder}/etc/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""
_MASTER = """
virtual unix - n n - - virtual
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
"""


class DeliveringPostfix(Postfix):
    """Accepts email to every reader, delivers it to those in `known`, and bounces the rest.

    The bounces are delivered to `maildir`.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = list(known)
        super().__init__()

    @property
    def maildir(self) -> Path:
        return self.folder / "mail" / "bounces"

    def _configure(self) -> None:
        super()._configure()
        mail, nobody = self.folder / "mail", pwd.getpwnam("nobody")
        for path in (mail, self.maildir, *(self.maildir / name for name in ("new", "cur", "tmp"))):
            path.mkdir()
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        main = _MAIN.format(
            folder=self.folder,
            mail=mail,
            bounces=BOUNCES,
            uid=nobody.pw_uid,
            gid=nobody.pw_gid,
        )
        # Later lines count, but Postfix warns of earlier ones.
        names = {line.partition(" =")[0] for line in main.splitlines() if line}
        lines = (self.config / "main.cf").read_text().splitlines()
        kept = [line for line in lines if line.partition(" =")[0] not in names]
        (self.config / "main.cf").write_text("\n".join(kept) + main)
        (self.config / "master.cf").write_text(
            (self.config / "master.cf").read_text() + _MASTER.lstrip()
        )
        boxes = [f"{reader} readers/" for reader in self._known] + [f"@{BOUNCES} bounces/"]
        (self.config / "mailboxes").write_text("\n".join(boxes) + "\n")
