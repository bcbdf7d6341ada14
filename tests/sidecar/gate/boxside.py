"""The gate as the box sees it: a loopback address behind which a ModelGate answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import httpx2

from sidecar import demo_model
from sidecar.gate.allowance import Permit
from sidecar.gate.models import KeyUnavailable, Limits, ModelGate
from sidecar.protocol.frames import Provider
from sidecar.protocol.messages import ErrorData, Usage
from tests.sidecar.gate.provider import FakeProvider, Reply, fake_provider

KEY = "sk-CANARY-5b1f0a7c9d3e4b6f8a2c1d0e9f7b6a54"
NAMES = {"openai-chat": "groq", "openai-responses": "openai", "anthropic": "anthropic", "google": "google"}
VERSIONS = {"google": "v1beta"}


@dataclass
class BoxSide:
    """A gate under test, what it reported, and how to speak to it."""

    gate: ModelGate
    port: int
    usage: list[Usage] = field(default_factory=list)
    turns: list[str | None] = field(default_factory=list)
    errors: list[ErrorData] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def bytes(self, data: bytes, *, half_close: bool = False) -> bytes:
        """Everything that comes back for raw bytes, until the gate closes or is silent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        if half_close:
            writer.write_eof()
        answer = b""
        try:
            # What begins comes at once, but when it begins depends on how busy the machine is.
            async with asyncio.timeout(5) as patience:
                while piece := await reader.read(65536):
                    answer += piece
                    patience.reschedule(asyncio.get_running_loop().time() + 0.5)
        except (TimeoutError, ConnectionError):
            pass
        writer.close()
        return answer


def provider(wire: str, base_url: str, *, needs_key: bool = True, id: str = "") -> Provider:
    """A provider of `wire` at `base_url`."""
    name = id or NAMES[wire]
    return Provider(id=name, name=name.title(), wire=wire, base_url=base_url, needs_key=needs_key)  # type: ignore[arg-type]


@asynccontextmanager
async def box_side(
    served: Provider,
    *,
    key: str | KeyUnavailable = KEY,
    limits: Limits | None = None,
    allowed: Callable[[], AbstractAsyncContextManager[Permit | None]] = nullcontext,
    host_addresses: Collection[str] = (),
    turn: Callable[[], str | None] = lambda: None,
    on_usage: Callable[[Usage], None] = lambda usage: None,
) -> AsyncIterator[BoxSide]:
    """A gate for `served`, listening on loopback as the box would reach it."""
    usage: list[Usage] = []
    turns: list[str | None] = []
    errors: list[ErrorData] = []

    def count(told: Usage, of: str | None) -> None:
        usage.append(told)
        turns.append(of)
        on_usage(told)

    async def give() -> str:
        if isinstance(key, KeyUnavailable):
            raise key
        return key

    gate = ModelGate(
        served,
        give,
        count,
        errors.append,
        limits=limits,
        allowed=allowed,
        host_addresses=host_addresses,
        turn=turn,
    )
    server = await asyncio.start_server(gate.handle, "127.0.0.1", 0)
    try:
        yield BoxSide(gate, server.sockets[0].getsockname()[1], usage, turns, errors)
    finally:
        server.close()
        await gate.close()


@asynccontextmanager
async def agent(side: BoxSide) -> AsyncIterator[httpx2.AsyncClient]:
    """An ordinary HTTP client in the box."""
    async with httpx2.AsyncClient(base_url=side.url, trust_env=False, timeout=20) as client:
        yield client


@asynccontextmanager
async def fake_side(
    wire: str,
    *replies: Reply,
    limits: Limits | None = None,
    key: str | KeyUnavailable = KEY,
    turn: Callable[[], str | None] = lambda: None,
) -> AsyncIterator[tuple[FakeProvider, BoxSide, httpx2.AsyncClient]]:
    """A gate before a provider that answers `replies`, and a client in the box."""
    async with fake_provider(*replies) as upstream:
        served = provider(wire, f"{upstream.url}/v1")
        async with box_side(served, key=key, limits=limits, turn=turn) as side, agent(side) as client:
            yield upstream, side, client


@asynccontextmanager
async def demo_side(
    wire: str, *, id: str = ""
) -> AsyncIterator[tuple[demo_model.Server, BoxSide, httpx2.AsyncClient]]:
    """A gate before a demo model that wants the right key, and a client in the box."""
    async with await demo_model.serve(pace=0, require_key=KEY) as server:
        base_url = f"{server.url}/{VERSIONS.get(wire, 'v1')}"
        async with box_side(provider(wire, base_url, id=id)) as side, agent(side) as client:
            yield server, side, client
