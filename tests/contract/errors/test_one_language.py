"""What goes wrong with the provider or the agent is the same event for every agent, whatever it says itself.

Each agent goes through one table of failures, in a real sidecar with gate, box program and demo model:
OpenCode in `make soak`, all of them in `make conformance`.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.agents.acp import provider as acp
from sidecar.agents.acp.agent import AcpAgent
from sidecar.agents.base import Agent, AgentContext
from sidecar.agents.opencode import conversation as opencode
from sidecar.agents.opencode.agent import OpenCode
from sidecar.protocol import frames
from sidecar.protocol.messages import AgentInfo
from tests.contract.agents import live_opencode, test_acp_agents
from tests.fakes.living import living
from tests.fakes.pair import Pair

pytestmark = [pytest.mark.slow, pytest.mark.variant]

TOO_LONG = "/demo hopeless"
EXPECTED: dict[str, tuple[str, str, bool]] = {
    "/demo error401": ("error", "provider_auth", False),
    "/demo error402": ("error", "provider_quota", False),
    # For longer than a turn may wait, so it ends, and can go on by itself at the time that is named.
    "/demo error429 600s": ("error", "provider_rate_limit", True),
    "/demo error500": ("error", "provider_unavailable", False),
    TOO_LONG: ("error", "context_too_long", False),
    "/demo cut": ("error", "provider_bad_response", False),
    "it is killed": ("error", "agent_crash", False),
    "it stands still": ("error", "agent_hang", False),
    "/demo plain": ("end_turn", "", False),
}
SUMMARISE = {"copilot"}
"""Those that summarise a conversation that is too long, whatever they are told, and go on."""
SIGNALS = {"it is killed": signal.SIGKILL, "it stands still": signal.SIGSTOP}
HANG_SECONDS = 15.0
PATIENCE = 120.0
AGENTS = ["opencode", *test_acp_agents.RECIPES]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", AGENTS)
async def test_what_goes_wrong_is_told_in_one_language(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name != "opencode" and "OPENAGENT_CONFORMANCE" not in os.environ:
        pytest.skip("make conformance runs it")
    # Eight attempts take an agent minutes.
    for module in (acp, opencode):
        monkeypatch.setattr(module, "MAX_ATTEMPTS", 2)
    agent = _placed(_agent(name, tmp_path), tmp_path)
    wire: Any = test_acp_agents.WIRES.get(name, "openai-chat")
    provider = frames.Provider(id="demo", name="Demo", wire=wire, base_url="", needs_key=False)
    async with living(tmp_path, agent=lambda: agent) as pair:
        pair.station.claim(agent=name, provider=provider)
        await pair.station.until(lambda: "instance.started" in pair.station.kinds(), PATIENCE)
        table = {what: EXPECTED[what] for what in EXPECTED if what != TOO_LONG or name not in SUMMARISE}
        told = {what: await _told(pair, what, tmp_path / "home") for what in table}
    assert told == table


async def _told(pair: Pair, what: str, home: Path) -> tuple[str, str, bool]:
    """How the turn ended, the class of what was wrong, and whether there is a time to come back at."""
    station = pair.station
    turn = station.start_turn("/demo long 5000 20ms" if what in SIGNALS else what)
    if what in SIGNALS:
        began = {"message.delta", "turn.ended"}
        await station.until(lambda: any(e.turn == turn and e.kind in began for e in station.stored), PATIENCE)
        for process in _processes(home):
            with contextlib.suppress(ProcessLookupError):  # It ends with another of them.
                os.kill(process, SIGNALS[what])
    await station.until(lambda: pair.end_of(turn) is not None, PATIENCE)
    ended: Any = pair.end_of(turn)
    error = ended.get("error") or {}
    # The same event says it, once.
    assert [event.data for event in station.stored if (event.kind, event.turn) == ("error", turn)] == (
        [error] if error else []
    ), what
    return ended["stop_reason"], error.get("class", ""), bool(error.get("retry_at"))


def _agent(name: str, folder: Path) -> Agent:
    if name == "opencode":
        return OpenCode(live_opencode.laid_out(folder / "installation"))
    (folder / "agents").mkdir()
    return AcpAgent(test_acp_agents.RECIPES[name], test_acp_agents.laid_out(folder / "agents", name))


def _placed(agent: Agent, folder: Path) -> Agent:
    """The same agent with the folders of this test in place of a box's, and less patience."""
    start = agent.start

    async def start_here(context: AgentContext) -> AgentInfo:
        where: dict[str, Any] = {"home": str(folder / "home"), "workspace": str(folder / "workspace")}
        return await start(replace(context, **where, hang_seconds=HANG_SECONDS))

    agent.start = start_here  # type: ignore[method-assign]
    return agent


def _processes(home: Path) -> list[int]:
    """Those of the agent: their state is in this home."""
    mark = f"XDG_STATE_HOME={home}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found
