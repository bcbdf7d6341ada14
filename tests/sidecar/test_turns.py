"""Turns, permissions and what an agent may say, through a whole sidecar and a platform in memory."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from sidecar import config
from sidecar.ending import Exit
from sidecar.protocol import frames, messages
from tests.fakes.pair import Pair
from tests.fakes.scripted import ScriptedAgent


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
        first = pair.station.start_turn("say begun\nwait")
        await pair.station.until(lambda: "message.done" in pair.station.kinds())
        second = pair.station.start_turn("say too early")
        await pair.station.until(lambda: len(pair.station.done) == 3)
        assert pair.station.done[-1] == frames.CommandDone(number=3, error="turn_open")
        pair.station.order(frames.TurnCancel(turn=first))
        await pair.ended(first)
        assert pair.end_of(first) == {"stop_reason": "cancelled"}
        assert pair.end_of(second) is None
        await pair.play("say again")
        assert pair.agent.prompts == ["say begun\nwait", "say again"]


async def test_a_turn_that_was_never_runs_again(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = await pair.play("say once")
        number = pair.station.order(frames.TurnStart(turn=turn, text="say once"))
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "turn_repeated"
        assert pair.agent.prompts == ["say once"]


async def test_a_late_cancel_harms_nothing(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        first = await pair.play("say one")
        second = pair.station.start_turn("ask May I?")
        await pair.station.until(lambda: "permission.asked" in pair.station.kinds())
        number = pair.station.order(frames.TurnCancel(turn=first))
        await pair.station.until(lambda: pair.station.done[-1].number == number)
        assert pair.station.done[-1].error == "" and pair.end_of(second) is None


async def test_a_turn_that_is_cancelled_at_once_still_begins_and_ends_once(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        for _ in range(20):
            turn = pair.station.start_turn("wait")
            pair.station.order(frames.TurnCancel(turn=turn))
            await pair.ended(turn)
            assert pair.end_of(turn) == {"stop_reason": "cancelled"}
        assert pair.station.kinds().count("turn.started") == 20


async def test_an_agent_that_does_not_stop_is_ended(tmp_path: Path) -> None:
    limits = config.Limits(cancel_seconds=0.1)
    async with Pair(tmp_path, limits=limits) as pair:
        await pair.ready()
        turn = pair.station.start_turn("say begun\nhang")
        await pair.station.until(lambda: "message.done" in pair.station.kinds())
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


async def test_a_reply_from_the_box_outside_a_turn_is_recorded_too(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        permission = str(uuid.uuid4())
        outside = messages.PermissionAsked(permission_id=permission, type="tool", title="May I?")
        answered = messages.PermissionAnswered(permission_id=permission, choice="once", by="box")
        pair.agent.emit("permission.asked", outside)
        pair.agent.emit("permission.answered", answered)
        await pair.play("say what came before is in the log by now")
        assert [data["by"] for data in pair.station.datas("permission.answered")] == ["box"]


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
    monkeypatch.setattr(messages, "MAX_PENDING", 1)
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


@pytest.mark.parametrize("agents_class", ["provider_quota", "provider_bad_response"])
async def test_the_gates_words_replace_the_agents_for_the_same_failure(
    tmp_path: Path, agents_class: str
) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn(f"ask wait\nerror {agents_class} Error: 429")
        permission = await asked(pair)
        assert pair.sidecar.instance is not None and pair.sidecar.instance._session is not None
        own_turns = pair.sidecar.instance._session.turns
        assert own_turns is not None
        own_turns.provider_failed(
            messages.ErrorData(
                error_class="provider_quota", message="No credit.", retry_at="2030-01-01T00:00:00Z"
            )
        )
        retrying = messages.AgentStatus(status="retrying", message="terminated", attempt=1)
        pair.agent.emit("agent.status", retrying)
        pair.station.order(frames.PermissionAnswer(permission_id=permission, choice="once"))
        await pair.ended(turn)
        statuses = pair.station.datas("agent.status")
        assert statuses == [{"status": "retrying", "message": "No credit.", "attempt": 1}]
        end = pair.end_of(turn)
        assert end is not None and end["error"] == {
            "class": "provider_quota",
            "message": "No credit.",
            "retry_at": "2030-01-01T00:00:00Z",
        }


async def test_use_is_counted_for_the_turn_in_which_the_call_began(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("ask wait")
        await asked(pair)
        assert pair.sidecar.instance is not None and pair.sidecar.instance._session is not None
        gate = pair.sidecar.instance._session._gate
        assert gate is not None

        def count(request_id: str) -> None:
            usage = messages.Usage(request_id=request_id, provider="demo", model="m1", input=3, output=4)
            gate._counted(turn, usage)

        assert gate._turn() == turn
        count("r1")
        pair.station.order(frames.TurnCancel(turn=turn))
        await pair.ended(turn)
        assert gate._turn() is None
        count("r2")
        await pair.station.until(lambda: pair.station.kinds().count("usage") == 2)
        assert {event.turn for event in pair.station.stored if event.kind == "usage"} == {turn}


async def test_the_agent_is_configured_or_says_why_not(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        pair.station.order(frames.AgentConfigure(model="m2", mode="plan"))
        pair.station.order(frames.AgentConfigure(mode="impossible"))
        await pair.station.until(lambda: len(pair.station.done) == 3)
        assert pair.agent.configured == [("m2", "plan")]
        assert [done.error for done in pair.station.done] == ["", "", "agent: There is no such mode."]


async def test_the_agent_rests_between_turns_only(tmp_path: Path) -> None:
    async with Pair(tmp_path) as pair:
        await pair.ready()
        turn = pair.station.start_turn("wait")
        # In one breath: what came first wins.
        pair.station.order(frames.AgentRest())
        await pair.station.until(lambda: len(pair.station.done) == 3)
        assert pair.station.done[-1].error == "turn_open" and pair.agent.rests == 0
        pair.station.order(frames.TurnCancel(turn=turn))
        await pair.ended(turn)
        pair.station.order(frames.AgentRest())
        turn = pair.station.start_turn("say I am back")
        await pair.ended(turn)
        assert pair.agent.rests == 1 and pair.station.done[-1].error == ""
        assert pair.station.datas("agent.status") == [{"status": "stopped"}]
        assert pair.station.text() == "I am back "


@pytest.mark.parametrize("text", ["x" * 250_000, "", "\x01\x02 control\n\x7f", "🙏" * 1000, '"\n' * 131_072])
async def test_a_prompt_is_stored_as_it_was_given(tmp_path: Path, text: str) -> None:
    class Mute(ScriptedAgent):
        async def _play(self, turn: str, script: str) -> None:
            self._end("end_turn")

    async with Pair(tmp_path, agent=Mute) as pair:
        await pair.ready()
        await pair.play(text)
        assert pair.agent.prompts == [text]
        assert pair.station.datas("turn.started")[0]["prompt"] == text
