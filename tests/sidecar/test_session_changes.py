"""A session remembers its workspace when it begins and when each turn does: real box program, real git."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sidecar.protocol import changes, frames
from sidecar.workspace import changes as module
from tests.fakes.living import living
from tests.fakes.pair import Pair
from tests.fakes.scripted import ScriptedAgent


class WritingAgent(ScriptedAgent):
    """Has a file written as soon as it is asked for anything."""

    async def _play(self, turn: str, script: str) -> None:
        assert self.context is not None
        process = await self.context.box.exec(["touch", script], env={}, cwd=".")
        await process.wait()
        self._end("end_turn")


async def changed(pair: Pair, base: str) -> set[str]:
    pair.station.answers.clear()
    pair.station.send(frames.Query(id="1", verb="changes.list", data={"base": base}))
    await pair.station.until(lambda: bool(pair.station.answers))
    [answer] = pair.station.answers
    assert not answer.error, answer.message
    return {file.path for file in msgspec.convert(answer.data, changes.ChangeList).files}


async def test_a_turn_is_compared_with_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # However slow this machine is: what is meant here is what is remembered, not how soon.
    monkeypatch.setattr(module, "TURN_WAITS_SECONDS", 60.0)
    async with living(tmp_path, agent=WritingAgent) as pair:
        (tmp_path / "workspace" / "before").touch()
        await pair.ready()
        await pair.play("first")
        assert await changed(pair, "start") == await changed(pair, "turn") == {"first"}
        (tmp_path / "workspace" / "mine").touch()
        await pair.play("second")
        assert await changed(pair, "turn") == {"second"}
        assert await changed(pair, "start") == {"first", "second", "mine"}
