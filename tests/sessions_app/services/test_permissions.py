"""Who answers first, and what nobody can answer any more."""

from __future__ import annotations

import uuid

import pytest

from openagent.accounts.models import User
from openagent.lib.errors import AppError
from sessions_app.models import Permission, Session
from sessions_app.services import lifecycle, permissions, prompts
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


def test_an_answer_to_an_agent_that_is_gone_is_refused(
    sidecar: Sidecar, turn: uuid.UUID, alice: User
) -> None:
    permission = ask(sidecar, turn)
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="")
    with pytest.raises(permissions.PermissionGone):
        permissions.answer(user=alice, permission=permission, choice="once")


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
