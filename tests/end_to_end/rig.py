"""A product that can be broken in every way that a test wants: parts, link and provider are within reach."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from openagent.lib.data_dir import DataDir
from sidecar import demo_model
from tests import head_start
from tests.end_to_end.client import Client, eventually, first_run
from tests.end_to_end.custom_agents import register_working
from tests.fakes.link_proxy import LinkProxy
from tests.product import Product, data_directory

PARTS = ("redis", "web", "beat", "worker")
KEY = "sk-canary-7Qm2xVd9Lr4TzKp8Wb3YcHn6Ej1Gf5As"
"""The only key that the provider takes; it must never be seen anywhere."""
PROVIDER, MODEL = "openai", "gpt-6-sol"
CHAT_PROVIDER, CHAT_MODEL = "deepseek", "deepseek-flash"
"""The same for agents that speak chat completions only."""
OTHERS = {"claude": ("anthropic", "claude-sonnet-5"), "gemini": ("google", "gemini-3.8-flash")}
"""The same for those that speak something else."""
SILENCE_SECONDS = 5


class Provider:
    """A model provider outside of every box: the demo model, with what it was asked and what it sent."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._listens = threading.Event()
        self._server: demo_model.Server | None = None
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._run(),), daemon=True
        )

    def __enter__(self) -> Provider:
        self._thread.start()
        assert self._listens.wait(10)
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        """The base URL of the API that speaks as the provider of the rig does."""
        assert self._server is not None
        return f"{self._server.url}/v1"

    @property
    def exchanges(self) -> list[demo_model.Exchange]:
        """The calls so far, oldest first."""
        assert self._server is not None
        return list(self._server.exchanges)

    def _live(self) -> None:
        self._loop.run_until_complete(self._run())

    async def _run(self) -> None:
        async with await demo_model.serve(host=self._host, require_key=KEY) as self._server:
            self._listens.set()
            await self._stop.wait()


@dataclass
class Rig:
    """A running product, its owner, and what stands around it."""

    product: Product
    client: Client
    link: LinkProxy
    provider: Provider
    sessions: list[str] = field(default_factory=list)

    @property
    def model(self) -> dict[str, str]:
        """What a session of the provider is made with."""
        return {"provider": PROVIDER, "model": MODEL}

    def session(self, agent: str = "opencode") -> str:
        """A session that is awake with nothing to do, in mode auto: to start one takes long."""
        for session in self.sessions:
            found = self.client.session(session)
            if found["status"] == "ready" and found["agent"] == agent:
                return session
        custom = {"agent": agent, "provider": CHAT_PROVIDER, "model": CHAT_MODEL}
        wanted = self.model if agent == "opencode" else custom
        # Not by `new_session`: the test that needs it first is not the one that stops it.
        session = str(self.client.post("/sessions/", {**wanted, "mode": "auto"})["id"])
        self.client.awake(session)
        self.sessions.append(session)
        return session

    def kill(self, part: str, number: int = signal.SIGKILL) -> int:
        """Signal one of the product's parts; its process id."""
        pid = self.product.part(part)
        assert pid is not None, f"{part} does not run"
        os.kill(pid, number)
        return pid

    @contextmanager
    def stopped(self, part: str, seconds: float) -> Iterator[None]:
        """The part does nothing until the block has ended and so many seconds are over."""
        pid = self.kill(part, signal.SIGSTOP)
        until = time.monotonic() + seconds
        try:
            yield
            time.sleep(max(0.0, until - time.monotonic()))
        finally:
            os.kill(pid, signal.SIGCONT)

    def wait_until_whole(self, seconds: float = 120) -> None:
        """Until every part runs and the platform says that it is ready."""
        eventually(self.is_whole, seconds, lambda: f"not whole again: {self.product.logs()}")

    def is_whole(self) -> bool:
        if not all(map(self.product.part, {*PARTS, self.product.maker})):
            return False
        try:
            answer = httpx2.get(f"{self.product.url}/readyz", timeout=5)
        except httpx2.HTTPError:
            return False
        return answer.status_code == 200


@contextmanager
def rig(make: type[Product] = Product, **environment: str) -> Iterator[Rig]:
    """Makes one; `environment` are more settings of its product."""
    with (
        data_directory() as data,
        data_directory() as aside,
        Provider(make.surroundings) as provider,
        LinkProxy(aside / "link.sock", DataDir(data).link_socket) as link,
        started(data, link, provider, make, **environment) as product,
    ):
        client = first_run(product.url, "admin", "write", "read")
        for name in (PROVIDER, CHAT_PROVIDER):
            client.post("/keys/", {"provider": name, "key": KEY})
        register_working(product.url)
        yield Rig(product, client, link, provider)
        client.close()


@contextmanager
def started(
    data: Path, link: LinkProxy, provider: Provider, make: type[Product], **environment: str
) -> Iterator[Product]:
    """The product on this data directory."""
    urls = dict.fromkeys((PROVIDER, CHAT_PROVIDER, "anthropic"), provider.url)
    urls["google"] = provider.url.removesuffix("/v1") + "/v1beta"
    usual = {
        "OPENAGENT_LINK_SOCKET": str(link.path),
        "OPENAGENT_PROVIDER_SILENCE_SECONDS": str(SILENCE_SECONDS),
        "OPENAGENT_PROVIDER_BASE_URLS": json.dumps(urls),
    }
    head_start.give(data, database="DATABASE_URL" not in environment)
    product = make(data, **{**usual, **environment})
    try:
        assert product.url
        yield product
    finally:
        product.stop()
        product.clean_up()
