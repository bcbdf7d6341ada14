"""Sidecars at the platform's end of the link: order, fences, repeats, and everything that is no frame."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from structlog.contextvars import bound_contextvars

from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.models import Command, Event, Instance, InstanceState, Permission, Session
from sessions_app.services import commands, lifecycle, permissions, places, starts
from sidecar.protocol import frames
from tests.sessions_app.consumers.conftest import Sidecar, Socket, eventually
from tests.sessions_app.consumers.test_session import stored, submit

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_turn_goes_down_as_a_command_and_comes_up_as_events(
    session: Session, sidecar: Sidecar
) -> None:
    turn = await submit(session, "hello")
    order = await sidecar.command("turn.start")
    assert (order["turn"], order["text"]) == (str(turn), "hello")
    await sidecar.say("turn.started", turn, prompt="hello")
    await sidecar.say("turn.ended", turn, stop_reason="end_turn")
    state = await sync_to_async(lambda: session.prompts.get(pk=turn).state)()
    assert state == "done"


async def test_a_turn_carries_the_id_of_the_request_that_brought_it_also_when_it_had_to_wait(
    session: Session, sidecar: Sidecar
) -> None:
    turns = []
    for request in ("request-1", "request-2"):
        with bound_contextvars(request_id=request):
            turns.append(await submit(session))
    assert (await sidecar.command("turn.start"))["request"] == "request-1"
    await sidecar.say("turn.started", turns[0], prompt="go")
    await sidecar.send_frame(
        frames.Events(events=[sidecar.event("turn.ended", turns[0], stop_reason="end_turn")])
    )
    order = await sidecar.command("turn.start")
    assert (order["turn"], order["request"]) == (str(turns[1]), "request-2")


async def test_an_answer_reaches_the_sidecar(session: Session, sidecar: Sidecar) -> None:
    turn = await submit(session)
    await sidecar.say("turn.started", turn, prompt="go")
    asked = str(uuid.uuid4())
    await sidecar.say("permission.asked", turn, permission_id=asked, type="tool", title="ls")
    permission = await sync_to_async(Permission.objects.get)(pk=asked)
    owner = await sync_to_async(lambda: Session.objects.select_related("owner").get(pk=session.pk).owner)()
    await sync_to_async(permissions.answer)(user=owner, permission=permission, choice="session")
    assert (await sidecar.command("permission.answer"))["choice"] == "session"


async def test_a_reconnecting_sidecar_gets_what_it_does_not_hold(
    sockets: list[Socket], session: Session, sidecar: Sidecar
) -> None:
    turn = await submit(session)
    await sidecar.command("turn.start")
    again = Sidecar(sidecar.instance)
    sockets.append(again)
    welcome = await again.hello(last_command=1, gen=1, last_seq=sidecar.seq)
    assert welcome["stored_seq"] == sidecar.seq
    assert (await again.command("turn.start"))["turn"] == str(turn)
    assert await sidecar.closed() == 4409


async def test_repeated_events_are_stored_once(session: Session, sidecar: Sidecar) -> None:
    turn = await submit(session)
    event = sidecar.event("turn.started", turn, prompt="go")
    for _ in range(3):
        await sidecar.send_frame(frames.Events(events=[event]))
    await sidecar.say("message.delta", turn, part_id="p", offset=0, text="x")
    assert await stored(session) == [1, 2, 3]


async def test_a_gap_closes_the_link_and_stores_nothing(session: Session, sidecar: Sidecar) -> None:
    sidecar.seq += 1
    await sidecar.send_frame(frames.Events(events=[sidecar.event("plan", None, entries=[])]))
    assert await sidecar.closed() == 4400
    assert await stored(session) == [1]


async def test_a_fenced_sidecar_is_told_to_end(session: Session, sidecar: Sidecar) -> None:
    await sync_to_async(lifecycle.lose)(instance_id=sidecar.instance.pk, reason="ended", message="")
    await sidecar.send_frame(frames.Events(events=[sidecar.event("plan", None, entries=[])]))
    refused, _ = await sidecar.until("refused")
    assert (refused["code"], refused["final"]) == ("fenced", True)
    assert await sidecar.closed() == 4403
    assert "plan" not in await sync_to_async(lambda: list(Event.objects.values_list("kind", flat=True)))()


async def test_a_fenced_sidecar_salvages_nothing(session: Session, sidecar: Sidecar) -> None:
    await sync_to_async(lifecycle.lose)(instance_id=sidecar.instance.pk, reason="ended", message="")
    await sidecar.send_frame(frames.Salvage(gen=sidecar.instance.generation, events=[], done=True))
    refused, _ = await sidecar.until("refused")
    assert (refused["code"], refused["final"]) == ("fenced", True)


async def test_a_wrong_token_is_refused_for_good(sockets: list[Socket], sidecar: Sidecar) -> None:
    stranger = Sidecar(sidecar.instance)
    sockets.append(stranger)
    refused = await stranger.hello(token="0" * 64)
    assert (refused["type"], refused["code"], refused["final"]) == ("refused", "bad_token", True)
    assert await stranger.closed() == 4403


@pytest.mark.parametrize("headers", [{"cookie": "sessionid=x"}, {"origin": "http://localhost"}])
async def test_a_browser_cannot_even_connect(transactional_db: None, headers: dict[str, str]) -> None:
    assert not await Socket("/ws/link/", headers).connect()


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "null",
        '{"type":"nonsense"}',
        '{"type":"events","events":[{}]}',
        '{"type":"events"}',
        '{"type":"events","events":' + "[" * 20_000,
        "x" * (frames.MAX_FRAME_BYTES + 1),
        '{"type":"stage","stage":"NaN","elapsed_ms":NaN}',
    ],
)
async def test_what_is_no_frame_closes_the_link(sidecar: Sidecar, frame: str) -> None:
    await sidecar.send_raw(frame)
    assert await sidecar.closed() == 4400


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "unheard.of", "data": {}},
        {"kind": "turn.ended", "data": {"stop_reason": "because"}},
        {"kind": "message.delta", "data": {"part_id": "p", "offset": "zero", "text": "x"}},
        {"kind": "message.delta", "data": {"part_id": "p", "offset": 0, "text": "x", "more": 1}},
        {"kind": "plan", "data": {"entries": []}, "turn": "not a uuid"},
        {"kind": "permission.asked", "data": {"permission_id": "x", "type": "tool", "title": ""}},
        {"kind": "plan", "data": {"entries": []}, "ts": "2026" * 100},
    ],
)
async def test_a_misshapen_event_closes_the_link_and_stores_nothing(
    session: Session, sidecar: Sidecar, data: dict[str, Any]
) -> None:
    event = {"v": 1, "seq": sidecar.seq + 1, "gen": 1, "turn": None, "ts": "t", **data}
    await sidecar.send_raw(json.dumps({"type": "events", "events": [event]}))
    assert await sidecar.closed() == 4400
    assert await stored(session) == [1]


async def test_text_that_no_database_holds_is_mended(session: Session, sidecar: Sidecar) -> None:
    turn = await submit(session)
    await sidecar.say("turn.started", turn, prompt="go")
    await sidecar.say("message.delta", turn, part_id="p", offset=0, text="a\x00b\\u0000")
    last = await sync_to_async(lambda: Event.objects.order_by("-seq")[0].data)()
    assert last["text"] == "a\N{REPLACEMENT CHARACTER}b\\u0000"


async def test_a_command_whose_wake_up_was_lost_is_found_by_the_timer(
    session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "wake_link", lambda instance_id: None)
    order = frames.TurnCancel(turn=str(uuid.uuid4()))
    await sync_to_async(commands.give)(instance_id=sidecar.instance.pk, order=order)
    assert (await sidecar.command("turn.cancel"))["turn"] == order.turn


async def test_commands_are_marked_when_they_are_done(sidecar: Sidecar) -> None:
    await sidecar.send_frame(frames.CommandDone(number=1))
    await eventually(
        Command.objects.filter(instance=sidecar.instance.pk, number=1, done_at__isnull=False).exists
    )


async def test_stages_are_remembered_with_their_times(sidecar: Sidecar) -> None:
    await sidecar.send_frame(frames.Stage(stage="box", elapsed_ms=12))
    await eventually(
        lambda: list(starts.passed(Instance.objects.get(pk=sidecar.instance.pk).stages))[-1:] == ["box"]
    )


async def test_a_start_that_goes_on_slowly_has_not_failed_and_says_how_far_it_is(sidecar: Sidecar) -> None:
    here = Instance.objects.filter(pk=sidecar.instance.pk)
    await sync_to_async(here.update)(state=InstanceState.STARTING, silent_passes=7)
    await sidecar.send_frame(frames.Progress(stage="repository", detail="Receiving objects: 12 %"))
    await eventually(here.filter(progress="Receiving objects: 12 %").exists)
    assert (await sync_to_async(here.get)()).silent_passes == places.HELD_PASSES
    await sidecar.send_frame(frames.Stage(stage="repository", elapsed_ms=900))
    await eventually(here.filter(progress="").exists)


async def test_a_question_about_files_is_answered_by_the_sidecar(session: Session, sidecar: Sidecar) -> None:
    asked = asyncio.ensure_future(asyncio.to_thread(relay.query, session.pk, "files.list", {"path": ""}))
    query, _ = await sidecar.until("query")
    await sidecar.send_frame(frames.Answer(id=query["id"], data={"entries": []}))
    assert await asked == {"entries": []}


async def test_a_refused_question_says_why_and_no_link_means_asleep(
    session: Session, sidecar: Sidecar
) -> None:
    asked = asyncio.ensure_future(asyncio.to_thread(relay.query, session.pk, "files.read", {"path": "x"}))
    query, _ = await sidecar.until("query")
    await sidecar.send_frame(frames.Answer(id=query["id"], error="not_found", message="There is no x."))
    with pytest.raises(AppError) as refused:
        await asked
    assert (refused.value.code, refused.value.status) == ("not_found", 404)
    with pytest.raises(AppError) as asleep:
        await asyncio.to_thread(relay.query, uuid.uuid4(), "files.list", {"path": ""})
    assert asleep.value.code == "asleep"
