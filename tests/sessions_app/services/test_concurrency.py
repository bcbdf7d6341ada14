"""Two who change one session at the same moment, on PostgreSQL: one waits for the other, and never both.

One is held in the middle of its transaction until the other has ended or waits for a lock; the order of locks
is that of `Session.objects.hold`. SQLite lets one transaction write at a time: there is nothing to see there.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import QuerySet

from keys_app import services as keys
from keys_app.models import KeyUse, ProviderKey
from openagent.accounts import deletion
from openagent.accounts.models import User
from sessions_app.models import Event, Instance, Permission, Prompt, Session, UsageEvent
from sessions_app.services import activity, ingest, instances, lifecycle, links, permissions, prompts
from sidecar.protocol import messages
from tests.sessions_app.conftest import make_key
from tests.sessions_app.services.conftest import Sidecar

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="row locks are PostgreSQL's"),
]
SECONDS = 30


def at_the_same_moment(
    first: Callable[[], Any],
    table: type[Any],
    second: Callable[[], Any],
    then: Callable[[], Any] = lambda: None,
) -> None:
    """Runs `second` when `first` wrote to `table` and has not committed yet, and `then` when `second` waits.

    Raises what any of them raises.
    """
    has_written, may_go_on = threading.Event(), threading.Event()
    # Django quotes the name, SQL of our own does not, and it may begin with what it is about.
    writes = re.compile(rf'\b(UPDATE|INSERT INTO) "?{table._meta.db_table}\b')

    def pause(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if writes.search(sql) and not has_written.is_set():
            has_written.set()
            assert may_go_on.wait(SECONDS)
        return result

    def paused() -> Any:
        with connection.execute_wrapper(pause):
            return _closing(first)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(paused)
        # It may also have failed before that.
        assert has_written.wait(SECONDS), one.result(0)
        other = pool.submit(_closing, second)
        try:
            _until_done_or_waiting(other)
            then()
        finally:
            may_go_on.set()
        one.result(SECONDS)
        other.result(SECONDS)


def _closing(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connections.close_all()


def _until_done_or_waiting(other: Future[Any]) -> None:
    """The other's transaction is over, or stands before a lock."""
    deadline = time.monotonic() + SECONDS
    while not other.done():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            row = cursor.fetchone()
        if row and row[0]:
            return
        assert time.monotonic() < deadline
        time.sleep(0.01)


def run(session: Session, sidecar: Sidecar) -> Prompt:
    """A turn that runs, and a prompt that waits behind it."""
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="a")
    prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="b")
    sidecar.get_ready()
    sidecar.say("turn.started", prompt.pk, prompt="a")
    return prompt


def lose(sidecar: Sidecar) -> bool:
    return lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="gone")


@pytest.fixture
def turn(session: Session, sidecar: Sidecar) -> Prompt:
    return run(session, sidecar)


def ends(turn: Prompt) -> int:
    return Event.objects.filter(turn=turn.pk, kind="turn.ended").count()


def test_a_loss_and_the_end_of_a_turn_write_one_end(sidecar: Sidecar, turn: Prompt) -> None:
    ended = sidecar.event("turn.ended", turn.pk, stop_reason="end_turn")
    at_the_same_moment(lambda: lose(sidecar), Instance, lambda: sidecar.store(ended))
    turn.refresh_from_db()
    assert (ends(turn), turn.state) == (1, "interrupted")


def test_the_end_of_a_turn_and_a_loss_write_one_end(sidecar: Sidecar, turn: Prompt) -> None:
    ended = sidecar.event("turn.ended", turn.pk, stop_reason="end_turn")
    at_the_same_moment(lambda: sidecar.store(ended), Prompt, lambda: lose(sidecar))
    turn.refresh_from_db()
    assert (ends(turn), turn.state) == (1, "done")


@pytest.mark.parametrize("table", [Prompt, Session], ids=["prompt", "session"])
def test_an_edit_and_the_end_of_the_turn_before_it(
    session: Session, sidecar: Sidecar, turn: Prompt, table: type[Any]
) -> None:
    waiting = session.prompts.queued().get()
    ended = sidecar.event("turn.ended", turn.pk, stop_reason="end_turn")

    def edit() -> None:
        prompts.change(session=session, prompt_id=waiting.pk, text="c")

    at_the_same_moment(edit, table, lambda: sidecar.store(ended))
    sent = sidecar.instance.commands.filter(verb="turn.start").order_by("-number")[0]
    assert sent.data["text"] == "c"


def test_an_interruption_and_the_end_of_the_turn(session: Session, sidecar: Sidecar, turn: Prompt) -> None:
    ended = sidecar.event("turn.ended", turn.pk, stop_reason="end_turn")
    at_the_same_moment(
        lambda: prompts.interrupt(session=session, turn=turn.pk), Prompt, lambda: sidecar.store(ended)
    )
    assert ends(turn) == 1


def test_an_answer_and_the_end_of_the_turn_that_asked(
    session: Session, sidecar: Sidecar, turn: Prompt
) -> None:
    sidecar.say("permission.asked", turn.pk, permission_id=str(uuid.uuid4()), type="tool", title="ls")
    permission = Permission.objects.get()
    ended = sidecar.event("turn.ended", turn.pk, stop_reason="end_turn")
    at_the_same_moment(
        lambda: permissions.answer(user=session.owner, permission=permission, choice="once"),
        Permission,
        lambda: sidecar.store(ended),
    )
    permission.refresh_from_db()
    assert permission.state == "answered"


def test_two_who_wake_the_same_session(session: Session) -> None:
    at_the_same_moment(
        lambda: instances.wake(session_id=session.pk),
        Instance,
        lambda: prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="a"),
    )
    assert session.instances.count() == 1


def test_a_stop_and_a_refused_command(session: Session, sidecar: Sidecar, turn: Prompt) -> None:
    number = sidecar.instance.commands.order_by("-number")[0].number

    def refuse() -> None:
        lifecycle.on_command_done(instance_id=sidecar.instance.pk, number=number, error="stopping")

    at_the_same_moment(lambda: instances.stop(session_id=session.pk, reason="user"), Instance, refuse)
    assert Instance.objects.get().state == "stopping"


def second_of(session: Session) -> Sidecar:
    """The sidecar of another session of the same owner, whose rows come after those of the first."""
    other = Session.objects.create(pk=uuid.UUID(int=2**128 - 1), owner=session.owner, model="demo")
    made = instances.wake(session_id=other.pk)
    assert made is not None
    ingest.salvage(successor=made, gen=0, salvaged=[], done=True)
    made.refresh_from_db()
    return Sidecar(made)


def takes_in_order(act: Callable[[], Any], rows: QuerySet[Any]) -> None:
    """While somebody else has the first of two rows, `act` waits for it, and does not have the other."""
    first, last = rows.order_by("pk")
    # Moves the first behind the other: whoever takes them as they lie there begins with the other.
    first.save()

    def have_the_first() -> None:
        with transaction.atomic():
            first.save()

    def take_the_other() -> None:
        with transaction.atomic():
            rows.select_for_update(nowait=True, no_key=True).get(pk=last.pk)

    at_the_same_moment(have_the_first, rows.model, act, take_the_other)


def test_what_stores_the_events_of_many_sessions_takes_them_in_order(
    session: Session, sidecar: Sidecar
) -> None:
    plans = [each.batch([each.event("plan", None, entries=[])]) for each in (second_of(session), sidecar)]
    takes_in_order(lambda: ingest.store(plans), Session.objects.all())
    assert Event.objects.filter(kind="plan").count() == 2


def test_whoever_deletes_a_key_takes_its_sessions_in_order(session: Session, sidecar: Sidecar) -> None:
    second_of(session)
    key = make_key(session.owner)
    Session.objects.update(key=key)
    takes_in_order(lambda: keys.delete(key), Session.objects.all())
    assert Session.objects.filter(key=None).count() == 2


def usage_of(sidecar: Sidecar) -> messages.Event:
    """A call of the model with the session's key."""
    counts = {"input": 1, "output": 1}
    return sidecar.event("usage", None, request_id="r", provider="openai", model="gpt-5", **counts)


@pytest.mark.parametrize("is_stored_first", [True, False], ids=["stored first", "deleted first"])
def test_a_key_that_is_deleted_and_what_a_call_with_it_used(
    session: Session, sidecar: Sidecar, is_stored_first: bool
) -> None:
    key = make_key(session.owner)
    Session.objects.update(key=key)
    used = usage_of(sidecar)
    # The row of what was used names the key: its row is taken when that is committed, and no sooner.
    if is_stored_first:
        at_the_same_moment(lambda: sidecar.store(used), UsageEvent, lambda: keys.delete(key))
    else:
        at_the_same_moment(lambda: keys.delete(key), KeyUse, lambda: sidecar.store(used))
    assert UsageEvent.objects.get().key is None
    assert not ProviderKey.objects.exists()


def test_whoever_deletes_a_user_takes_their_sessions_in_order(session: Session, sidecar: Sidecar) -> None:
    second_of(session)
    takes_in_order(lambda: deletion.delete(session.owner), Session.objects.all())
    assert not User.objects.exists()


def test_a_user_who_is_deleted_and_what_a_call_with_their_key_used(
    session: Session, sidecar: Sidecar
) -> None:
    Session.objects.update(key=make_key(session.owner))
    used = usage_of(sidecar)
    at_the_same_moment(lambda: sidecar.store(used), UsageEvent, lambda: deletion.delete(session.owner))
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("missed", [0, 1])
def test_whoever_counts_absences_has_one_row_at_a_time(
    session: Session, sidecar: Sidecar, missed: int
) -> None:
    second_of(session)
    Instance.objects.update(state="ready", driver_ref={}, linkless_passes=missed)
    connected = list(Instance.objects.values_list("pk", flat=True)) if missed else []
    takes_in_order(lambda: links.count_absences(connected=connected), Instance.objects.all())
    assert set(Instance.objects.values_list("linkless_passes", flat=True)) == {1 - missed}


def test_the_reaper_and_what_stores_the_events_of_many_sessions(session: Session, sidecar: Sidecar) -> None:
    sidecar.get_ready()
    second = second_of(session)
    second.get_ready()
    plans = [each.batch([each.event("plan", None, entries=[])]) for each in (second, sidecar)]
    at_the_same_moment(lambda: ingest.store(plans), Session, activity.reap)
    assert Event.objects.filter(kind="plan").count() == 2
