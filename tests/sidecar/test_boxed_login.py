"""A login that works in the box only gets there sealed, for the agent's start, and nowhere else."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar import boxed_login, log
from sidecar.agents.acp.agent import AcpAgent
from sidecar.agents.acp.recipe import Recipe, Setting
from sidecar.agents.acp.recipes import copilot
from sidecar.agents.base import AgentContext, AgentError, AgentStartFailed
from sidecar.protocol import frames
from sidecar.protocol.messages import AgentInfo
from tests.fakes.living import living
from tests.fakes.local_box import ended, local_box
from tests.fakes.scripted import ScriptedAgent

# Of this run only: processes are searched for it, and others may run these tests too.
TOKEN = f"github_pat_CANARY{secrets.token_hex(8)}"
ENCODED = base64.b64encode(TOKEN.encode()).decode()
PROVIDER = frames.Provider(
    id="copilot-login",
    name="GitHub Copilot's own login",
    wire="openai-chat",
    base_url="https://api.example.com",
    login="copilot",
)
TINY = Path(__file__).parents[1] / "fakes" / "tiny_acp.py"


class TakingAgent(ScriptedAgent):
    """Takes its login when it starts, as agents that speak ACP do."""

    taken: str = ""

    async def start(self, context: AgentContext) -> AgentInfo:
        if context.login is not None:
            type(self).taken = await context.login()
        info = await super().start(context)
        return AgentInfo(id=info.id, name=info.name, version=f"1 {self.taken}")

    async def configure(self, *, model: str = "", mode: str = "") -> None:
        raise AgentError(f"It does not know {ENCODED}.")

    async def _say(self, words: str) -> None:
        await self._text("message", [words[at : at + 5] for at in range(0, len(words), 5)])


@pytest.fixture(autouse=True)
def _nothing_taken() -> None:
    TakingAgent.taken = ""


async def test_it_is_sealed_for_the_start_and_stands_in_no_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with living(tmp_path, agent=TakingAgent) as pair:
        pair.station.keys[PROVIDER.id] = TOKEN
        pair.station.claim(provider=PROVIDER)
        await pair.station.until(lambda: "instance.started" in pair.station.kinds())
        assert TakingAgent.taken == TOKEN
        assert TOKEN not in str(pair.station.stored)
        (stage,) = [stage for stage in pair.station.stages if stage.stage == "agent"]
        assert stage.detail.endswith("1 " + "*" * len(TOKEN))
        pair.station.send(frames.KeyDrop(provider=PROVIDER.id))
        await pair.station.until(lambda: "error" in pair.station.kinds())
        (error,) = [event.data for event in pair.station.stored if event.kind == "error"]
        assert error["class"] == "key_missing" and "was ended" in error["message"]
    assert TOKEN not in "".join(capsys.readouterr())


async def test_what_prints_it_shows_it_in_no_event_and_no_log(tmp_path: Path) -> None:
    async with living(tmp_path, agent=TakingAgent) as pair:
        pair.station.keys[PROVIDER.id] = TOKEN
        pair.station.claim(provider=PROVIDER)
        await pair.station.until(lambda: "instance.started" in pair.station.kinds())
        # As after five minutes in which nobody asked for it.
        assert pair.sidecar.instance is not None
        credentials = pair.sidecar.instance._credentials
        credentials.forget()
        assert not credentials._keys and ENCODED not in log.redact(f"a program wrote {ENCODED}")
        number = pair.station.order(frames.AgentConfigure(mode="ask"))
        await pair.station.until(lambda: any(done.number >= number for done in pair.station.done))
        assert ENCODED not in pair.station.done[-1].error
        assert "It does not know" in pair.station.done[-1].error
        pair.station.start_turn(f"say {TOKEN} is the token\nerror agent_crash {TOKEN}")
        await pair.station.until(lambda: "turn.ended" in pair.station.kinds())
        assert pair.station.text() == "*" * len(TOKEN) + " is the token"
        assert TOKEN not in str(pair.station.stored)


async def test_an_agent_whose_login_stays_outside_is_given_none(tmp_path: Path) -> None:
    async with living(tmp_path, agent=TakingAgent) as pair:
        await pair.ready()
        assert TakingAgent.taken == ""
        assert pair.station.key_requests == []


async def test_without_it_the_agent_does_not_start_and_says_why(tmp_path: Path) -> None:
    async with living(tmp_path, agent=TakingAgent) as pair:
        pair.station.claim(provider=PROVIDER)
        await pair.station.until(lambda: "error" in pair.station.kinds())
        (error,) = [event.data for event in pair.station.stored if event.kind == "error"]
        assert "There is no key" in error["message"]


async def test_under_a_budget_it_is_not_even_asked_for() -> None:
    async def key(provider: str) -> str:
        raise AssertionError("it was asked for")

    about: dict[str, Any] = {"session": "s", "gen": 1, "next_seq": 1, "agent": "copilot", "model": "m"}
    claim = frames.SessionClaim(**about, provider=PROVIDER, budgeted=True)
    give = boxed_login.of(claim, key, lambda secret: None)
    assert give is not None
    with pytest.raises(AgentStartFailed, match="budget"):
        await give()


async def test_only_the_agents_own_process_has_it(tmp_path: Path) -> None:
    recipe = Recipe(
        id="tiny",
        name="Tiny",
        command=lambda setting: [sys.executable, str(TINY)],
        screen=lambda setting, session: ["true"],
        environment=lambda setting: {"TINY_LOGIN": setting.login, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    async def give() -> str:
        return TOKEN

    async with local_box(tmp_path) as box:
        where: dict[str, Any] = {"home": str(box.home), "workspace": str(box.workspace)}
        context = AgentContext(box=box.server, provider=PROVIDER, model="m", login=give, **where)
        agent = AcpAgent(recipe)
        await agent.start(context)
        assert TOKEN not in repr(context) + repr(Setting(context=context, model="m", login=TOKEN))
        assert (await agent.screen()).env["TINY_LOGIN"] == ""
        (process,) = _processes_with(TOKEN)
        await agent.close()
        await ended(process)
        assert _processes_with(TOKEN) == []
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert not any(TOKEN.encode() in path.read_bytes() for path in files)


async def test_an_agent_whose_login_does_not_come_says_so(tmp_path: Path) -> None:
    async def give() -> str:
        raise AgentStartFailed("no login")

    async with local_box(tmp_path) as box:
        where: dict[str, Any] = {"home": str(box.home), "workspace": str(box.workspace)}
        agent = AcpAgent(copilot.RECIPE)
        context = AgentContext(box=box.server, provider=PROVIDER, model="m", login=give, **where)
        with pytest.raises(AgentStartFailed, match="no login"):
            await agent.start(context)
        await agent.close()


def test_copilot_with_its_own_login_is_not_led_to_the_gate() -> None:
    class NoBox:
        pass

    context = AgentContext(box=NoBox(), provider=PROVIDER, model="m")  # type: ignore[arg-type]
    env = copilot.environment(Setting(context=context, model="m", login=TOKEN))
    assert env["COPILOT_GITHUB_TOKEN"] == TOKEN
    assert not [name for name in env if "OFFLINE" in name or "PROVIDER" in name]


def _processes_with(secret: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and secret.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
