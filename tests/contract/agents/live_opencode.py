"""A real OpenCode in a real box program (without walls), behind the real gate, on the demo model."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar import demo_model
from sidecar.agents.base import AgentContext
from sidecar.agents.opencode.agent import OpenCode
from sidecar.agents.opencode.client import Client
from sidecar.agents.opencode.server import Installation
from sidecar.gate.models import ModelGate
from sidecar.protocol.frames import Provider
from tests import needs, ports
from tests.contract.agents.recorder import Recorder
from tests.fakes.cuttable_box import CuttableBox
from tests.fakes.local_box import local_box

MODEL = "demo"
DEMO = Provider(id="demo", name="Demo", wire="openai-chat", base_url="", needs_key=False)


@dataclass
class LiveOpenCode:
    """The running agent with all that it stands on."""

    recorder: Recorder
    context: AgentContext
    installation: Installation
    demo: demo_model.Server
    box: CuttableBox
    workspace: Path

    @property
    def pid(self) -> int:
        """The process of the running server."""
        found = self._pids()
        assert found, "OpenCode does not run"
        return found[0]

    def runs(self) -> bool:
        return bool(self._pids())

    def _pids(self) -> list[int]:
        wanted = f"--port\0{self.installation.port}"
        entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [int(entry.name) for entry in entries if wanted in _command_line(entry)]

    @property
    def intruder(self) -> Client:
        """OpenCode's API as a program in the box can use it, which can read the password."""
        variables = Path(f"/proc/{self.pid}/environ").read_text().split("\0")
        password = next(each for each in variables if each.startswith("OPENCODE_SERVER_PASSWORD="))
        return Client(self.box, self.installation.port, password.partition("=")[2])

    def clear(self) -> None:
        for path in self.workspace.iterdir():
            if path.is_file():
                path.unlink()

    async def rest(self) -> None:
        """Between two tests: whatever the last one left open ends."""
        for turn in self.recorder.turns.values():
            if turn.ended is None:
                await self.recorder.agent.cancel(turn.id)
        self.recorder.turns = {}
        self.recorder.events.clear()
        self.recorder.check()

    async def crash(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    async def successor(self) -> Recorder:
        await self.stop()
        self.recorder = Recorder(OpenCode(self.installation))
        await self.recorder.agent.start(self.context)
        return self.recorder

    async def stop(self) -> None:
        await self.recorder.agent.close()
        await self.recorder.agent.close()
        await self.recorder.ended()
        self.recorder.check()


@asynccontextmanager
async def live_opencode(
    folder: Path, *, gated: Provider | None = None, model: str = MODEL, **settings: Any
) -> AsyncIterator[LiveOpenCode]:
    """Start one under `folder` for the demo; `settings` are of AgentContext. Skips without the program.

    `gated` is another provider behind the gate, for one that is started before it is known for whom.
    """
    installation = laid_out(folder / "installation")
    async with AsyncExitStack() as stack:
        demo = await demo_model.serve(pace=0.0005)
        stack.push_async_callback(demo.close)
        gate = ModelGate(_at(gated or DEMO, demo), _key, lambda usage, turn: None)
        stack.push_async_callback(gate.close)
        box = await stack.enter_async_context(local_box(folder, {"models": gate.handle}))
        cuttable = CuttableBox(box.server)
        context = AgentContext(
            box=cuttable,
            provider=DEMO,
            model=model,
            gate_port=box.server.gate_ports["models"],
            home=str(box.home),
            workspace=str(box.workspace),
            **settings,
        )
        live = LiveOpenCode(
            recorder=Recorder(OpenCode(installation)),
            context=context,
            installation=installation,
            demo=demo,
            box=cuttable,
            workspace=box.workspace,
        )
        await live.recorder.agent.start(context)
        try:
            yield live
        finally:
            await live.stop()


def said(prompt: str) -> str:
    """All that the demo model says to it."""
    return "".join(demo_model.expected(prompt).messages)


def git_log(folder: Path, form: str) -> str:
    """The history of a workspace, a line for each commit."""
    command = ["git", "log", f"--format={form}"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def laid_out(folder: Path) -> Installation:
    """The installed packages as a box sees them; links, because they are large."""
    program = needs.opencode()
    packages = program.parents[2]
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "opencode").symlink_to(program)
    for name in ("node_modules", "package.json", "package-lock.json"):
        (folder / name).symlink_to(packages.parent / name)
    return Installation(folder=str(folder), port=ports.free())


def _at(provider: Provider, demo: demo_model.Server) -> Provider:
    version = "v1beta" if provider.wire == "google" else "v1"
    return Provider(
        id=provider.id,
        name=provider.name,
        wire=provider.wire,
        base_url=f"{demo.url}/{version}",
        needs_key=provider.needs_key,
    )


async def _key() -> str:
    return "the-real-key-of-this-test"


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_text()
    except OSError:
        return ""
