"""The fence: what is stored once, what is a repeat, and who may not write any more."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app import jobs
from sessions_app.models import Event, Instance, Permission, Prompt, Session
from sessions_app.services import conversation, ingest, instances, lifecycle, prompts
from sessions_app.services.events import Outcome
from sidecar.protocol import messages
from tests.sessions_app.services.conftest import Sidecar


def kinds(session: Session) -> list[str]:
    return list(Event.objects.filter(session=session).order_by("seq").values_list("kind", flat=True))


def delta(sidecar: Sidecar, offset: int, text: str) -> object:
    return sidecar.event("message.delta", part_id="p", offset=offset, text=text)


def test_events_are_stored_once_however_often_they_arrive(session: Session, sidecar: Sidecar) -> None:
    batch = [sidecar.event("message.delta", part_id="p", offset=n, text="x") for n in range(4)]
    assert sidecar.store(*batch[:3]) is Outcome.STORED
    assert sidecar.store(*batch) is Outcome.STORED
    assert sidecar.store(*batch[1:2]) is Outcome.STORED
    assert list(Event.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4]
    session.refresh_from_db()
    assert session.last_seq == 4


def test_a_gap_stores_nothing(session: Session, sidecar: Sidecar) -> None:
    sidecar.seq += 1
    assert sidecar.say("message.delta", part_id="p", offset=0, text="x") is Outcome.GAP
    assert not Event.objects.exists()


def test_a_lost_instance_is_fenced_off_and_others_are_not(
    session: Session, sidecar: Sidecar, alice: object
) -> None:
    other = Session.objects.create(owner=session.owner, model="demo")
    other_instance = instances.wake(session_id=other.pk)
    assert other_instance is not None
    ingest.salvage(successor=other_instance, gen=0, salvaged=[], done=True)
    other_instance.refresh_from_db()
    alive = Sidecar(other_instance)
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="gone")
    late = sidecar.event("message.delta", part_id="p", offset=0, text="late")
    fine = alive.event("message.delta", part_id="p", offset=0, text="fine")
    outcomes = ingest.store([sidecar.batch([late]), alive.batch([fine])])
    assert outcomes == [Outcome.FENCED, Outcome.STORED]
    assert kinds(session) == ["instance.lost"]
    assert kinds(other) == ["message.delta"]


def test_a_turn_runs_from_queue_to_done(session: Session, sidecar: Sidecar) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="hello")
    following, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="again")
    assert prompt.state == "queued"
    sidecar.get_ready()
    prompt.refresh_from_db()
    assert prompt.state == "sent"
    sidecar.say("turn.started", prompt.pk, prompt="hello")
    prompt.refresh_from_db()
    assert prompt.state == "running"
    sidecar.say("turn.ended", prompt.pk, stop_reason="end_turn")
    prompt.refresh_from_db()
    following.refresh_from_db()
    assert (prompt.state, following.state) == ("done", "sent")
    verbs = sidecar.instance.commands.order_by("number").values_list("verb", flat=True)
    assert list(verbs) == ["session.claim", "turn.start", "turn.start"]


def test_the_end_of_a_turn_that_is_not_open_costs_next_to_nothing(
    session: Session,
    sidecar: Sidecar,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="hello")
    sidecar.get_ready()
    folded: list[uuid.UUID] = []
    monkeypatch.setattr(jobs, "fold_turn", lambda session_id, turn: folded.append(turn))
    for reason in ("interrupted", "end_turn"):  # salvage may know better than the first end
        with django_capture_on_commit_callbacks(execute=True):
            sidecar.say("turn.ended", prompt.pk, stop_reason=reason)
        assert folded.pop() == prompt.pk
        for turn in (prompt.pk, uuid.uuid4()):
            with django_capture_on_commit_callbacks(execute=True), CaptureQueriesContext(connection) as asked:
                sidecar.say("turn.ended", turn, stop_reason=reason)
            touched = [query["sql"] for query in asked if "permission" in query["sql"].lower()]
            assert (folded, touched) == ([], [])
            assert len(asked) <= 8
    assert Prompt.objects.get().state == "done"


def test_a_lost_instance_interrupts_the_turn_and_closes_what_it_asked(
    session: Session, sidecar: Sidecar
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="hello")
    sidecar.get_ready()
    asked = uuid.uuid4()
    sidecar.say("turn.started", prompt.pk, prompt="hello")
    sidecar.say("permission.asked", prompt.pk, permission_id=str(asked), type="tool", title="run ls")
    assert lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="killed")
    assert not lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="twice")
    prompt.refresh_from_db()
    assert prompt.state == "interrupted"
    assert Permission.objects.get(pk=asked).state == "lost"
    assert kinds(session)[-3:] == ["instance.lost", "permission.answered", "turn.ended"]
    session.refresh_from_db()
    assert session.generation == 2
    generations = Event.objects.order_by("seq").values_list("gen", flat=True)
    assert list(generations) == [1, 1, 1, 2, 2, 2]


def test_a_prompt_that_never_began_is_queued_again_after_salvage(session: Session, sidecar: Sidecar) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="hello")
    sidecar.get_ready()
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="")
    prompt.refresh_from_db()
    assert prompt.state == "sent"  # its journal may still say that it began
    successor = Instance.objects.live().get(session=session)
    assert successor.generation == 2
    _, next_seq = ingest.salvage(successor=successor, gen=1, salvaged=[], done=True)
    prompt.refresh_from_db()
    assert prompt.state == "queued"
    successor.refresh_from_db()
    again = Sidecar(successor)
    assert again.seq + 1 == next_seq
    again.get_ready()
    prompt.refresh_from_db()
    assert prompt.state == "sent"


def test_salvage_stores_what_nobody_acknowledged_and_decides_about_the_turn(
    session: Session, sidecar: Sidecar
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="hello")
    sidecar.get_ready()
    journaled = [
        sidecar.event("turn.started", prompt.pk, prompt="hello"),
        sidecar.event("message.delta", prompt.pk, part_id="p", offset=0, text="partial"),
    ]
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="")
    successor = Instance.objects.live().get(session=session)
    for _ in range(2):  # the link broke before the answer, so it comes again
        stored, next_seq = ingest.salvage(successor=successor, gen=1, salvaged=journaled, done=False)
        assert (stored, next_seq) == (journaled[-1].seq, 0)
    first = ingest.salvage(successor=successor, gen=1, salvaged=[], done=True)
    assert (
        ingest.salvage(successor=Instance.objects.get(pk=successor.pk), gen=1, salvaged=[], done=True)
        == first
    )
    prompt.refresh_from_db()
    assert prompt.state == "interrupted"
    assert kinds(session) == [
        "instance.started",
        "instance.lost",
        "turn.started",
        "message.delta",
        "turn.ended",
    ]
    assert first[1] == 6


def salvage_after_loss(session: Session, sidecar: Sidecar, *journaled: messages.Event) -> None:
    """The instance is lost in mid-turn; its successor tells what it had journaled and never got stored."""
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="killed")
    successor = instances.wake(session_id=session.pk)
    assert successor is not None
    ingest.salvage(successor=successor, gen=1, salvaged=journaled, done=False)
    ingest.salvage(successor=successor, gen=1, salvaged=[], done=True)


def test_salvage_leaves_nothing_open_in_a_turn_that_was_ended_before(
    session: Session, sidecar: Sidecar
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="hello")
    sidecar.get_ready()
    sidecar.say("turn.started", prompt.pk, prompt="hello")
    asked, answered = uuid.uuid4(), uuid.uuid4()
    salvage_after_loss(
        session,
        sidecar,
        sidecar.event("tool.upsert", prompt.pk, tool_call_id="c", status="in_progress"),
        sidecar.event("permission.asked", prompt.pk, permission_id=str(answered), type="tool", title="ls"),
        sidecar.event(
            "permission.answered", prompt.pk, permission_id=str(answered), choice="once", by="user"
        ),
        sidecar.event("permission.asked", prompt.pk, permission_id=str(asked), type="tool", title="rm"),
    )
    folded = conversation.fold([event.envelope() for event in Event.objects.order_by("seq")])
    (turn,) = folded["turns"]
    assert (turn["status"], turn["stop_reason"]) == ("ended", "interrupted")
    assert [item.get("status") or item["state"] for item in turn["items"]] == [
        "interrupted",
        "answered",
        "lost",
    ]
    states = {row.pk: (row.state, row.choice, row.by) for row in Permission.objects.all()}
    assert states == {answered: ("answered", "once", "user"), asked: ("lost", "lost", "platform")}
    assert kinds(session)[-2:] == ["permission.answered", "turn.ended"]
    assert Prompt.objects.get().state == "interrupted"


def test_a_turn_that_had_ended_before_its_instance_was_lost_is_not_called_interrupted(
    session: Session, sidecar: Sidecar
) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="hello")
    sidecar.get_ready()
    sidecar.say("turn.started", prompt.pk, prompt="hello")
    salvage_after_loss(
        session,
        sidecar,
        sidecar.event("message.delta", prompt.pk, part_id="p", offset=0, text="done"),
        sidecar.event("turn.ended", prompt.pk, stop_reason="end_turn"),
    )
    assert kinds(session)[-3:] == ["turn.ended", "message.delta", "turn.ended"]
    folded = conversation.fold([event.envelope() for event in Event.objects.order_by("seq")])
    assert folded["turns"][0]["stop_reason"] == "end_turn"
    assert Prompt.objects.get().state == "done"


def test_a_stop_that_meets_a_new_prompt_wakes_the_next_generation(session: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    instances.stop(session_id=session.pk, reason="idle")
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="wait!")
    assert Prompt.objects.get(pk=prompt.pk).state == "queued"
    sidecar.say("instance.stopped", reason="idle")
    assert Instance.objects.get(pk=sidecar.instance.pk).state == "stopped"
    assert Instance.objects.live().get(session=session).generation == 2


def test_a_user_who_stops_a_session_is_not_overruled_by_its_queue(session: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    turn, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="one")
    prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="two")
    sidecar.say("turn.started", turn.pk, prompt="one")
    instances.stop(session_id=session.pk, reason="user")
    sidecar.say("instance.stopped", reason="user")
    assert not Instance.objects.live().exists()
    turn.refresh_from_db()
    assert turn.state == "interrupted"
    prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="three")
    assert Instance.objects.live().count() == 1


def test_a_turn_that_the_sidecar_refuses_waits_again_or_fails(session: Session, sidecar: Sidecar) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="hello")
    sidecar.get_ready()
    refuse = partial(lifecycle.on_command_done, instance_id=sidecar.instance.pk)
    refuse(number=2, error="stopping")
    prompt.refresh_from_db()
    assert prompt.state == "queued"
    assert prompts.dispatch(session_id=session.pk)
    for _ in range(2):  # reported again after a reconnect
        refuse(number=3, error="malformed")
    prompt.refresh_from_db()
    assert prompt.state == "failed"
    assert prompt.error and prompt.error["class"] == "internal"


def test_only_the_present_generation_salvages(session: Session, sidecar: Sidecar) -> None:
    late = sidecar.event("message.delta", part_id="p", offset=0, text="late")
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="")
    second = instances.wake(session_id=session.pk)
    assert second is not None
    lifecycle.lose(instance_id=second.pk, reason="ended", message="")
    with pytest.raises(ingest.Fenced):
        ingest.salvage(successor=second, gen=1, salvaged=[late], done=True)
    assert kinds(session) == ["instance.lost", "instance.lost"]


def test_nothing_is_salvaged_once_the_successor_has_begun(session: Session, sidecar: Sidecar) -> None:
    late = sidecar.event("message.delta", part_id="p", offset=0, text="late")
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="")
    successor = instances.wake(session_id=session.pk)
    assert successor is not None
    _, first = ingest.salvage(successor=successor, gen=1, salvaged=[], done=True)
    assert ingest.salvage(successor=successor, gen=1, salvaged=[late], done=False) == (first - 2, 0)
    assert kinds(session) == ["instance.lost"]
    successor.refresh_from_db()
    assert Sidecar(successor).say("plan", entries=[]) is Outcome.STORED
