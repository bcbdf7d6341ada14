"""Starting the server: programs that are not OpenCode, and disks that are not as they should be."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.agents.base import AgentContext, AgentStartFailed
from sidecar.agents.opencode import server
from sidecar.agents.opencode.agent import OpenCode
from sidecar.agents.opencode.client import Client, Unreachable
from sidecar.agents.opencode.server import Installation
from sidecar.protocol.frames import Provider
from tests.fakes.local_box import LocalBox, ended, local_box
from tests.fakes.no_box import NoBox

PROVIDER = Provider(id="demo", name="Demo", wire="openai-chat", base_url="", needs_key=False)


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[LocalBox]:
    async with local_box(tmp_path) as running:
        yield running


def context(box: LocalBox, *, start_seconds: float = 10.0) -> AgentContext:
    return AgentContext(
        box=box.server,
        provider=PROVIDER,
        model="demo",
        home=str(box.home),
        workspace=str(box.workspace),
        start_seconds=start_seconds,
    )


def program(folder: Path, script: str) -> Installation:
    (folder / "bin").mkdir()
    path = folder / "bin" / "opencode"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return Installation(folder=str(folder), port=1)


async def test_a_program_that_ends_at_once_is_told_with_its_last_words(box: LocalBox, tmp_path: Path) -> None:
    agent = OpenCode(program(tmp_path, 'printf "\\033[31mno such option\\033[0m\\n" >&2; exit 1'))
    with pytest.raises(AgentStartFailed, match=r"ended while it started: no such option$"):
        await agent.start(context(box))
    await agent.close()


async def test_a_program_that_never_answers_is_ended(box: LocalBox, tmp_path: Path) -> None:
    agent = OpenCode(program(tmp_path, f"echo $$ > {tmp_path}/pid; trap '' TERM; while :; do sleep 1; done"))
    with pytest.raises(AgentStartFailed, match="did not come up in time"):
        await agent.start(context(box, start_seconds=2.0))
    await ended(int((tmp_path / "pid").read_text()))
    await agent.close()


async def test_a_server_that_answers_slowly_is_given_ever_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Client):
        async def get(self, path: str, *, seconds: float = 15.0) -> Any:
            asked.append(seconds)
            await asyncio.sleep(min(1.1 * seconds, 0.25))
            if seconds < 0.25:
                raise Unreachable("It did not answer in time.")
            return {"healthy": True, "version": "1.2"}

    asked: list[float] = []
    monkeypatch.setattr(server, "PROBE_SECONDS", 0.05)
    runs = asyncio.create_task(asyncio.Event().wait())
    assert await server._healthy(Slow(NoBox(), 1, "secret"), runs) == "1.2"
    assert asked == [0.05, 0.1, 0.2, 0.4]
    runs.cancel()


async def test_a_missing_program_is_told(box: LocalBox, tmp_path: Path) -> None:
    agent = OpenCode(Installation(folder=str(tmp_path / "nowhere")))
    with pytest.raises(AgentStartFailed, match="does not run OpenCode"):
        await agent.start(context(box))
    await agent.close()


async def test_a_box_that_is_gone_is_told() -> None:
    agent = OpenCode()
    with pytest.raises(AgentStartFailed, match="there is no box"):
        await agent.start(AgentContext(box=NoBox(), provider=PROVIDER, model="demo"))
    await agent.close()
    assert [event async for event in agent.events()] == []


async def test_a_repository_is_left_as_it_is(box: LocalBox, tmp_path: Path) -> None:
    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *command], cwd=box.workspace, check=True)
    before = (box.workspace / ".git" / "config").read_text()
    await server.prepare(context(box), Installation(folder=str(tmp_path)))
    assert (box.workspace / ".git" / "config").read_text() == before


async def test_the_downloads_are_provided_for(box: LocalBox, tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "package.json").write_text("{}")
    for _ in range(2):
        await server.prepare(context(box), Installation(folder=str(tmp_path)))
    folder = box.home / ".config" / "opencode"
    assert (folder / "node_modules").resolve() == tmp_path / "node_modules"
    (folder / "package.json").unlink()
    (folder / "package.json").write_text("the user's own")
    await server.prepare(context(box), Installation(folder=str(tmp_path)))
    assert (folder / "package.json").read_text() == "the user's own"


async def test_the_session_is_remembered(box: LocalBox, tmp_path: Path) -> None:
    told, installation = context(box), Installation(folder=str(tmp_path))
    assert await server.prepare(told, installation) == ""
    await server.remember(told, "ses_1")
    assert await server.prepare(told, installation) == "ses_1"


async def test_a_home_that_cannot_be_written_is_told(box: LocalBox, tmp_path: Path) -> None:
    (box.home / ".config").write_text("in the way")
    with pytest.raises(AgentStartFailed, match="could not be made ready"):
        await server.prepare(context(box), Installation(folder=str(tmp_path)))
