"""Who answers first, and what nobody can answer any more."""

from __future__ import annotations

import uuid

import pytest
import time_machine

from openagent.accounts.models import User
from openagent.lib.errors import AppError
from sessions_app.models import Event, Permission, Session
from sessions_app.services import (
    conversation,
    ingest,
    instances,
    lifecycle,
    permissions,
    prompts,
    state,
)
from sessions_app.services.events import Outcome
from sidecar.protocol import messages
from tests.sessions_app.services.conftest import Sidecar


@pytest.fixture
def turn(session: Session, sidecar: Sidecar) -> uuid.UUID:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="go")
    sidecar.get_ready()
    sidecar.say("turn.started", prompt.pk, prompt="go")
    return prompt.pk


def ask(sidecar: Sidecar, turn: uuid.UUID, **data: object) -> Permission:
    asked = uuid.uuid4()
    sidecar.say(
        "permission.asked", turn, **{"permission_id": str(asked), "type": "tool", "title": "run ls", **data}
    )
    return Permission.objects.get(pk=asked)


def test_the_first_answer_wins_and_the_second_learns_who_was_first(
    sidecar: Sidecar, turn: uuid.UUID, alice: User, bob: User
) -> None:
    permission = ask(sidecar, turn)
    answered = permissions.answer(user=alice, permission=permission, choice="once")
    assert (answered.state, answered.choice) == ("answered", "once")
    with pytest.raises(permissions.AlreadyAnswered) as second:
        permissions.answer(user=bob, permission=permission, choice="reject")
    assert second.value.status == 409
    assert second.value.fields["choice"] == "once"
    assert second.value.fields["answered_by"] == {"id": str(alice.pk), "name": "Alice"}
    orders = sidecar.instance.commands.filter(verb="permission.answer")
    assert [order.data["choice"] for order in orders] == ["once"]


def test_a_sidecar_that_asks_more_than_may_wait_is_ended(
    session: Session, sidecar: Sidecar, turn: uuid.UUID, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MAX_PENDING", 2)
    permissions.answer(user=alice, permission=ask(sidecar, turn), choice="once")
    waiting = [ask(sidecar, turn), ask(sidecar, turn)]
    sidecar.say("permission.asked", turn, **waiting[0].asked)
    sidecar.instance.refresh_from_db()
    assert sidecar.instance.state == "ready", "one that was answered, or is told again, takes no place"
    one_more = [
        sidecar.event("permission.asked", turn, permission_id=str(uuid.uuid4()), type="tool", title="rm")
        for _ in range(3)
    ]
    assert sidecar.store(*one_more) is Outcome.STORED
    sidecar.instance.refresh_from_db()
    assert (sidecar.instance.state, sidecar.instance.error_code) == ("lost", "too_many_permissions")
    assert not Permission.objects.filter(state="pending").exists()
    told = Event.objects.filter(session=session, kind="instance.lost").values_list("data", flat=True)
    assert "more than 2" in told.get()["message"]
    assert sidecar.say("permission.asked", turn, **waiting[0].asked) is Outcome.FENCED
    items = conversation.build(session.pk)["turns"][0]["items"]
    assert [item["state"] for item in items if item["type"] == "permission"].count("pending") == 0


def test_an_answer_to_an_agent_that_is_gone_is_refused(
    sidecar: Sidecar, turn: uuid.UUID, alice: User
) -> None:
    permission = ask(sidecar, turn)
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="")
    with pytest.raises(permissions.PermissionGone):
        permissions.answer(user=alice, permission=permission, choice="once")


def test_an_answer_that_never_reached_its_agent_is_lost_with_the_instance(
    session: Session, sidecar: Sidecar, turn: uuid.UUID, alice: User, bob: User
) -> None:
    undelivered, delivered, unacknowledged = [ask(sidecar, turn) for _ in range(3)]
    for permission in (delivered, unacknowledged, undelivered):
        permissions.answer(user=alice, permission=permission, choice="once")
    for permission in (delivered, unacknowledged):
        sidecar.say("permission.answered", turn, permission_id=str(permission.pk), choice="once", by="user")
    number = sidecar.instance.commands.get(data__permission_id=str(delivered.pk)).number
    lifecycle.on_command_done(instance_id=sidecar.instance.pk, number=number, error="")
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="killed")
    states = [Permission.objects.get(pk=row.pk).state for row in (delivered, unacknowledged, undelivered)]
    assert states == ["answered", "answered", "lost"]
    with pytest.raises(permissions.PermissionGone):
        permissions.answer(user=bob, permission=undelivered, choice="once")
    told = Event.objects.filter(session=session, kind="permission.answered", data__choice="lost")
    assert [row.data["permission_id"] for row in told] == [str(undelivered.pk)]


def test_an_answer_that_its_journal_knows_of_counts_after_all(
    session: Session, sidecar: Sidecar, turn: uuid.UUID, alice: User
) -> None:
    permission = ask(sidecar, turn)
    permissions.answer(user=alice, permission=permission, choice="once")
    answered = {"permission_id": str(permission.pk), "choice": "once", "by": "user"}
    journaled = sidecar.event("permission.answered", turn, **answered)
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="killed")
    successor = instances.wake(session_id=session.pk)
    assert successor is not None
    ingest.salvage(successor=successor, gen=1, salvaged=[journaled], done=True)
    permission.refresh_from_db()
    assert (permission.state, permission.choice, permission.answered_by) == ("answered", "once", alice)


def test_an_answer_that_came_too_late_for_the_agent_is_lost(
    sidecar: Sidecar, turn: uuid.UUID, alice: User
) -> None:
    permission = ask(sidecar, turn)
    permissions.answer(user=alice, permission=permission, choice="once")
    sidecar.say("permission.answered", turn, permission_id=str(permission.pk), choice="lost", by="platform")
    permission.refresh_from_db()
    assert permission.state == "lost"


def test_the_end_of_a_turn_closes_what_it_asked(sidecar: Sidecar, turn: uuid.UUID) -> None:
    permission = ask(sidecar, turn)
    sidecar.say("turn.ended", turn, stop_reason="cancelled")
    permission.refresh_from_db()
    assert permission.state == "lost"


def test_a_reply_that_we_did_not_send_is_recorded_as_the_boxs(sidecar: Sidecar, turn: uuid.UUID) -> None:
    permission = ask(sidecar, turn)
    sidecar.say("permission.answered", turn, permission_id=str(permission.pk), choice="session", by="box")
    permission.refresh_from_db()
    assert (permission.state, permission.by, permission.answered_by) == ("answered", "box", None)


@pytest.mark.parametrize(
    ("choice", "answers", "code"),
    [
        ("session", [["red"]], "unknown_choice"),
        ("once", [], "answers_missing"),
        ("always", [["red"]], "unknown_choice"),
    ],
)
def test_a_question_wants_its_answers(
    sidecar: Sidecar, turn: uuid.UUID, alice: User, choice: str, answers: list[list[str]], code: str
) -> None:
    permission = ask(sidecar, turn, type="question", questions=[{"question": "Which colour?"}])
    with pytest.raises(AppError) as refused:
        permissions.answer(user=alice, permission=permission, choice=choice, answers=answers)
    assert refused.value.code == code
    permission.refresh_from_db()
    assert permission.state == "pending"


def test_the_answer_to_a_question_reaches_the_agent(sidecar: Sidecar, turn: uuid.UUID, alice: User) -> None:
    permission = ask(sidecar, turn, type="question", questions=[{"question": "Which colour?"}])
    permissions.answer(user=alice, permission=permission, choice="once", answers=[["red"]])
    order = sidecar.instance.commands.get(verb="permission.answer")
    assert (order.data["choice"], order.data["answers"]) == ("answered", [["red"]])


def test_they_are_in_the_order_in_which_they_were_asked_whatever_the_clock_says(
    session: Session, sidecar: Sidecar, turn: uuid.UUID
) -> None:
    asked = []
    for day in (3, 1, 2):
        with time_machine.travel(f"2030-01-0{day}T00:00:00Z", tick=False):
            asked.append(str(ask(sidecar, turn).pk))
    shown = state.snapshot(session.pk)["permissions"]
    assert [permission["id"] for permission in shown] == asked
    inbox = Permission.objects.order_by("-number").values_list("pk", flat=True)
    assert [str(pk) for pk in inbox] == asked[::-1]


def test_two_that_are_asked_in_one_frame_have_their_order(
    session: Session, sidecar: Sidecar, turn: uuid.UUID
) -> None:
    asked = [str(uuid.UUID(int=number)) for number in (9, 3, 7)]
    sidecar.store(
        *(
            sidecar.event("permission.asked", turn, permission_id=each, type="tool", title="ls")
            for each in asked
        )
    )
    assert [permission["id"] for permission in state.snapshot(session.pk)["permissions"]] == asked
