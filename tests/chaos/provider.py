"""A provider's API (Mailgun's) for the chaos tests: each acceptance is on disk before it answers.

Run it with `python -m tests.chaos.provider PORT RECORD [options]`. RECORD gets one line per event
and recipient of a call, as tests.chaos.sink writes them: "A n" accepted, "D n" deferred, "U n" not
answered. A call has many recipients; they are accepted together or not at all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import signal
from urllib.parse import parse_qs

SILENCE = 6.0
"""Seconds."""
_READER = re.compile(r"r(\d+)@readers\.example")
_ACCEPTED = b'{"id": "<20261126.1@mg.example.org>", "message": "Queued. Thank you."}'


class Provider:
    """The server's state: its options and its record."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._pace, self._faults = options.pace, options.seed != 0
        self._file = os.open(options.record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._random = random.Random(options.seed)  # noqa: S311
        self._silent_until = 0.0
        self.faultless = False

    def go_silent(self) -> None:
        self._silent_until = asyncio.get_running_loop().time() + SILENCE

    def stop_faults(self) -> None:
        self.faultless = True

    def _record(self, event: str, readers: list[int]) -> None:
        os.write(self._file, "".join(f"{event} {reader}\n" for reader in readers).encode())
        os.fsync(self._file)

    def _chance(self, probability: float) -> bool:
        return self._faults and not self.faultless and self._random.random() < probability

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._call(reader, writer):
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one call; return False to close the connection without an answer."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length is not None
        body = await reader.readexactly(int(length[1]))
        addresses = ",".join(parse_qs(body.decode())["to"])
        readers = [int(number) for number in _READER.findall(addresses)]
        assert readers, "a call without recipients"
        if self._chance(0.05):
            self._record("D", readers)
            writer.write(_response(b"429 Too Many Requests", b"{}", b"Retry-After: 1\r\n"))
            return True
        if self._chance(0.03):
            writer.write(_response(b"503 Service Unavailable", b"{}"))
            return True
        if not self.faultless:
            await asyncio.sleep(self._pace * len(readers))
        if self._chance(0.03):
            self._record("U", readers)
            return False
        self._record("A", readers)
        if self._silent_until > asyncio.get_running_loop().time():
            self._record("U", readers)  # the client won't wait that long
        while (wait := self._silent_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(wait, 0.2))
        if self._chance(0.03):
            self._record("U", readers)
            return False
        writer.write(_response(b"200 OK", _ACCEPTED))
        return True


def _response(status: bytes, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (
        status,
        headers,
        len(body),
        body,
    )


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.provider")
    parser.add_argument("port", type=int)
    parser.add_argument("record")
    parser.add_argument("--seed", type=int, default=0, help="of its random faults; 0 means none")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds per recipient")
    return parser.parse_args()


async def main(options: argparse.Namespace) -> None:
    provider = Provider(options)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, provider.go_silent)
    loop.add_signal_handler(signal.SIGUSR2, provider.stop_faults)
    terminated = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", options.port, limit=2**24)
    async with server:
        await terminated.wait()


if __name__ == "__main__":
    asyncio.run(main(_parse_options()))
