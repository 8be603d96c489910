"""An SMTP relay for the chaos tests: it writes each acceptance to disk before it replies 250.

Run it with `python -m tests.chaos.sink PORT RECORD [options]`. RECORD gets one line per event:

* "A n": it accepted the message to reader n.
* "D n": it deferred reader n with 451.
* "U n": it disconnected after the final dot of the message to reader n, without a reply.
* "C 0": a connection was lost, whichever side closed it.

SIGUSR1 makes it stop replying for a few seconds, SIGUSR2 turns faults and pauses off.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import signal

SILENCE = 6.0
"""Seconds."""
_READER = re.compile(rb"r(\d+)@", re.IGNORECASE)


class DisconnectError(Exception):
    """Close this connection without a reply."""


class QuitError(Exception):
    """The client sent QUIT, so nothing is in flight."""


class Sink:
    """The server's state: its options, its record, and each connection's current reader."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._chunking, self._pace, self._delay = options.chunking, options.pace, options.delay
        self._faults, self._deferred = options.seed != 0, options.defer
        self._file = os.open(options.record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._random = random.Random(options.seed)  # noqa: S311
        self._silent_until = 0.0
        self._readers: dict[asyncio.StreamWriter, int] = {}
        self.faultless = False

    def go_silent(self) -> None:
        self._silent_until = asyncio.get_running_loop().time() + SILENCE

    def stop_faults(self) -> None:
        self.faultless = True

    def _record(self, event: str, reader: int) -> None:
        os.write(self._file, f"{event} {reader}\n".encode())
        os.fsync(self._file)

    def _chance(self, probability: float) -> bool:
        return self._faults and not self.faultless and self._random.random() < probability

    async def _wait_while_silent(self) -> None:
        while (wait := self._silent_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(wait, 0.2))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._reply(writer, "220 sink ESMTP")
            while line := await reader.readline():
                await self._command(line, reader, writer)
            self._record("C", 0)
        except QuitError:
            pass
        except (DisconnectError, ConnectionError, asyncio.IncompleteReadError):
            self._record("C", 0)
        finally:
            self._readers.pop(writer, None)
            writer.close()

    async def _command(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            offers = ["sink", "PIPELINING", *(["CHUNKING"] if self._chunking else [])]
            last = len(offers) - 1
            for number, offer in enumerate(offers):
                await self._reply(writer, f"250{' ' if number == last else '-'}{offer}")
        elif verb == b"RCPT":
            match = _READER.search(line)
            assert match is not None
            if await self._recipient(writer, int(match[1])):
                self._readers[writer] = int(match[1])
        elif verb == b"DATA":
            await self._data(reader, writer)
        elif verb == b"BDAT":
            await self._chunk(line.split(), reader, writer)
        elif verb == b"QUIT":
            await self._reply(writer, "221 bye")
            raise QuitError
        else:
            self._readers.pop(writer, None)
            if self._chance(0.003):
                raise DisconnectError
            await self._reply(writer, "250 ok")

    async def _recipient(self, writer: asyncio.StreamWriter, number: int) -> bool:
        if self._chance(0.01) or self._random.random() < self._deferred:
            self._record("D", number)
            await self._reply(writer, "451 4.7.1 try again later")
        elif self._chance(0.004):
            await self._reply(writer, "550 5.1.1 no such user")
        elif self._chance(0.002):
            await self._reply(writer, "421 4.3.2 closing")
            raise DisconnectError
        else:
            await self._reply(writer, "250 2.1.5 ok")
            return True
        return False

    async def _data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if writer not in self._readers:
            await self._reply(writer, "503 5.5.1 no valid recipient")
            return
        await self._reply(writer, "354 go ahead")
        if self._chance(0.003):
            raise DisconnectError
        await reader.readuntil(b"\r\n.\r\n")
        await self._accept(writer)

    async def _chunk(
        self, words: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Handle BDAT (RFC 3030): a number of bytes, perhaps the LAST ones."""
        if self._chance(0.003):
            raise DisconnectError
        await reader.readexactly(int(words[1]))
        if writer not in self._readers:
            await self._reply(writer, "503 5.5.1 no valid recipient")
        elif len(words) > 2:
            await self._accept(writer)
        else:
            await self._reply(writer, "250 2.0.0 continue")

    async def _accept(self, writer: asyncio.StreamWriter) -> None:
        number = self._readers.pop(writer)
        if not self.faultless:
            await asyncio.sleep(self._pace)
        if self._chance(0.002):
            self._record("U", number)
            raise DisconnectError
        self._record("A", number)
        if self._chance(0.002) or self._silent_until > asyncio.get_running_loop().time():
            self._record("U", number)
            raise DisconnectError
        await self._reply(writer, "250 2.0.0 accepted")

    async def _reply(self, writer: asyncio.StreamWriter, text: str) -> None:
        await self._wait_while_silent()
        if self._delay:
            await asyncio.sleep(self._random.uniform(0, self._delay))
        writer.write(f"{text}\r\n".encode())
        await writer.drain()


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.sink")
    parser.add_argument("port", type=int)
    parser.add_argument("record")
    parser.add_argument("--seed", type=int, default=0, help="of its random faults; 0 means none")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds per message")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds per reply, at most")
    parser.add_argument(
        "--defer", type=float, default=0.0, help="share of RCPT commands answered with 451"
    )
    parser.add_argument("--chunking", action="store_true", help="offer BDAT")
    return parser.parse_args()


async def main(options: argparse.Namespace) -> None:
    sink = Sink(options)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, sink.go_silent)
    loop.add_signal_handler(signal.SIGUSR2, sink.stop_faults)
    terminated = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)
    async with await asyncio.start_server(sink.serve, "127.0.0.1", options.port, limit=2**22):
        await terminated.wait()


if __name__ == "__main__":
    asyncio.run(main(_parse_options()))
