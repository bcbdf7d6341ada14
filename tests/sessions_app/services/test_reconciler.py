"""A pass of the reconciler, step by step: what it starts, notices, hurries, removes and wakes."""

from __future__ import annotations

import uuid

import pytest

from sessions_app.drivers.base import InstanceSpec
from sessions_app.models import Event, Instance, InstanceState, Prompt, PromptState, Session
from sessions_app.services import instances, lifecycle, reconciler
from sessions_app.services.reconciler import START_PASSES, STOP_PASSES
from tests.fakes.driver import FakeDriver
from tests.sessions_app.conftest import make_instance, make_prompt
from tests.sessions_app.services.conftest import get_ready


@pytest.fixture(autouse=True)
def fake(driver: FakeDriver) -> FakeDriver:
    return driver


def wake(session: Session) -> Instance:
    made = instances.wake(session_id=session.pk)
    assert made is not None
    return made


def launch(session: Session) -> Instance:
    """Made by the driver; its sidecar has said nothing yet."""
    made = wake(session)
    instances.launch(instance_id=made.pk)
    made.refresh_from_db()
    return made


def state_of(instance: Instance) -> str:
    return Instance.objects.values_list("state", flat=True).get(pk=instance.pk)


def passes(count: int) -> None:
    for _ in range(count):
        reconciler.reconcile()


# --- 1. what the driver has and no row wants --------------------------------------------------------


def stranger(driver: FakeDriver, volume: str = "v") -> str:
    name = str(uuid.uuid4())
    driver.create(InstanceSpec(instance_id=name, volume=volume, link="", token="", agent="opencode"))
    return name


@pytest.mark.django_db
def test_what_no_row_wants_is_removed(driver: FakeDriver) -> None:
    stranger(driver)
    reconciler.reconcile()
    assert driver.instances == {}


def test_a_row_s_instance_is_no_stranger(driver: FakeDriver, session: Session) -> None:
    made = launch(session)
    reconciler.reconcile()
    assert list(driver.instances) == [str(made.pk)]


@pytest.mark.django_db
def test_one_stranger_that_stays_does_not_save_the_next(driver: FakeDriver) -> None:
    first, _ = stranger(driver, "v1"), stranger(driver, "v2")
    driver.fail_next("remove")
    reconciler.reconcile()
    assert list(driver.instances) == [first]
    reconciler.reconcile()
    assert driver.instances == {}


def test_what_an_ended_instance_left_is_removed_even_if_its_row_was_told_so_before(
    driver: FakeDriver, session: Session
) -> None:
    """A create that was under way when its row was removed."""
    ended = make_instance(session, InstanceState.FAILED)
    instances.remove(ended)
    driver.create(InstanceSpec(instance_id=str(ended.pk), volume="v", link="", token="", agent="opencode"))
    reconciler.reconcile()
    assert driver.instances == {}


# --- 2. every live instance -------------------------------------------------------------------------


def test_a_requested_instance_whose_nudge_was_lost_is_made(driver: FakeDriver, session: Session) -> None:
    made = wake(session)
    reconciler.reconcile()
    assert state_of(made) == "starting"
    assert list(driver.instances) == [str(made.pk)]


def test_a_passing_failure_to_make_it_is_tried_again(driver: FakeDriver, session: Session) -> None:
    made = wake(session)
    driver.fail_next("create")
    reconciler.reconcile()
    assert driver.instances == {}
    reconciler.reconcile()
    assert list(driver.instances) == [str(made.pk)]


def test_a_lasting_failure_to_make_it_is_told_and_not_repeated(driver: FakeDriver, session: Session) -> None:
    make_prompt(session)
    made = wake(session)
    driver.fail_next("create", code="no_space", permanent=True)
    passes(2)
    made.refresh_from_db()
    assert (made.state, made.error_code) == ("failed", "no_space")
    assert made.error_message
    assert driver.calls.count("create") == 1
    assert session.instances.count() == 1


def test_what_cannot_be_made_in_time_has_failed(driver: FakeDriver, session: Session) -> None:
    made = wake(session)
    for _ in range(START_PASSES):
        driver.fail_next("create")
    passes(START_PASSES)
    assert state_of(made) == "starting"
    reconciler.reconcile()
    made.refresh_from_db()
    assert (made.state, made.error_code) == ("failed", "start_timeout")


def test_what_is_made_but_never_gets_ready_has_failed(driver: FakeDriver, session: Session) -> None:
    made = launch(session)
    passes(START_PASSES)
    assert state_of(made) == "starting"
    reconciler.reconcile()
    assert state_of(made) == "failed"
    assert driver.instances == {}


def test_a_ready_instance_that_died_is_lost_with_the_driver_s_words(
    driver: FakeDriver, session: Session
) -> None:
    made = get_ready(launch(session))
    driver.end(str(made.pk), detail="It ran out of memory.")
    reconciler.reconcile()
    made.refresh_from_db()
    assert (made.state, made.error_message) == ("lost", "It ran out of memory.")
    assert Event.objects.get(kind="instance.lost").data["message"] == "It ran out of memory."
    assert driver.instances == {}


def test_what_waits_gets_the_next_generation_when_an_instance_died(
    driver: FakeDriver, session: Session
) -> None:
    dead = get_ready(launch(session))
    make_prompt(session)
    driver.end(str(dead.pk))
    passes(2)
    following = session.instances.get(generation=2)
    assert following.state == "starting"
    assert list(driver.instances) == [str(following.pk)]


def test_an_instance_that_dies_twice_before_it_was_ready_has_failed(
    driver: FakeDriver, session: Session
) -> None:
    """Else it would be made and die for ever."""
    make_prompt(session)
    launch(session)
    for _ in range(6):
        for name in driver.instances:
            driver.end(name, detail="The agent is not there.")
        reconciler.reconcile()
    states = session.instances.order_by("generation").values_list("state", "error_code", "error_message")
    assert list(states) == [
        ("lost", "ended", "The agent is not there."),
        ("failed", "start_failed", "The agent is not there."),
    ]


def test_an_engine_that_does_not_answer_kills_nobody(driver: FakeDriver, session: Session) -> None:
    made = get_ready(launch(session))
    for _ in range(START_PASSES):
        driver.fail_next("inspect")
    passes(START_PASSES)
    assert state_of(made) == "ready"


def test_a_stopping_instance_gets_time_to_flush_and_is_then_removed(
    driver: FakeDriver, session: Session
) -> None:
    made = get_ready(launch(session))
    instances.stop(session_id=session.pk, reason="user")
    passes(STOP_PASSES)
    assert state_of(made) == "stopping"
    assert list(driver.instances) == [str(made.pk)]
    reconciler.reconcile()
    assert state_of(made) == "stopped"
    assert driver.instances == {}


def test_a_stopping_instance_that_ended_is_removed_at_once(driver: FakeDriver, session: Session) -> None:
    made = get_ready(launch(session))
    instances.stop(session_id=session.pk, reason="user")
    driver.end(str(made.pk), exit_code=0)
    reconciler.reconcile()
    assert state_of(made) == "stopped"


def test_a_prompt_waits_for_what_a_stopped_instance_journaled_and_never_told(
    driver: FakeDriver, session: Session
) -> None:
    """It may have begun: as a prompt that waits it could be edited, or run a second time."""
    made = get_ready(launch(session))
    Instance.objects.filter(pk=made.pk).update(first_seq=1)
    prompt = make_prompt(session, state=PromptState.SENT, instance=made)
    instances.stop(session_id=session.pk, reason="user")
    driver.end(str(made.pk), exit_code=137)
    reconciler.reconcile()
    assert state_of(made) == "stopped"
    assert Prompt.objects.get(pk=prompt.pk).state == PromptState.SENT
    (stopped,) = Event.objects.filter(session=session, kind="instance.stopped")
    assert stopped.data == {"reason": "user"}


def test_a_stop_that_the_engine_refuses_is_tried_again(driver: FakeDriver, session: Session) -> None:
    made = get_ready(launch(session))
    instances.stop(session_id=session.pk, reason="user")
    driver.end(str(made.pk), exit_code=0)
    driver.fail_next("remove")
    reconciler.reconcile()
    assert state_of(made) == "stopping"
    reconciler.reconcile()
    assert state_of(made) == "stopped"


def test_a_prompt_that_was_not_handed_over_is_given_to_the_ready_instance(session: Session) -> None:
    get_ready(launch(session))
    prompt = make_prompt(session)
    reconciler.reconcile()
    assert Prompt.objects.get(pk=prompt.pk).state == PromptState.SENT


# --- 3. what ended instances left -------------------------------------------------------------------


def test_what_a_lost_instance_left_is_removed(driver: FakeDriver, session: Session) -> None:
    made = get_ready(launch(session))
    lifecycle.lose(instance_id=made.pk, reason="token_reused", message="Taken over.")
    driver.fail_next("remove")
    reconciler.reconcile()
    assert list(driver.instances) == [str(made.pk)]
    reconciler.reconcile()
    made.refresh_from_db()
    assert driver.instances == {}
    assert made.removed_at is not None


def test_an_instance_of_another_driver_is_left_alone(driver: FakeDriver, session: Session) -> None:
    made = make_instance(session, InstanceState.STARTING, driver="another", driver_ref={"instance_id": "x"})
    passes(START_PASSES + 1)
    assert state_of(made) == "starting"


# --- 4. prompts that wait for nobody ----------------------------------------------------------------


@pytest.mark.parametrize("state", [PromptState.QUEUED, PromptState.SENT])
def test_a_prompt_that_waits_for_nobody_wakes_its_session(session: Session, state: PromptState) -> None:
    make_prompt(session, state)
    reconciler.reconcile()
    assert session.instances.get().state == "requested"


@pytest.mark.parametrize("change", [{"is_paused": True}, {"deleted_at": "2026-01-01T00:00:00Z"}])
def test_who_was_stopped_or_deleted_is_not_woken(session: Session, change: dict[str, object]) -> None:
    make_prompt(session)
    Session.objects.filter(pk=session.pk).update(**change)
    reconciler.reconcile()
    assert not session.instances.exists()


def test_a_session_whose_prompts_are_done_sleeps_on(session: Session) -> None:
    make_prompt(session, PromptState.DONE)
    reconciler.reconcile()
    assert not session.instances.exists()
