"""An agent that speaks ACP in a real box program (without walls), behind the real gate, on the demo model."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sidecar import demo_model
from sidecar.agents.acp.agent import AcpAgent
from sidecar.agents.acp.recipe import Recipe
from sidecar.agents.base import AgentContext, ProviderNews
from sidecar.gate.models import ModelGate
from sidecar.protocol import login as logins
from sidecar.protocol.frames import Provider
from sidecar.protocol.messages import ErrorData, Usage
from tests.contract.agents.recorder import Recorder
from tests.fakes.local_box import local_box

MODEL = "demo"
KEY = "the-real-key-of-this-test"
_MARK = "OPENAGENT_TEST_MARK"


@dataclass
class LiveAcp:
    """The running agent with all that it stands on."""

    recorder: Recorder
    recipe: Recipe
    folder: str
    context: AgentContext
    workspace: Path
    demo: demo_model.Server
    mark: str
    usages: list[Usage] = field(default_factory=list)

    @property
    def pids(self) -> list[int]:
        """The processes of the running agent."""
        wanted = f"{_MARK}={self.mark}".encode()
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in found if wanted in _environment(pid)]

    def runs(self) -> bool:
        return bool(self.pids)

    def clear(self) -> None:
        for path in self.workspace.iterdir():
            if path.is_file():
                path.unlink()

    async def rest(self) -> None:
        """Between two tests: whatever the last one left open ends, and the agent is up for the next one."""
        for turn in self.recorder.turns.values():
            if turn.ended is None:
                await self.recorder.agent.cancel(turn.id)
        if not self.pids:
            await self.recorder.run("/demo plain")
        self.recorder.turns = {}
        self.recorder.events.clear()
        self.usages.clear()
        self.recorder.check()

    async def crash(self) -> None:
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):  # It ends with another of them.
                os.kill(pid, signal.SIGKILL)

    async def successor(self) -> Recorder:
        await self.stop()
        self.recorder = Recorder(AcpAgent(self.recipe, self.folder))
        await self.recorder.agent.start(self.context)
        return self.recorder

    async def stop(self) -> None:
        await self.recorder.agent.close()
        await self.recorder.agent.close()
        await self.recorder.ended()
        self.recorder.check()


@asynccontextmanager
async def live_acp(
    folder: Path,
    recipe: Recipe,
    agents: str,
    *,
    wire: Any = "openai-chat",
    key: str = KEY,
    plan: Any = "",
    **settings: Any,
) -> AsyncIterator[LiveAcp]:
    """Start one under `folder`; `settings` are of AgentContext."""
    mark = str(uuid4())
    marked = dataclasses.replace(
        recipe, environment=lambda setting: {**recipe.environment(setting), _MARK: mark}
    )
    news, usages = ProviderNews(), list[Usage]()

    def counted(usage: Usage, turn: str | None) -> None:
        usages.append(usage)
        news.answered()

    def failed(error: ErrorData) -> None:
        news.failed(error)

    async with AsyncExitStack() as stack:
        demo = await demo_model.serve(pace=0.0005, require_key=logins.secret_of(key))
        stack.push_async_callback(demo.close)
        base = demo.url + ("/v1beta" if wire == "google" else "/v1")
        provider = Provider(id="demo", name="Demo", wire=wire, base_url=base, needs_key=True, login=plan)
        gate = ModelGate(provider, _giving(key), counted, failed)
        stack.push_async_callback(gate.close)
        box = await stack.enter_async_context(local_box(folder, {"models": gate.handle}))
        context = AgentContext(
            box=box.server,
            provider=provider,
            model=MODEL,
            gate_port=box.server.gate_ports["models"],
            home=str(box.home),
            workspace=str(box.workspace),
            news=news,
            **settings,
        )
        recorder = Recorder(AcpAgent(marked, agents))
        live = LiveAcp(recorder, marked, agents, context, box.workspace, demo, mark, usages)
        await live.recorder.agent.start(context)
        try:
            yield live
        finally:
            await live.stop()


def _giving(key: str) -> Callable[[], Awaitable[str]]:
    async def give() -> str:
        return key

    return give


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
