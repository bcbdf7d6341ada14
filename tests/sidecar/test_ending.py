"""How an instance ends: as asked, or because something broke; its log, its exit code, its last words."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sidecar import config, segments
from sidecar.ending import Exit
from sidecar.protocol import frames, messages
from tests.fakes.pair import Pair
from tests.fakes.scripted import ScriptedAgent


@pytest.mark.parametrize("reason", ["idle", "user", "shutdown"])
async def test_it_stops_as_asked_and_everything_is_stored(tmp_path: Path, reason: str) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("say before\nwait")
        await pair.station.until(lambda: "message.done" in pair.station.kinds())
        pair.station.order(frames.InstanceStop(reason=reason))
        assert await pair.exit() is Exit.STOPPED
        assert pair.end_of(turn) == {"stop_reason": "interrupted"}
        assert pair.station.stored[-1].kind == "instance.stopped"
        assert pair.station.stored[-1].data == {"reason": reason}
        assert pair.station.goodbyes == [reason] and pair.agent.is_closed


async def test_a_signal_stops_it_too_even_with_a_deaf_agent(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("say begun\nhang")
        await pair.station.until(lambda: "message.done" in pair.station.kinds())
        loop = asyncio.get_running_loop()
        begun = loop.time()
        pair.sidecar.stop()
        assert await pair.exit() is Exit.STOPPED
        assert loop.time() - begun < 8
        assert pair.end_of(turn) == {"stop_reason": "interrupted"}
        assert pair.station.stored[-1].data == {"reason": "shutdown"}


async def test_it_stops_before_it_is_claimed(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.station.until(lambda: bool(pair.station.stages))
        pair.sidecar.stop()
        assert await pair.exit() is Exit.STOPPED
        assert pair.station.goodbyes == ["shutdown"]


async def test_it_stops_without_a_platform_and_the_journal_keeps_the_rest(tmp_path: Path) -> None:
    limits = config.Limits(stop_seconds=3)
    async with Pair(tmp_path, limits=limits) as pair:
        await pair.ready()
        await pair.platform.stop()
        pair.sidecar.stop()
        assert await pair.exit() is Exit.STOPPED
        (name,) = segments.names(pair.journal)
        kept = segments.read(pair.journal / str(name)).events
        assert b'"instance.stopped"' in kept[-1][1]


async def test_an_agent_that_ends_ends_the_instance(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("say half a sen\ncrash Exit code 137, out of memory.")
        assert await pair.exit() is Exit.AGENT_ENDED
        end: Any = pair.end_of(turn)
        assert end["stop_reason"] == "error" and end["error"]["class"] == "agent_crash"
        assert "137" in end["error"]["message"]
        assert pair.station.text() == "half a sen "
        assert "instance.stopped" not in pair.station.kinds()


async def test_a_lost_box_interrupts_the_turn_and_ends_the_instance(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("wait")
        await pair.station.until(lambda: "turn.started" in pair.station.kinds())
        pair.sidecar.box.lose("The box program ended.")
        assert await pair.exit() is Exit.BOX_LOST
        end: Any = pair.end_of(turn)
        assert end["stop_reason"] == "interrupted" and end["error"]["class"] == "box_lost"
        assert "The box program ended." in pair.station.datas("error")[0]["message"]  # type: ignore[operator]


@pytest.mark.parametrize("last_words", ["fail", "end"])
async def test_what_an_agent_makes_of_the_loss_of_its_box_is_left_out(
    tmp_path: Path, last_words: str
) -> None:
    agent = ScriptedAgent()
    async with Pair(tmp_path, agent=lambda: agent) as pair:
        await pair.ready()
        turn = pair.station.start_turn("wait")
        await pair.station.until(lambda: "turn.started" in pair.station.kinds())
        pair.sidecar.box.lose("The box program ended.")
        if last_words == "fail":
            failure = messages.ErrorData(error_class="agent_crash", message="The server ended.")
            agent.emit("error", failure)
            agent.emit("turn.ended", messages.TurnEnded(stop_reason="error", error=failure))
        else:
            await agent.close()
        assert await pair.exit() is Exit.BOX_LOST
        end: Any = pair.end_of(turn)
        assert end["stop_reason"] == "interrupted" and end["error"]["class"] == "box_lost"
        assert [error["class"] for error in pair.station.datas("error")] == ["box_lost"]


async def test_an_agent_that_does_not_start_is_said_so(tmp_path: Path) -> None:
    async with Pair(tmp_path, agent=lambda: ScriptedAgent(start_error="No such binary.")) as pair:
        pair.station.claim()
        assert await pair.exit() is Exit.START_FAILED
        (error,) = pair.station.datas("error")
        assert error["class"] == "agent_crash" and "No such binary." in str(error["message"])
        assert "instance.started" not in pair.station.kinds()


@pytest.mark.parametrize("when", ["at hello", "later"])
async def test_a_final_refusal_ends_it_without_another_word(tmp_path: Path, when: str) -> None:
    refusal = frames.Refused(code="fenced", message="A newer instance runs.", final=True)
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.start_turn("stream 1000 5")
        await pair.station.until(lambda: "message.delta" in pair.station.kinds())
        if when == "later":
            pair.station.send(refusal)
        else:
            pair.station.refusal = refusal
            pair.station.cut()
        assert await pair.exit() is Exit.REFUSED
        assert pair.agent.is_closed and pair.station.goodbyes == []


async def test_a_platform_that_lost_what_it_acknowledged_ends_it(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        await pair.play("say hello")
        pair.station.stored.clear()
        pair.station.cut()
        assert await pair.exit() is Exit.LINK_BROKEN


async def test_a_second_instance_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        await pair.sidecar.kill()
        station = await pair.next_generation()
        station.gen = 1
        station.claim()
        assert await pair.exit() is Exit.JOURNAL
        assert station.goodbyes == ["disk_full"]


async def test_a_call_that_is_under_way_is_counted_before_the_end_is_told(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("say before\nwait")
        await pair.station.until(lambda: "message.done" in pair.station.kinds())
        assert pair.sidecar.instance is not None and pair.sidecar.instance._session is not None
        session = pair.sidecar.instance._session

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await session.serve("models", reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        said = b'[{"role":"user","content":"/demo silence"}]'
        body = b'{"model":"demo","stream":true,"max_tokens":70,"messages":%s}' % said
        head = b"POST /demo/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        await reader.readuntil(b"data: ")
        pair.station.order(frames.InstanceStop(reason="user"))
        assert await pair.exit() is Exit.STOPPED
        assert pair.station.kinds()[-1] == "instance.stopped"
        (usage,) = [event for event in pair.station.stored if event.kind == "usage"]
        assert (usage.turn, usage.data["output"], usage.data["estimated"]) == (turn, 70, True)
        writer.close()
        server.close()
