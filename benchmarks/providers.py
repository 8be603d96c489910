"""Measure Anymail in batches and one by one, against a local stand-in for a provider's API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any

from benchmarks.samples import Sample
from newsletter.delivery.sending.messages import recipient_factory
from newsletter.transport.esp.transport import EspTransport
from newsletter.transport.outcomes import Email, Recipient, Result
from newsletter.transport.registry import from_url
from subscribers.audience import Reader

URLS = {
    "Mailgun": "anymail+mailgun://?api_key=k&sender_domain=news.example.org&api_url={}",
    "SendGrid": "anymail+sendgrid://?api_key=k&api_url={}",
}


@contextmanager
def standin() -> Iterator[str]:
    """Run a stand-in; yield its base URL."""
    command = [sys.executable, "-m", "benchmarks.standin"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield f"http://127.0.0.1:{line.split()[1]}/v3/"
        finally:
            process.terminate()


def measure(provider: str, base: str, email: Email, *, messages: int, single: int) -> list[Sample]:
    """Send `messages` in the provider's largest batches, then `single` messages one by one."""
    transport = from_url(URLS[provider].format(base))
    if not isinstance(transport, EspTransport):
        raise TypeError("not a provider's transport")
    compiled = transport.compile(email)
    try:
        return [
            _timed(transport, compiled, messages, at_once=transport.window or 1),
            _timed(transport, compiled, single, at_once=1),
        ]
    finally:
        transport.close()


def _timed(transport: EspTransport, compiled: Any, count: int, *, at_once: int) -> Sample:
    readers = [_reader(position) for position in range(count)]
    started, cpu = perf_counter(), process_time()
    for start in range(0, count, at_once):
        for send_result in transport.send(compiled, readers[start : start + at_once]):
            if send_result.result is not Result.SENT:
                raise AssertionError(f"the stand-in refused: {send_result}")
    return Sample(count, perf_counter() - started, process_time() - cpu)


def _reader(position: int) -> Recipient:
    address = f"reader{position:08d}@readers.example"
    return recipient_factory(1)(position, Reader(position + 1, position + 1, address, "en"))
