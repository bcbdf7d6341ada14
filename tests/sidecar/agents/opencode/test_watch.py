"""A prompt that OpenCode took and left lying is given again, once, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from sidecar.agents.opencode import watch
from sidecar.agents.opencode.client import Unreachable
from sidecar.agents.opencode.host import Host
from sidecar.agents.opencode.watch import Watch
from sidecar.protocol.messages import ErrorData
from tests.sidecar.agents.opencode.told import SESSION, TURN, Told

PROMPT = {"parts": [{"type": "text", "text": "hello"}]}
HANG_SECONDS = 30.0


class ScriptedHost:
    """Says of the server what it is told to."""

    def __init__(self, told: Told) -> None:
        self.messages: list[Any] = [{"info": {"id": "msg_1", "role": "user", "sessionID": SESSION}}]
        self.status: Any = None
        self.given: list[str] = []
        self.looks = 0
        self.fails = False
        self.on_look: Callable[[], object] = lambda: None
        self.on_give: Callable[[], object] = lambda: None
        self._told = told

    async def catch_up(self) -> None:
        self.looks += 1
        if self.fails:
            raise Unreachable("cut")
        self.on_look()
        self._told.conversation.catch_up(
            self.messages, status=self.status, permissions=[], questions=[], todos=[]
        )

    async def give_again(self, prompt: dict[str, Any], message: str) -> None:
        assert prompt == PROMPT
        self.given.append(message)
        self.on_give()


class Watched:
    """A watch over one prompt that OpenCode has taken."""

    def __init__(self) -> None:
        self.told = Told()
        self.host = ScriptedHost(self.told)
        self.watch = Watch(
            cast(Host, self.host),
            self.told.conversation,
            self.told.turns,
            self.told.queue,
            give_up=self._give_up,
        )
        self.told.say("message.updated", info=self.host.messages[0]["info"])
        self.watch.gave(TURN, PROMPT)

    async def _give_up(self, turn: str, error: ErrorData | None) -> None:
        self.told.conversation.end(error)

    async def until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not ready():
                await asyncio.sleep(0.01)

    async def looked(self, times: int = 2) -> None:
        before = self.host.looks
        await self.until(lambda: self.host.looks >= before + times)


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(watch, "LEFT_SECONDS", 0.0)
    monkeypatch.setattr(watch, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.01)
    made = Watched()
    running = asyncio.create_task(made.watch.run(HANG_SECONDS))
    yield made
    running.cancel()


async def test_what_is_left_is_given_again_and_answered(watched: Watched) -> None:
    watched.host.on_give = lambda: watched.told.replying("msg_2", "msg_1")
    watched.told.say_idle()
    await watched.until(lambda: bool(watched.host.given))
    await watched.looked()
    assert watched.told.idle().stop_reason == "end_turn"
    assert watched.host.given == ["msg_1"]


async def test_what_is_left_again_fails(watched: Watched) -> None:
    watched.told.say_idle()
    await watched.until(lambda: watched.told.turns.current is None)
    turn = watched.told.hear()
    assert turn.error is not None and turn.error.error_class == "agent_hang"
    assert "did nothing" in turn.error.message
    assert watched.host.given == ["msg_1"]


async def test_an_idle_that_came_late_does_not_hide_that_the_model_was_asked(watched: Watched) -> None:
    reply = {"id": "msg_2", "role": "assistant", "sessionID": SESSION, "parentID": "msg_1"}
    watched.host.messages.append({"info": reply})
    watched.host.status = {"type": "busy"}
    watched.told.say_idle()
    await watched.looked()
    assert watched.host.given == []


async def test_an_opencode_that_is_busy_is_left_alone(watched: Watched) -> None:
    watched.host.status = {"type": "busy"}
    watched.told.say_idle()
    await watched.looked()
    assert watched.host.given == []


async def test_nothing_is_given_again_while_opencode_does_not_say(watched: Watched) -> None:
    watched.host.fails = True
    watched.told.say_idle()
    await watched.looked()
    assert watched.host.given == []


async def test_nothing_is_given_again_for_a_turn_that_is_stopped_meanwhile(watched: Watched) -> None:
    watched.host.on_look = watched.told.conversation.cancel
    watched.told.say_idle()
    await watched.until(lambda: watched.told.turns.current is None)
    assert watched.told.hear().stop_reason == "cancelled"
    assert watched.host.given == []


async def test_for_a_moment_it_is_known_that_a_prompt_was_given_again(watched: Watched) -> None:
    seen: list[bool] = []
    watched.host.on_give = lambda: seen.append(watched.watch.gives_again)
    watched.host.on_look = lambda: seen.append(watched.watch.gives_again)
    watched.told.say_idle()
    await watched.until(lambda: watched.told.turns.current is None)
    assert seen == [False, True, False]


async def test_it_is_not_known_of_the_next_prompt(watched: Watched) -> None:
    def go_on() -> None:
        watched.watch.gave("the next turn", PROMPT)
        seen.append(watched.watch.gives_again)

    seen: list[bool] = []
    watched.host.on_give = go_on
    watched.told.say_idle()
    await watched.until(lambda: bool(seen))
    assert seen == [False]
