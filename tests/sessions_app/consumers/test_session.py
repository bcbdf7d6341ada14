"""What a browser is shown, from which place in the log, and who may look at all."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session as Login
from django.db import OperationalError

from openagent.accounts.models import User
from sessions_app import relay
from sessions_app.models import Event, Permission, Session
from sessions_app.services import events, ingest, lifecycle, logs, prompts
from sessions_app.services import sessions as session_service
from sessions_app.services.events import Outcome
from sidecar.protocol import frames, messages
from tests.sessions_app.consumers.conftest import SECONDS, Browser, Sidecar, Socket, eventually

Browsers = Callable[..., Browser]
pytestmark = pytest.mark.django_db(transaction=True)


async def submit(session: Session, text: str = "go") -> uuid.UUID:
    owner = await sync_to_async(User.objects.get)(pk=session.owner_id)
    prompt, _ = await sync_to_async(prompts.submit)(
        session=session, author=owner, prompt_id=uuid.uuid4(), text=text
    )
    return prompt.pk


def hold_storing(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Nothing is stored from here on until the event is set."""
    may_store, real = threading.Event(), ingest.store

    def store(batches: Sequence[ingest.Batch]) -> list[Outcome]:
        assert may_store.wait(SECONDS)
        return real(batches)

    monkeypatch.setattr(ingest, "store", store)
    return may_store


async def stored(session: Session) -> list[int]:
    rows = Event.objects.filter(session=session).order_by("seq").values_list("seq", flat=True)
    return await sync_to_async(lambda: list(rows))()


async def test_hello_carries_the_state_and_then_it_is_live(browser: Browsers, session: Session) -> None:
    alice = browser()
    assert await alice.connect()
    hello = await alice.receive()
    assert hello["type"] == "hello"
    assert hello["stored"] == [1, 0]
    assert hello["state"]["session"]["id"] == str(session.pk)
    assert await alice.receive() == {"type": "live"}


async def test_two_browsers_see_what_is_said_and_a_late_one_sees_it_too(
    browser: Browsers, sidecar: Sidecar, session: Session
) -> None:
    first, second = browser(), browser()
    for one in (first, second):
        assert await one.connect()
        await one.until("live")
    turn = await submit(session)
    await sidecar.say("turn.started", turn, prompt="go")
    for offset in range(20):
        await sidecar.send_frame(
            frames.Events(events=[sidecar.event("message.delta", turn, part_id="p", offset=offset, text="x")])
        )
    await sidecar.stored()
    late = browser()
    assert await late.connect()
    seen = [await one.events_until(sidecar.seq) for one in (first, second, late)]
    assert [event["seq"] for event in seen[2]] == await stored(session)
    assert seen[0] == seen[1] == seen[2][1:]


async def test_a_browser_resumes_where_it_was(browser: Browsers, sidecar: Sidecar, session: Session) -> None:
    turn = await submit(session)
    await sidecar.say("turn.started", turn, prompt="go")
    for offset in range(10):
        await sidecar.say("message.delta", turn, part_id="p", offset=offset, text="x")
    again = browser(after=f"1.{sidecar.seq - 3}")
    assert await again.connect()
    assert (await again.receive())["stored"] == [1, sidecar.seq]
    events = await again.events_until(sidecar.seq)
    assert [event["seq"] for event in events] == [sidecar.seq - 2, sidecar.seq - 1, sidecar.seq]


async def test_a_long_log_comes_in_messages_of_bounded_size(
    browser: Browsers, sidecar: Sidecar, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_PAGE_CHARACTERS", 1000)
    turn = await submit(session)
    for offset in range(5):
        await sidecar.say("message.delta", turn, part_id="p", offset=offset * 900, text="x" * 900)
    late = browser()
    assert await late.connect()
    _, before = await late.until("live")
    pages = [message["events"] for message in before if message["type"] == "events"]
    assert [event["seq"] for page in pages for event in page] == await stored(session)
    assert max(len(page) for page in pages) <= 3


async def test_what_an_ended_generation_showed_but_never_stored_is_replaced(
    browser: Browsers, sidecar: Sidecar, session: Session
) -> None:
    await submit(session)
    await sync_to_async(lifecycle.lose)(instance_id=sidecar.instance.pk, reason="ended", message="killed")
    again = browser(after=f"1.{sidecar.seq + 7}")
    assert await again.connect()
    assert (await again.receive())["stored"] == [1, sidecar.seq]
    events = await again.events_until(sidecar.seq + 1)
    assert [(event["gen"], event["seq"], event["kind"]) for event in events] == [
        (2, sidecar.seq + 1, "instance.lost")
    ]


async def test_an_open_browser_hears_of_a_loss(browser: Browsers, sidecar: Sidecar, session: Session) -> None:
    alice = browser()
    assert await alice.connect()
    await alice.until("live")
    await sync_to_async(lifecycle.lose)(instance_id=sidecar.instance.pk, reason="ended", message="killed")
    events = await alice.events_until(sidecar.seq + 1)
    assert events[-1]["kind"] == "instance.lost"
    assert events[-1]["gen"] == 2


async def test_a_browser_that_does_not_acknowledge_gets_no_more_until_it_does(
    browser: Browsers, sidecar: Sidecar, session: Session
) -> None:
    alice = browser()
    assert await alice.connect()
    await alice.until("live")
    turn = await submit(session)
    for offset in range(40):
        await sidecar.say("message.delta", turn, part_id="p", offset=offset * 40_000, text="x" * 40_000)
    received: list[int] = []
    while sum(1 for _ in received) * 40_000 < 480_000:
        message = await alice.receive()
        if message["type"] == "events":
            received += [event["seq"] for event in message["events"]]
    assert received[-1] < sidecar.seq - 10
    await alice.send({"type": "ack", "seq": received[-1]})
    received += [event["seq"] for event in await alice.events_until(sidecar.seq)]
    # Those that were sent before the first acknowledgement are among them: nothing is missing or twice.
    assert received == list(range(received[0], sidecar.seq + 1))


async def test_acknowledging_after_a_loss_releases_what_the_lost_generation_had_shown(
    browser: Browsers, sidecar: Sidecar, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers go on from before what was shown and never stored, so no acknowledgement names those again."""
    turn = await submit(session)
    await sidecar.say("turn.started", turn, prompt="go")
    known = sidecar.seq
    may_store = hold_storing(monkeypatch)
    alice = browser(after=f"1.{known}")
    assert await alice.connect()
    await alice.until("live")
    pieces = [
        sidecar.event("message.delta", turn, part_id="p", offset=offset * 500, text="x" * 500)
        for offset in range(300)
    ]
    await sidecar.send_frame(frames.Events(events=pieces))
    await alice.until("events")
    await sync_to_async(lifecycle.lose)(instance_id=sidecar.instance.pk, reason="ended", message="killed")
    may_store.set()
    notice = messages.Suppressed(kind="x" * 40_000, count=1)
    entries = [events.Entry(kind="events.suppressed", data=notice)] * 120
    await sync_to_async(events.append)(session_id=session.pk, entries=entries)
    last = (await stored(session))[-1]
    assert last < sidecar.seq, "the numbers did not go back"
    seen = 0
    while seen < last:
        (message, _) = await alice.until("events")
        seen = message["events"][-1]["seq"]
        await alice.send({"type": "ack", "seq": seen})


async def test_state_follows_the_rows(browser: Browsers, sidecar: Sidecar, session: Session) -> None:
    alice = browser()
    assert await alice.connect()
    await alice.until("live")
    await submit(session, "what is the state?")
    while True:
        state, _ = await alice.until("state")
        if state["state"]["session"]["status"] == "running":
            break
    assert [prompt["text"] for prompt in state["state"]["prompts"]] == ["what is the state?"]


async def test_whoever_is_shown_a_question_can_answer_it(
    browser: Browsers, sidecar: Sidecar, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other events are shown before they are stored; this one and what follows it are shown after it is."""
    may_store = hold_storing(monkeypatch)
    alice = browser()
    assert await alice.connect()
    await alice.until("live")
    turn, permission = await submit(session), str(uuid.uuid4())
    first = sidecar.event("message.delta", turn, part_id="p", offset=0, text="May I?")
    asks = sidecar.event("permission.asked", turn, permission_id=permission, type="tool", title="ls")
    after = sidecar.event("message.delta", turn, part_id="p", offset=6, text=" Please.")
    for event in (first, asks, after):
        await sidecar.send_frame(frames.Events(events=[event]))
    await eventually(lambda: [link._seq for link in relay.links()] == [after.seq])  # type: ignore[attr-defined]
    assert [event["seq"] for event in await alice.events_until(first.seq)] == [first.seq]
    may_store.set()
    shown: list[int] = []
    while asks.seq not in shown:
        message = await alice.receive()
        shown += [event["seq"] for event in message.get("events", [])]
    assert await sync_to_async(Permission.objects.filter(pk=permission).exists)()
    while shown[-1] < after.seq:
        shown += [event["seq"] for event in (await alice.until("events"))[0]["events"]]
    assert shown == [asks.seq, after.seq]


async def test_a_stranger_and_nobody_are_turned_away(
    sockets: list[Socket], session: Session, charlie: User, cookie: str, browser: Browsers
) -> None:
    path = f"/ws/sessions/{session.pk}/"
    assert await browser(cookie="").connect()
    nobody = Socket(path, {"origin": "http://localhost"})
    sockets.append(nobody)
    assert await nobody.connect()
    await nobody.send({"type": "ticket", "ticket": "wst_made_up"})
    assert await nobody.closed() == 4401
    elsewhere = Socket(f"/ws/sessions/{uuid.uuid4()}/", {"cookie": cookie, "origin": "http://localhost"})
    sockets.append(elsewhere)
    assert await elsewhere.connect()
    assert await elsewhere.closed() == 4404


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://localhost.evil.example",
        "http://localhost:81",
        "https://localhost",
        "http://LOCALHOST@evil.example",
        "",
    ],
)
async def test_another_pages_socket_is_refused_before_it_is_accepted(browser: Browsers, origin: str) -> None:
    assert not await browser(origin=origin).connect()


async def test_a_cookie_without_an_origin_is_refused(
    sockets: list[Socket], session: Session, cookie: str
) -> None:
    plain = Socket(f"/ws/sessions/{session.pk}/", {"cookie": cookie})
    sockets.append(plain)
    assert not await plain.connect()


async def test_signing_out_closes_the_socket(browser: Browsers) -> None:
    alice = browser()
    assert await alice.connect()
    await alice.until("live")
    await sync_to_async(Login.objects.all().delete)()
    assert await alice.closed() == 4401


async def test_a_deleted_session_closes_the_socket(browser: Browsers, session: Session) -> None:
    alice = browser()
    assert await alice.connect()
    await alice.until("live")
    await sync_to_async(session_service.delete)(session=session)
    assert await alice.closed() == 4404


@pytest.mark.parametrize("text", ["{", "[1]", '{"type":1}', "[" * 5000, '{"type":"ack","seq":"NaN"}'])
async def test_a_message_that_is_none_closes_the_socket(browser: Browsers, text: str) -> None:
    alice = browser()
    assert await alice.connect()
    await alice.until("live")
    await alice.send_raw(text)
    assert await alice.closed() == 4400


async def test_without_a_database_the_browser_is_asked_to_come_again(
    browser: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise OperationalError("no database")

    monkeypatch.setattr("sessions_app.services.logs.may_watch", away)
    alice = browser()
    assert await alice.connect()
    assert await alice.closed() == 1013
