from __future__ import annotations

from collections.abc import Iterator

import pytest

from newsletter.transport import memory, registry
from newsletter.transport.base import AnyTransport
from tests.transport.relay import Relay


@pytest.fixture(params=[False, True], ids=["stepwise", "pipelining"])
def relay(request: pytest.FixtureRequest) -> Iterator[Relay]:
    server = Relay(pipelines=request.param)
    yield server
    server.close()


@pytest.fixture
def smtp(relay: Relay) -> Iterator[AnyTransport]:
    """A transport for the scripted relay that waits one second for each reply."""
    transport = registry.from_url(f"smtp://127.0.0.1:{relay.port}?timeout=1&connections=1")
    yield transport
    transport.close()


@pytest.fixture(autouse=True)
def _clear_memory() -> Iterator[None]:
    yield
    memory.clear()
