"""Run a stand-in for a provider's HTTP API on loopback: `python -m benchmarks.standin`.

Prints "ready PORT". It accepts everything, answers as Mailgun and SendGrid do, and keeps
connections open.
"""

from __future__ import annotations

import asyncio

SENDGRID = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: m\r\nContent-Length: 0\r\n\r\n"
MAILGUN = b'{"id": "<20170731.1@news.example.org>", "message": "Queued. Thank you."}'


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            fields = dict(
                line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
            )
            await reader.readexactly(int(fields.get(b"content-length", b"0")))
            if b"/mail/send" in head.split(b"\r\n", 1)[0]:
                writer.write(
                    b"HTTP/1.1 202 Accepted\r\nX-Message-Id: m\r\nContent-Length: 0\r\n\r\n"
                )
            else:
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(MAILGUN), MAILGUN)
                )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    print(f"ready {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
