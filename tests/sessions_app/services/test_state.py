"""What a session's status is derived to be, and the state that sockets show."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from openagent.accounts.models import User
from openagent.lib.errors import NotFound
from sessions_app import relay
from sessions_app.models import (
    InstanceState,
    PermissionState,
    PromptState,
    Session,
    UsageEvent,
)
from sessions_app.services import state
from sessions_app.services.state import Status
from tests.sessions_app.conftest import make_instance, make_permission, make_prompt, make_session

S, P = InstanceState, PromptState


@pytest.mark.parametrize(
    ("instance", "prompts", "is_asking", "is_paused", "status"),
    [
        (None, [], False, False, Status.IDLE),
        (None, [P.QUEUED], False, False, Status.QUEUED),
        (None, [P.QUEUED], False, True, Status.IDLE),
        (S.REQUESTED, [], False, False, Status.QUEUED),
        (S.REQUESTED, [P.SENT], False, False, Status.QUEUED),  # it waits for salvage
        (S.STARTING, [P.QUEUED], False, False, Status.STARTING),
        (S.READY, [], False, False, Status.READY),
        (S.READY, [P.DONE], False, False, Status.READY),
        (S.READY, [P.QUEUED], False, False, Status.QUEUED),  # for the moment before it is sent
        (S.READY, [P.SENT], False, False, Status.RUNNING),
        (S.READY, [P.RUNNING, P.QUEUED], False, False, Status.RUNNING),
        (S.READY, [P.RUNNING], True, False, Status.NEEDS_YOU),
        (S.STOPPING, [P.RUNNING], False, True, Status.RUNNING),
        (S.STOPPING, [], False, False, Status.ASLEEP),
        (S.STOPPING, [P.QUEUED], False, False, Status.QUEUED),
        (S.STOPPING, [P.QUEUED], False, True, Status.ASLEEP),
        (S.STOPPED, [P.DONE], False, False, Status.ASLEEP),
        (S.STOPPED, [P.QUEUED], False, False, Status.QUEUED),
        (S.STOPPED, [P.QUEUED], False, True, Status.ASLEEP),
        (S.LOST, [P.INTERRUPTED], False, False, Status.ASLEEP),
        (S.LOST, [P.SENT], False, False, Status.QUEUED),
        (S.FAILED, [P.QUEUED], False, True, Status.FAILED),
    ],
)
def test_the_status_says_what_goes_on(
    session: Session,
    instance: InstanceState | None,
    prompts: list[PromptState],
    is_asking: bool,
    is_paused: bool,
    status: Status,
) -> None:
    Session.objects.filter(pk=session.pk).update(is_paused=is_paused)
    if instance is not None:
        make_instance(session, S.STOPPED)
        make_instance(session, instance)
    for prompt in prompts:
        make_prompt(session, prompt)
    if is_asking:
        make_permission(session)
    assert state.status(session.pk) == status
    assert state.describe_one(session.pk)["status"] == status


def at(stage: str) -> dict[str, str]:
    return {"name": stage, "at": "2026-01-02T10:00:00+00:00"}


@pytest.mark.parametrize(
    ("instance", "fields", "is_paused", "detail"),
    [
        (S.REQUESTED, {"stages": [at("requested")]}, False, "Waiting for its box to be made."),
        (S.STARTING, {"stages": [at("created"), at("box")]}, False,
         "The box is ready; the agent starts."),
        (S.STARTING, {"stages": [at("a stage of the future")]}, False, ""),
        (S.FAILED, {"error_message": "Install bubblewrap."}, True, "Install bubblewrap."),
        (S.LOST, {"error_message": "It ran out of memory."}, False,
         "The box was lost: It ran out of memory. Send a prompt to go on."),
        (S.STOPPED, {}, False, "Send a prompt to wake it."),
        (S.STOPPING, {}, False, "Stopping."),
        (S.READY, {}, False, ""),
    ],
)  # fmt: skip
def test_the_detail_says_why_and_what_to_do(
    session: Session, instance: InstanceState, fields: dict[str, Any], is_paused: bool, detail: str
) -> None:
    Session.objects.filter(pk=session.pk).update(is_paused=is_paused)
    make_instance(session, instance, **fields)
    assert state.describe_one(session.pk)["status_detail"] == detail


def test_a_stopped_session_says_how_many_prompts_wait(session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(is_paused=True)
    make_instance(session, S.STOPPED)
    make_prompt(session)
    assert state.describe_one(session.pk)["status_detail"].startswith("Stopped; 1 prompt waits.")
    make_prompt(session)
    assert state.describe_one(session.pk)["status_detail"].startswith("Stopped; 2 prompts wait.")


def test_the_shown_instance_is_the_latest(session: Session) -> None:
    make_instance(session, S.LOST)
    latest = make_instance(session, S.READY)
    assert state.describe_one(session.pk)["instance"]["id"] == str(latest.pk)


def test_the_state_is_everything_that_a_socket_shows(session: Session, alice: User) -> None:
    instance = make_instance(session)
    make_prompt(session, P.DONE)
    running, waiting = make_prompt(session, P.RUNNING), make_prompt(session)
    older = make_permission(session, turn=uuid.uuid4(), state=PermissionState.ANSWERED)
    answered = make_permission(session, turn=running.pk, state=PermissionState.ANSWERED, answered_by=alice)
    pending = make_permission(session, turn=running.pk)
    found = state.snapshot(session.pk)
    assert found["version"] == session.state_version
    assert found["session"]["turn"] == str(running.pk)
    assert found["session"]["instance"]["id"] == str(instance.pk)
    assert [prompt["id"] for prompt in found["prompts"]] == [str(running.pk), str(waiting.pk)]
    assert [prompt["position"] for prompt in found["prompts"]] == [None, 1]
    assert [row["id"] for row in found["permissions"]] == [str(answered.pk), str(pending.pk)]
    assert found["permissions"][0]["answered_by"]["name"] == "Alice"
    assert older.pk not in found["permissions"]


def test_the_state_costs_few_queries(session: Session, django_assert_max_num_queries: Any) -> None:
    make_instance(session)
    for prompt_state in (P.RUNNING, P.QUEUED, P.QUEUED):
        make_prompt(session, prompt_state)
    for _ in range(5):
        make_permission(session)
    with django_assert_max_num_queries(11):
        state.snapshot(session.pk)


def test_a_deleted_session_has_no_state(session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(deleted_at=timezone.now())
    for read in (state.snapshot, state.describe_one, state.status):
        with pytest.raises(NotFound):
            read(session.pk)


def test_a_bump_is_a_higher_version_and_a_wake_up_after_the_commit(
    session: Session, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[uuid.UUID] = []
    monkeypatch.setattr(relay, "wake_session", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        state.bump(session.pk)
        assert woken == []
    assert woken == [session.pk]
    assert state.snapshot(session.pk)["version"] == session.state_version + 1


def test_sums_belong_to_their_own_session(session: Session, alice: User) -> None:
    other = make_session(alice)
    for number, owner in enumerate((session, session, other)):
        UsageEvent.objects.create(
            session=owner,
            owner=alice,
            request_id=str(number),
            provider="demo",
            model="demo",
            input=10,
            output=1,
        )
    make_permission(other)
    both = {shape["id"]: shape for shape in state.describe(state.with_status(Session.objects.all()))}
    assert both[str(session.pk)]["usage"] == {
        "input": 20,
        "output": 2,
        "cached": 0,
        "written": 0,
        "reasoning": 0,
        "calls": 2,
        "cost_micros": 0,
        "unpriced_calls": 2,
        "estimated_calls": 0,
    }
    assert (both[str(session.pk)]["pending_permissions"], both[str(other.pk)]["pending_permissions"]) == (
        0,
        1,
    )
