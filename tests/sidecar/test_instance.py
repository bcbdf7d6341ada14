"""One life of a sidecar, from the first hello to its exit code, against a platform in memory."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sidecar import config, segments, turns
from sidecar.ending import Exit
from sidecar.protocol import frames, messages, queries
from tests.fakes.pair import Pair
from tests.fakes.platform import Station
from tests.fakes.scripted import ScriptedAgent


async def test_from_hello_to_ready(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.station.until(lambda: bool(pair.station.hellos))
        hello = pair.station.hellos[0]
        assert (hello.gen, hello.last_seq, hello.last_command) == (0, 0, 0)
        assert (hello.instance, hello.token) == (pair.station.instance, "token-of-the-instance")
        pair.station.next_seq = 413
        await pair.ready()
        await pair.station.until(lambda: len(pair.station.stages) >= 4 and bool(pair.station.done))
        assert [stage.stage for stage in pair.station.stages] == ["sidecar", "box", "agent", "ready"]
        elapsed = [stage.elapsed_ms for stage in pair.station.stages]
        assert elapsed == sorted(elapsed) and 0 <= elapsed[-1] < 10_000
        first = pair.station.stored[0]
        assert first.seq == 413 and first.gen == 1 and first.turn is None
        (started,) = pair.station.datas("instance.started")
        assert started["agent"] == {"id": "scripted", "name": "Scripted", "version": "1.0"}
        assert started["model"] == "m1" and started["driver"] == "fake"
        assert pair.station.done[-1] == frames.CommandDone(number=1)
        assert pair.agent.context is not None and pair.agent.context.gate_port == 7001


async def test_a_turn_is_a_beginning_what_the_agent_says_and_an_end(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = await pair.play("think hard\ntool bash\nsay hello there")
        events = [event for event in pair.station.stored if event.turn == turn]
        assert events[0].kind == "turn.started"
        assert events[0].data == {"prompt": "think hard\ntool bash\nsay hello there", "by": "Alice"}
        assert events[-1].kind == "turn.ended" and events[-1].data == {"stop_reason": "end_turn"}
        assert {event.kind for event in events} >= {"thought.delta", "tool.upsert", "message.done"}
        assert pair.station.text() == "hello there "


async def test_turns_follow_each_other_and_one_at_a_time(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        first = pair.station.start_turn("wait")
        second = pair.station.start_turn("say too early")
        await pair.station.until(lambda: len(pair.station.done) == 3)
        assert pair.station.done[-1] == frames.CommandDone(number=3, error="turn_open")
        pair.station.order(frames.TurnCancel(turn=first))
        await pair.ended(first)
        assert pair.end_of(first) == {"stop_reason": "cancelled"}
        assert pair.end_of(second) is None
        await pair.play("say again")
        assert pair.agent.prompts == ["wait", "say again"]


async def test_a_turn_that_was_never_runs_again(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = await pair.play("say once")
        number = pair.station.order(frames.TurnStart(turn=turn, text="say once"))
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "turn_repeated"
        assert pair.agent.prompts == ["say once"]


async def test_a_repeated_command_is_carried_out_once(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = await pair.play("say once")
        for _ in range(3):
            pair.station.send(frames.Commands(commands=pair.station.commands))
        await pair.play("say twice")
        assert pair.agent.prompts == ["say once", "say twice"]
        assert pair.station.kinds().count("turn.started") == 2
        assert pair.end_of(turn) is not None


async def test_a_lost_command_is_asked_for_again(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        connection = pair.station.connection
        pair.station.connection = None
        first = pair.station.start_turn("say first")  # nobody sends it
        pair.station.connection = connection
        pair.station.order(frames.TurnCancel(turn=first))  # arrives with a gap before it
        await pair.ended(first)
        assert len(pair.station.hellos) == 2 and pair.station.hellos[1].last_command == 1


async def test_a_late_cancel_harms_nothing(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        first = await pair.play("say one")
        second = pair.station.start_turn("ask May I?")
        await pair.station.until(lambda: "permission.asked" in pair.station.kinds())
        number = pair.station.order(frames.TurnCancel(turn=first))
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "" and pair.end_of(second) is None


async def test_an_agent_that_does_not_stop_is_ended(tmp_path: Path) -> None:
    limits = config.Limits(cancel_seconds=0.1)
    async with Pair(tmp_path, limits=limits) as pair:
        await pair.ready()
        turn = pair.station.start_turn("hang")
        await pair.station.until(lambda: "turn.started" in pair.station.kinds())
        pair.station.order(frames.TurnCancel(turn=turn))
        await pair.ended(turn)
        end = pair.end_of(turn)
        assert end is not None and end["stop_reason"] == "cancelled"
        assert pair.station.datas("error")[0]["class"] == "agent_hang"
        assert await pair.exit() is Exit.AGENT_ENDED
        assert pair.agent.is_closed


async def asked(pair: Pair) -> str:
    """The id of the newest permission that was asked for."""
    await pair.station.until(lambda: "permission.asked" in pair.station.kinds())
    return str(pair.station.datas("permission.asked")[-1]["permission_id"])


async def test_a_permission_is_answered_once(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("ask May I?")
        permission = await asked(pair)
        answer = frames.PermissionAnswer(
            permission_id=permission, choice="session", user="Alice", message="go on", answers=[["a"]]
        )
        pair.station.order(answer)
        number = pair.station.order(answer)
        await pair.ended(turn)
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "permission_closed"
        assert pair.station.datas("permission.answered") == [
            {
                "permission_id": permission,
                "choice": "session",
                "by": "user",
                "user": "Alice",
                "message": "go on",
                "answers": [["a"]],
            }
        ]
        assert pair.agent.answers == [answer] and pair.station.text() == "answered session "


async def test_a_permission_dies_with_its_turn(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("ask May I?")
        permission = await asked(pair)
        pair.station.order(frames.TurnCancel(turn=turn))
        await pair.ended(turn)
        number = pair.station.order(frames.PermissionAnswer(permission_id=permission, choice="once"))
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "permission_closed"
        (answered,) = pair.station.datas("permission.answered")
        assert answered == {"permission_id": permission, "choice": "lost", "by": "platform"}
        kinds = pair.station.kinds()
        assert kinds.index("permission.answered") < kinds.index("turn.ended")
        assert pair.agent.answers == []


async def test_a_reply_from_the_box_is_recorded_as_that(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.start_turn("ask May I?")
        permission = await asked(pair)
        pair.agent.reply_from_the_box(permission)
        await pair.station.until(lambda: "permission.answered" in pair.station.kinds())
        assert pair.station.datas("permission.answered")[0]["by"] == "box"
        number = pair.station.order(frames.PermissionAnswer(permission_id=permission, choice="reject"))
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "permission_closed"


async def test_nonsense_of_an_agent_never_gets_into_the_log(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        await pair.play("nonsense\nsay still here")
        assert set(pair.station.kinds()) <= {
            "agent.config",
            "instance.started",
            "turn.started",
            "message.delta",
            "message.done",
            "turn.ended",
        }
        assert pair.station.kinds().count("turn.started") == 1
        assert pair.station.text() == "still here "
        # What nobody can see is refused, so that the agent does not wait for ever.
        assert [answer.choice for answer in pair.agent.answers] == ["reject"]


async def test_too_many_permissions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_PENDING", 1)
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.start_turn("ask first?")
        await asked(pair)
        pair.agent._asked["second"] = asyncio.get_running_loop().create_future()
        second = messages.PermissionAsked(permission_id="second", type="tool", title="second?")
        pair.agent.emit("permission.asked", second)
        await pair.agent._asked["second"]
        assert pair.agent.answers[0].choice == "reject"
        assert pair.station.kinds().count("permission.asked") == 1


async def test_a_failure_ends_the_turn_with_its_class(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = await pair.play("error provider_quota no credit left")
        failure = {"class": "provider_quota", "message": "no credit left"}
        assert pair.end_of(turn) == {"stop_reason": "error", "error": failure}
        await pair.play("say next")


async def test_the_gates_words_replace_the_agents_for_the_same_failure(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("ask wait\nerror provider_quota Error: 429")
        permission = await asked(pair)
        assert pair.sidecar.instance is not None and pair.sidecar.instance._session is not None
        own_turns = pair.sidecar.instance._session.turns
        assert own_turns is not None
        own_turns.provider_failed(
            messages.ErrorData(
                error_class="provider_quota", message="No credit.", retry_at="2030-01-01T00:00:00Z"
            )
        )
        pair.station.order(frames.PermissionAnswer(permission_id=permission, choice="once"))
        await pair.ended(turn)
        end = pair.end_of(turn)
        assert end is not None and end["error"] == {
            "class": "provider_quota",
            "message": "No credit.",
            "retry_at": "2030-01-01T00:00:00Z",
        }


async def test_use_is_counted_for_the_open_turn(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("ask wait")
        await asked(pair)
        assert pair.sidecar.instance is not None and pair.sidecar.instance._session is not None
        own_turns = pair.sidecar.instance._session.turns
        assert own_turns is not None
        own_turns.provider_answered(
            messages.Usage(request_id="r1", provider="demo", model="m1", input=3, output=4)
        )
        await pair.station.until(lambda: "usage" in pair.station.kinds())
        assert [event.turn for event in pair.station.stored if event.kind == "usage"] == [turn]


async def test_the_agent_is_configured_or_says_why_not(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.order(frames.AgentConfigure(model="m2", mode="plan"))
        pair.station.order(frames.AgentConfigure(mode="impossible"))
        await pair.station.until(lambda: len(pair.station.done) == 3)
        assert pair.agent.configured == [("m2", "plan")]
        assert [done.error for done in pair.station.done] == ["", "", "agent: There is no such mode."]


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (frames.Command(number=2, verb="box.open", data={}), "unknown_verb"),
        (frames.Command(number=2, verb="turn.start", data={"turn": 7}), "malformed"),
        (frames.Command(number=2, verb="turn.start", data={}), "malformed"),
    ],
)
async def test_a_command_that_makes_no_sense_is_refused(
    tmp_path: Path, command: frames.Command, error: str
) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.commands.append(command)
        pair.station.send(frames.Commands(commands=[command]))
        await pair.station.until(lambda: pair.station.done[-1].number == 2)
        assert pair.station.done[-1].error == error
        await pair.play("say fine")


async def test_nothing_but_a_claim_is_taken_before_it_and_only_one(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        pair.station.start_turn("say early")
        await pair.station.until(lambda: len(pair.station.done) == 1)
        assert pair.station.done[0].error == "not_ready"
        await pair.ready()
        number = pair.station.claim()
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "claimed_already"


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
        turn = pair.station.start_turn("hang")
        await pair.station.until(lambda: "turn.started" in pair.station.kinds())
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


async def test_a_passing_refusal_is_tried_again(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        pair.station.refusal = frames.Refused(code="busy", message="Later.", final=False)
        while len(pair.station.hellos) < 3:
            await asyncio.sleep(0.01)
        pair.station.refusal = None
        await pair.ready()


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


async def query(station: Station, verb: Any, data: dict[str, Any]) -> frames.Answer:
    count = len(station.answers)
    station.send(frames.Query(id=f"q{count}", verb=verb, data=data))
    await station.until(lambda: len(station.answers) > count)
    assert station.answers[-1].id == f"q{count}"
    return station.answers[-1]


async def test_files_are_asked_for_over_the_link(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        listing = await query(pair.station, "files.list", {"path": ""})
        assert queries.read_list(listing.data) == queries.FileList(path="", entries=[], truncated=False)
        content = await query(pair.station, "files.read", {"path": "a.txt"})
        assert queries.read_content(content.data).end
        assert (await query(pair.station, "files.read", {"path": 5})).error == "invalid"


async def test_health_says_what_is(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        assert pair.sidecar.instance is not None
        health = pair.sidecar.instance.health
        assert not health().is_ready
        await pair.station.until(lambda: bool(pair.station.stages))
        assert health().is_ready and health().is_linked  # a pool member is ready to be claimed
        await pair.ready()
        await pair.station.until(lambda: len(pair.station.stages) == 4)
        assert health().is_ready and health().stage == "ready"
        await pair.platform.stop()
        while health().is_linked:
            await asyncio.sleep(0.01)
        assert not health().is_ready


@pytest.mark.parametrize("text", ["x" * 250_000, "", "\x01\x02 control\n\x7f", "🙏" * 1000])
async def test_a_prompt_is_stored_as_it_was_given(tmp_path: Path, text: str) -> None:
    class Mute(ScriptedAgent):
        async def _play(self, turn: str, script: str) -> None:
            self._end("end_turn")

    async with Pair(tmp_path, agent=Mute) as pair:
        await pair.ready()
        await pair.play(text)
        assert pair.agent.prompts == [text]
        assert pair.station.datas("turn.started")[0]["prompt"] == text
