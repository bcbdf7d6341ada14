"""The fake agent keeps the promises of real ones, so that tests with it mean something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from sidecar.agents.base import AgentContext, AgentStartFailed
from sidecar.protocol.frames import Provider
from tests.contract.agents.recorder import Recorder
from tests.contract.agents.suite import AgentContract
from tests.fakes.agent import FakeAgent, FakeDisk
from tests.fakes.agent_steps import Crash, Hang, Say, Use
from tests.fakes.no_box import NoBox

PROVIDER = Provider(id="demo", name="Demo", wire="openai-chat", base_url="", needs_key=False)


def context(*, hang_seconds: float = 600.0) -> AgentContext:
    return AgentContext(box=NoBox(), provider=PROVIDER, model="demo", hang_seconds=hang_seconds)


@dataclass
class MadeFake:
    recorder: Recorder
    disk: FakeDisk

    def runs(self) -> bool:
        agent = self.recorder.agent
        assert isinstance(agent, FakeAgent)
        return agent.runs

    def clear(self) -> None:
        return

    async def crash(self) -> None:
        agent = self.recorder.agent
        assert isinstance(agent, FakeAgent)
        agent.crash()

    async def successor(self) -> Recorder:
        await self.recorder.agent.close()
        await self.recorder.ended()
        self.recorder = Recorder(FakeAgent(disk=self.disk))
        await self.recorder.agent.start(context())
        return self.recorder


@pytest.fixture
async def made() -> AsyncIterator[MadeFake]:
    disk = FakeDisk()
    fake = MadeFake(Recorder(FakeAgent(disk=disk)), disk)
    await fake.recorder.agent.start(context())
    yield fake
    await fake.recorder.agent.close()
    await fake.recorder.agent.close()
    await fake.recorder.ended()
    fake.recorder.check()


class TestFakeAgent(AgentContract):
    """Every promise."""


async def started(*plays: Say | Use | Crash | Hang, hang_seconds: float = 600.0) -> Recorder:
    recorder = Recorder(FakeAgent({"go": plays}))
    await recorder.agent.start(context(hang_seconds=hang_seconds))
    return recorder


async def test_it_plays_given_pieces() -> None:
    recorder = await started(Say(["one ", "two"], pause=0.001), Use(name="bash", output=["a", "b"]))
    turn = await recorder.run("go")
    assert turn.text == "one two"
    assert [tool.output for tool in turn.tools.values()] == ["ab"]
    await recorder.agent.close()


async def test_it_crashes_and_hangs_as_told() -> None:
    recorder = await started(Say(["one"]), Crash())
    turn = await recorder.run("go")
    assert turn.error is not None
    assert turn.error.error_class == "agent_crash"
    await recorder.agent.close()
    recorder = await started(Say(["one"]), Hang(), hang_seconds=0.2)
    turn = await recorder.run("go")
    assert turn.error is not None
    assert turn.error.error_class == "agent_hang"
    await recorder.agent.close()


async def test_a_reader_that_stops_makes_it_wait() -> None:
    recorder = await started(Say(["word "] * 5000))
    turn = await recorder.prompt("go")
    await recorder.until(turn, "message.delta")
    await recorder.pause()
    assert turn.ended is None
    await recorder.agent.close()


async def test_it_may_refuse_to_start() -> None:
    with pytest.raises(AgentStartFailed):
        await FakeAgent(start_fails=True).start(context())
