"""The connection with an agent's program: nonsense is passed over, and nothing waits without end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sidecar.agents.acp.calls import Refused, Unreachable
from sidecar.agents.acp.peer import MAX_LINE_BYTES, Peer


class Program:
    """A program on this machine as a process of the box."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None and process.stdin is not None
        self.stream = process.stdout
        self.stdin = process.stdin
        self._process = process

    async def wait(self) -> int:
        return await self._process.wait()

    async def kill(self, signal_number: int = 15) -> None:
        self._process.send_signal(signal_number)


class Talk:
    """A peer of a Python script, with the updates that it told in order."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self._ends: list[Any] = []

    async def with_script(self, script: str) -> Peer:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        peer = Peer(
            Program(process),
            on_update=self.updates.append,
            on_request=self._answer,
            room=self._room,
        )
        self._ends.append((peer, process))
        return peer

    async def close(self) -> None:
        for peer, process in self._ends:
            if process.returncode is None:
                process.kill()
            await peer.close()
            await process.wait()

    async def _answer(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        self.asked.append(method)
        return {"said": params.get("word")} if method == "known" else None

    async def _room(self) -> None:
        return None


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    made = Talk()
    yield made
    await made.close()


ANSWER = "print(json.dumps({'jsonrpc': '2.0', 'id': call['id'], 'result': {'ok': True}}), flush=True)"
READ = "import json, sys\ncall = json.loads(sys.stdin.readline())\n"


async def test_what_is_no_message_is_passed_over(talk: Talk) -> None:
    nonsense = [
        "Welcome!",
        "[]",
        "null",
        '{"jsonrpc": "2.0", "id": [], "result": {}}',
        '{"jsonrpc": "2.0", "method": 7}',
        "[" * 100_000,
        '{"x": NaN',
    ]
    lines = "".join(f"print({line!r}, flush=True)\n" for line in nonsense)
    peer = await talk.with_script(READ + lines + ANSWER)
    assert await peer.call("anything", {}, 20) == {"ok": True}


async def test_a_line_that_is_too_long_is_passed_over_whole(talk: Talk) -> None:
    long = f"print('x' * {MAX_LINE_BYTES + 1}, flush=True)\n"
    peer = await talk.with_script(READ + long + ANSWER)
    assert await peer.call("anything", {}, 60) == {"ok": True}


async def test_updates_come_in_order_and_before_the_answer_that_follows_them(talk: Talk) -> None:
    updates = (
        "for n in range(200):\n"
        "    print(json.dumps({'jsonrpc': '2.0', 'method': 'session/update', 'params': {'n': n}}))\n"
    )
    peer = await talk.with_script(READ + updates + ANSWER)
    await peer.call("anything", {}, 20)
    assert talk.updates == [{"n": n} for n in range(200)]


async def test_what_the_agent_asks_is_answered_or_said_to_be_unknown(talk: Talk) -> None:
    script = READ + (
        "def ask(number, method):\n"
        "    asked = {'jsonrpc': '2.0', 'id': number, 'method': method, 'params': {'word': 'hello'}}\n"
        "    print(json.dumps(asked), flush=True)\n"
        "    return json.loads(sys.stdin.readline())\n"
        "said = [ask(1, 'known'), ask(2, 'unknown')]\n"
        "print(json.dumps({'jsonrpc': '2.0', 'id': call['id'], 'result': {'said': said}}), flush=True)\n"
    )
    peer = await talk.with_script(script)
    known, unknown = (await peer.call("anything", {}, 20))["said"]
    assert known["result"] == {"said": "hello"}
    assert unknown["error"]["code"] == -32601
    assert talk.asked == ["known", "unknown"]


async def test_a_refusal_is_told_with_its_code(talk: Talk) -> None:
    error = "{'code': -32000, 'message': 'Authentication required', 'data': {'a': 1}}"
    refusal = f"print(json.dumps({{'jsonrpc': '2.0', 'id': call['id'], 'error': {error}}}), flush=True)"
    peer = await talk.with_script(READ + refusal)
    with pytest.raises(Refused) as refused:
        await peer.call("anything", {}, 20)
    assert refused.value.code == -32000
    assert refused.value.said == "Authentication required"


@pytest.mark.parametrize("error", ["7", "[]", "{'code': 'x', 'message': {}}", "{}"])
async def test_a_refusal_of_any_shape_is_one(talk: Talk, error: str) -> None:
    refusal = f"print(json.dumps({{'jsonrpc': '2.0', 'id': call['id'], 'error': {error}}}), flush=True)"
    peer = await talk.with_script(READ + refusal)
    with pytest.raises(Refused):
        await peer.call("anything", {}, 20)


async def test_a_program_that_ends_leaves_nobody_waiting(talk: Talk) -> None:
    peer = await talk.with_script(READ)
    with pytest.raises(Unreachable):
        await peer.call("anything", {}, None)


async def test_a_program_that_is_silent_is_waited_for_no_longer_than_asked(talk: Talk) -> None:
    peer = await talk.with_script(READ + "sys.stdin.readline()")
    with pytest.raises(Unreachable, match="in time"):
        await peer.call("anything", {}, 0.2)


async def test_a_program_that_does_not_read_holds_up_no_notification(talk: Talk) -> None:
    peer = await talk.with_script("import time; time.sleep(60)")
    words = {"word": "x" * (16 << 20)}
    with pytest.raises(Unreachable):
        await peer.notify("session/cancel", words, 0.3)
