"""The agent's own interface in a terminal: it runs what the agent says, and the agent does not rest."""

from __future__ import annotations

import uuid
from pathlib import Path

from sidecar.agents.base import Screen
from sidecar.protocol import frames
from tests.fakes.living import living
from tests.fakes.pair import Pair
from tests.fakes.scripted import ScriptedAgent

SECONDS = 60


class Shown(ScriptedAgent):
    """An agent with an interface of its own."""

    async def screen(self) -> Screen:
        return Screen(argv=["sh", "-c", "echo I am $WHO of $OPENAGENT_SESSION; read x"], env={"WHO": "it"})


def order(pair: Pair) -> str:
    terminal = str(uuid.uuid4())
    pair.station.order(frames.TerminalOpenAgent(terminal=terminal))
    return terminal


async def end_of(pair: Pair, terminal: str) -> dict[str, object]:
    def found() -> list[dict[str, object]]:
        return [each for each in pair.station.datas("terminal.closed") if each["terminal_id"] == terminal]

    await pair.station.until(lambda: bool(found()), SECONDS)
    return found()[0]


async def test_the_agents_own_interface_runs_beside_it_and_keeps_it_from_resting(tmp_path: Path) -> None:
    async with living(tmp_path, agent=Shown) as pair:
        await pair.ready()
        terminal = order(pair)
        await pair.station.until(lambda: bool(pair.station.datas("terminal.opened")), SECONDS)
        viewer = pair.station.watch(terminal)
        await pair.station.until(lambda: b"I am it of " in viewer.output, SECONDS)
        number = pair.station.order(frames.AgentRest())
        await pair.station.until(lambda: len(pair.station.done) == number, SECONDS)
        assert pair.station.done[-1].error == "shown" and pair.agent.rests == 0
        viewer.types(0, b"\n")
        assert (await end_of(pair, terminal))["reason"] == "exited"
        number = pair.station.order(frames.AgentRest())
        await pair.station.until(lambda: len(pair.station.done) == number, SECONDS)
        assert pair.agent.rests == 1


async def test_an_agent_without_an_interface_says_so(tmp_path: Path) -> None:
    async with living(tmp_path) as pair:
        await pair.ready()
        end = await end_of(pair, order(pair))
        assert end["reason"] == "failed" and "has no interface of its own" in str(end["message"])
