"""An agent that is started before anybody claims its instance."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sidecar.ending import Exit
from sidecar.protocol import frames
from tests.fakes.pair import Pair
from tests.fakes.scripted import ScriptedAgent
from tests.fakes.station import DEMO

OTHER = frames.Provider(id="other", name="Other", wire="anthropic", base_url="https://other.example")
PREPARE = frames.AgentPrepare(
    agent="scripted",
    offers=[frames.Offer(provider=DEMO, models=["m0"]), frames.Offer(provider=OTHER, models=["o1"])],
)


class Adoptable(ScriptedAgent):
    """Serves whatever it was started for."""

    async def adopt(self, *, provider: frames.Provider, model: str, mode: str) -> bool:
        assert self.context is not None
        self._tell_config(model, mode)
        return any(offer.provider == provider for offer in self.context.offers)


async def prepared(pair: Pair, order: frames.AgentPrepare = PREPARE) -> None:
    await pair.station.until(lambda: bool(pair.station.hellos) and pair.station.connection is not None)
    pair.station.send(order)
    await pair.station.until(lambda: any(stage.stage == "agent" for stage in pair.station.stages))


async def test_whoever_claims_it_finds_the_agent_that_was_prepared(tmp_path: Path) -> None:
    async with Pair(tmp_path, agent=Adoptable) as pair:
        await prepared(pair)
        assert [stage.stage for stage in pair.station.stages] == ["sidecar", "box", "agent"]
        agent = pair.agent
        assert agent.context is not None and agent.context.offers == tuple(PREPARE.offers)
        assert pair.station.stored == [], "it belongs to nobody, so there is no log"
        pair.station.stages.clear()
        await pair.ready()
        assert pair.agent is agent and not agent.is_closed
        await pair.station.until(lambda: len(pair.station.stages) >= 2)
        assert [stage.stage for stage in pair.station.stages] == ["agent", "ready"], "counted from the claim"
        (started,) = pair.station.datas("instance.started")
        assert started["model"] == "m1"
        await pair.play("say hello")
        assert pair.station.text().strip() == "hello"


async def test_it_is_prepared_once_however_often_that_is_said(tmp_path: Path) -> None:
    async with Pair(tmp_path, agent=Adoptable) as pair:
        await prepared(pair)
        agent = pair.agent
        pair.station.cut()
        await pair.station.until(
            lambda: len(pair.station.hellos) == 2 and pair.station.connection is not None
        )
        pair.station.stages.clear()
        await prepared(pair)
        assert pair.agent is agent


async def test_a_choice_that_it_was_not_started_for_starts_another(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await prepared(pair)
        first = pair.agent
        await pair.ready()
        assert pair.agent is not first and first.is_closed
        assert pair.agent.context is not None and pair.agent.context.model == "m1"
        await pair.play("say hello")


async def test_one_that_does_not_start_ends_its_instance(tmp_path: Path) -> None:
    async with Pair(tmp_path, agent=lambda: ScriptedAgent(start_error="No such file.")) as pair:
        await pair.station.until(lambda: pair.station.connection is not None)
        pair.station.send(PREPARE)
        assert await pair.exit() is Exit.START_FAILED


async def test_one_that_nobody_claimed_is_ended_with_its_instance(tmp_path: Path) -> None:
    async with Pair(tmp_path, agent=Adoptable) as pair:
        await prepared(pair)
        agent = pair.agent
        pair.sidecar.stop()
        assert await pair.exit() is Exit.STOPPED
        assert agent.is_closed


async def test_a_claim_while_the_agent_starts_starts_its_own(tmp_path: Path) -> None:
    never = asyncio.Event()
    agents: list[Slow] = []

    class Slow(Adoptable):
        async def start(self, context: object) -> object:  # type: ignore[override]
            agents.append(self)
            if len(agents) == 1:
                await never.wait()
            return await super().start(context)  # type: ignore[arg-type]

    async with Pair(tmp_path, agent=Slow) as pair:
        await pair.station.until(lambda: pair.station.connection is not None)
        pair.station.send(PREPARE)
        await pair.station.until(lambda: any(stage.stage == "box" for stage in pair.station.stages))
        await pair.ready()
        assert len(agents) == 2 and agents[0].is_closed
