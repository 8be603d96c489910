"""A relay for the chaos: it writes each acceptance to disk before it answers 250.

`python -m tests.chaos.sink PORT RECORD SEED PACE [chunking]`. RECORD gets one line per event: "A n"
reader n's message was taken, "H" the relay hung up, whatever it was doing. By its seed it hangs
up, answers 4xx and 5xx; seed 0 does not. PACE: seconds a message. SIGUSR1: silent for some
seconds. SIGUSR2: no faults and no pauses any more.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import sys

SILENCE = 6.0
_READER = re.compile(rb"r(\d+)@", re.IGNORECASE)


class HangUp(Exception):  # noqa: N818 - names what happens
    """This connection ends here."""


class Sink:
    def __init__(self, record: str, seed: int, pace: float, *, chunking: bool) -> None:
        self._chunking = chunking
        self._faults, self._pace = seed != 0, pace
        self._file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._random = random.Random(seed)  # noqa: S311
        self._silent_until = 0.0
        self._readers: dict[asyncio.StreamWriter, int] = {}
        self.calm = False

    def be_silent(self) -> None:
        self._silent_until = asyncio.get_running_loop().time() + SILENCE

    def be_calm(self) -> None:
        self.calm = True

    def _write(self, event: str) -> None:
        os.write(self._file, f"{event}\n".encode())
        os.fsync(self._file)

    def _chance(self, of: float) -> bool:
        return self._faults and not self.calm and self._random.random() < of

    async def _answering(self) -> None:
        while (wait := self._silent_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(wait, 0.2))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._say(writer, "220 sink ESMTP")
            while line := await reader.readline():
                await self._command(line, reader, writer)
        except HangUp:
            self._write("H")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
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
                await self._say(writer, f"250{' ' if number == last else '-'}{offer}")
        elif verb == b"RCPT":
            found = _READER.search(line)
            assert found is not None
            if await self._recipient(writer):
                self._readers[writer] = int(found[1])
        elif verb == b"DATA":
            await self._data(reader, writer)
        elif verb == b"BDAT":
            await self._chunk(line.split(), reader, writer)
        elif verb == b"QUIT":
            await self._say(writer, "221 bye")
        else:
            self._readers.pop(writer, None)
            if self._chance(0.003):
                raise HangUp
            await self._say(writer, "250 ok")

    async def _recipient(self, writer: asyncio.StreamWriter) -> bool:
        if self._chance(0.01):
            await self._say(writer, "451 4.7.1 later")
        elif self._chance(0.004):
            await self._say(writer, "550 5.1.1 nobody")
        elif self._chance(0.002):
            await self._say(writer, "421 4.3.2 closing")
            raise HangUp
        else:
            await self._say(writer, "250 2.1.5 ok")
            return True
        return False

    async def _data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if writer not in self._readers:
            await self._say(writer, "503 5.5.1 for whom?")
            return
        await self._say(writer, "354 go on")
        if self._chance(0.003):
            raise HangUp
        await reader.readuntil(b"\r\n.\r\n")
        await self._taken(writer)

    async def _chunk(
        self, words: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """BDAT (RFC 3030): so many bytes, LAST or not."""
        if self._chance(0.003):
            raise HangUp
        await reader.readexactly(int(words[1]))
        if writer not in self._readers:
            await self._say(writer, "503 5.5.1 for whom?")
        elif len(words) > 2:
            await self._taken(writer)
        else:
            await self._say(writer, "250 2.0.0 go on")

    async def _taken(self, writer: asyncio.StreamWriter) -> None:
        number = self._readers.pop(writer)
        if not self.calm:
            await asyncio.sleep(self._pace)
        if self._chance(0.002):
            raise HangUp
        self._write(f"A {number}")
        if self._chance(0.002) or self._silent_until > asyncio.get_running_loop().time():
            raise HangUp
        await self._say(writer, "250 2.0.0 taken")

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
        await self._answering()
        writer.write(f"{text}\r\n".encode())
        await writer.drain()


async def main(port: int, record: str, seed: int, pace: float, *offers: str) -> None:
    sink = Sink(record, seed, pace, chunking="chunking" in offers)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, sink.be_silent)
    loop.add_signal_handler(signal.SIGUSR2, sink.be_calm)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    async with await asyncio.start_server(sink.serve, "127.0.0.1", port, limit=2**22):
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(
        main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), *sys.argv[5:])
    )
