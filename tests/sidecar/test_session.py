"""A session with the real box program, gate and demo model: only walls and coding agent are missing."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from sidecar import demo_model
from sidecar.box_protocol import BoxError
from sidecar.ending import Exit
from sidecar.protocol import frames, queries
from tests.fakes.living import living
from tests.fakes.scripted import ScriptedAgent

KEY = "sk-canary-0123456789abcdef"

CALL = """
import json, sys, urllib.error, urllib.request
port, provider = sys.argv[1:]
body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": "/demo hello"}]}
request = urllib.request.Request(
    f"http://127.0.0.1:{port}/{provider}/v1/chat/completions",
    json.dumps(body).encode(),
    {"content-type": "application/json", "authorization": "Bearer worthless"},
)
try:
    print(urllib.request.urlopen(request).read().decode().strip()[-6:])
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture(autouse=True)
def _quick_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAGENT_DEMO_PACE_MS", "0")


class CallingAgent(ScriptedAgent):
    """Calls the model from inside of the box, as a real agent does, and says what came back."""

    async def _play(self, turn: str, script: str) -> None:
        assert self.context is not None
        arguments = [sys.executable, "-c", CALL, str(self.context.gate_port), self.context.provider.id]
        process = await self.context.box.exec(arguments, env={}, cwd=".")
        answer = (await process.stream.read()).decode()
        await process.wait()
        await self._say(answer)
        self._end("end_turn")


async def test_a_model_call_goes_through_the_gate_and_is_counted(tmp_path: Path) -> None:
    async with living(tmp_path, agent=CallingAgent) as pair:
        await pair.ready()
        turn = await pair.play("call")
        assert pair.station.text() == "[DONE] "
        (usage,) = [event for event in pair.station.stored if event.kind == "usage"]
        assert usage.turn == turn and usage.data["provider"] == "demo" and usage.data["output"] > 0


async def test_a_key_is_fetched_over_the_link_for_the_first_call(tmp_path: Path) -> None:
    async with await demo_model.serve(require_key=KEY) as model, living(tmp_path, agent=CallingAgent) as pair:
        provider = frames.Provider(
            id="openrouter", name="OpenRouter", wire="openai-chat", base_url=f"{model.url}/v1"
        )
        pair.station.keys["openrouter"] = KEY
        pair.station.claim(provider=provider)
        await pair.station.until(lambda: "instance.started" in pair.station.kinds())
        assert pair.station.key_requests == []
        await pair.play("call")
        await pair.play("call")
        assert pair.station.text() == "[DONE] [DONE] "
        assert len(pair.station.key_requests) == 1
        pair.station.send(frames.KeyDrop(provider="openrouter"))
        del pair.station.keys["openrouter"]
        await pair.play("call")
        assert pair.station.text() == "[DONE] [DONE] 401 "
        assert KEY not in str(pair.station.stored)


async def test_files_come_from_the_box(tmp_path: Path) -> None:
    async with living(tmp_path, agent=CallingAgent) as pair:
        (tmp_path / "workspace" / "hello.txt").write_text("hello")
        await pair.ready()
        pair.station.send(frames.Query(id="1", verb="files.read", data={"path": "hello.txt"}))
        await pair.station.until(lambda: bool(pair.station.answers))
        assert queries.read_content(pair.station.answers[0].data).content == b"hello"


async def test_the_end_of_the_box_program_ends_the_instance(tmp_path: Path) -> None:
    async with living(tmp_path, agent=CallingAgent) as pair:
        await pair.ready()
        assert pair.sidecar.instance is not None
        session = pair.sidecar.instance._session
        assert session is not None
        # It may be gone before it could say that it runs this.
        with suppress(BoxError):
            await session._around.box.exec(
                [sys.executable, "-c", "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"],
                env={},
                cwd=".",
            )
        assert await pair.exit() is Exit.BOX_LOST
        assert pair.station.datas("error")[0]["class"] == "box_lost"
