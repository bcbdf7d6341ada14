"""Sidecars and boxes are killed: what was journaled stays, what ran is interrupted, the next prompt works."""

from __future__ import annotations

import time

import pytest

from sidecar import demo_model
from tests.container_product import ContainerProduct
from tests.end_to_end.client import SECONDS, eventually, texts
from tests.end_to_end.custom_agents import SLUGGISH, WORKING
from tests.end_to_end.instance import Instance
from tests.end_to_end.reader import Reader
from tests.end_to_end.rig import Rig
from tests.end_to_end.turns import check_answered, check_shown, kinds_of, said

SPEECH = "/demo long 5000 40ms"
"""Longer than anything here takes: it is cut off."""
NOTICED_SECONDS = 30.0
"""Five are promised; the rest is for a slow machine that runs other tests too."""


@pytest.mark.parametrize(
    ("half", "agent"),
    [
        ("sidecar", "opencode"),
        pytest.param("box", "opencode", marks=pytest.mark.variant),
        ("box", WORKING),
        ("keeper", WORKING),
    ],
)
def test_a_turn_whose_instance_is_killed_is_interrupted_and_keeps_what_was_journaled(
    broken: Rig, half: str, agent: str
) -> None:
    client = broken.client
    if half == "keeper":
        require_processes(broken)
    session = broken.session(agent)
    with Reader(client, session) as reader:
        made = client.prompt(session, "/demo work")
        reader.wait_for_event("turn.ended", made)
        instance = Instance(broken.product, client, session)
        before = client.session(session)["last_seq"]
        turn = client.prompt(session, SPEECH)
        reader.wait_for_text(turn, 200)
        instance.kill(half)
        killed_at = time.monotonic()
        journaled = said(instance.journaled(), turn)
        reader.wait_for_event("turn.ended", turn)
        assert time.monotonic() - killed_at < NOTICED_SECONDS
        interrupted = client.ended(session, turn)
        assert interrupted["stop_reason"] == "interrupted", interrupted
        assert client.prompt_row(session, turn)["state"] == "interrupted"
        check_shown(client, reader, session)

        asked = "/demo run cat hello.txt"
        following = client.prompt(session, asked)
        reader.wait_for_event("turn.ended", following)
        check_next_turn(broken, session, following)
        check_shown(client, reader, session)
    assert not reader.log.complaints, reader.describe()
    stored = said(client.events(session), turn)
    sent = [exchange.text for exchange in broken.provider.exchanges if exchange.script == "long"][-1]
    assert stored and demo_model.expected_text(SPEECH).startswith(sent) and sent.startswith(stored)
    assert stored.startswith(journaled)
    assert client.turn(session, turn)["stop_reason"] == "interrupted"
    assert kinds_of(client, session, turn).count("turn.started") == 1
    kinds = [event["kind"] for event in client.events(session) if event["seq"] > before]
    assert kinds.count("instance.lost") == kinds.count("instance.started") == 1


def require_processes(rig: Rig) -> None:
    if isinstance(rig.product, ContainerProduct):
        pytest.skip("the process driver alone has it")


def check_next_turn(rig: Rig, session: str, turn: str) -> None:
    """The next instance has the same files, and its agent the same conversation."""
    ended = rig.client.ended(session, turn)
    assert ended["stop_reason"] == "end_turn", ended
    output = "".join(item["output"] for item in ended["items"] if item["type"] == "tool")
    assert "hello from the demo model" in output
    remembered = str(rig.provider.exchanges[-1].body)
    assert "/demo work" in remembered and SPEECH in remembered


def test_what_a_killed_instance_asked_can_no_longer_be_answered(broken: Rig) -> None:
    client = broken.client
    session = broken.session(WORKING)
    client.call("PATCH", f"/sessions/{session}/", {"mode": "ask"})
    turn = client.prompt(session, "/demo permission")
    asked = client.pending(session)
    client.status(session, "needs_you")
    Instance(broken.product, client, session).kill("sidecar")
    ended = client.ended(session, turn)
    item = next(item for item in ended["items"] if item["type"] == "permission")
    assert (item["state"], item["by"]) == ("lost", "platform")
    tool = next(item for item in ended["items"] if item["type"] == "tool")
    assert tool["status"] == "interrupted"
    late = client.raw("POST", f"/permissions/{asked['id']}/answer/", json={"choice": "once"})
    assert (late.status_code, late.json()["code"]) == (409, "permission_lost")
    assert client.session(session)["pending_permissions"] == 0
    client.status(session, "asleep")
    client.call("PATCH", f"/sessions/{session}/", {"mode": "auto"})
    again = client.prompt(session, "/demo permission")
    assert client.ended(session, again)["stop_reason"] == "end_turn"


@pytest.mark.variant
def test_what_was_journaled_and_never_sent_is_told_by_the_successor(broken: Rig) -> None:
    """The log gets it when the session is awake again; by then nobody can answer what was asked in it."""
    client = broken.client
    session = broken.session()
    with Reader(client, session) as reader:
        # The key comes over the link with the first call of the model, so that has to be over.
        reader.wait_for_event("turn.ended", client.prompt(session, "/demo plain"))
        client.call("PATCH", f"/sessions/{session}/", {"mode": "ask"})
        turn = client.prompt(session, "/demo permission")
        instance = Instance(broken.product, client, session)
        reader.wait_for_event("turn.started", turn)
        broken.link.hold()
        try:
            asked = eventually(
                lambda: [event for event in instance.journaled() if event["kind"] == "permission.asked"],
                30,
                lambda: f"nothing is asked: {instance.journaled()}",
            )[-1]
            assert "permission.asked" not in kinds_of(client, session, turn), "too late to prove anything"
            instance.kill("sidecar")
            journaled = said(instance.journaled(), turn)
        finally:
            # What is under way is lost with the connection, or it would still arrive.
            broken.link.cut()
            broken.link.release()
        reader.wait_for_event("turn.ended", turn)
        client.call("PATCH", f"/sessions/{session}/", {"mode": "auto"})
        following = client.prompt(session, "/demo plain")
        reader.wait_for_event("turn.ended", following)
        check_shown(client, reader, session)
    told = client.turn(session, turn)
    assert texts(told) == said(client.events(session), turn) == journaled
    assert (told["status"], told["stop_reason"]) == ("ended", "interrupted")
    states = {item["type"]: item.get("state") or item.get("status") for item in told["items"]}
    assert states["permission"] == "lost" and states["tool"] == "interrupted"
    answer = client.raw(
        "POST", f"/permissions/{asked['data']['permission_id']}/answer/", json={"choice": "once"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "permission_lost")
    assert client.session(session)["pending_permissions"] == 0
    assert client.prompt_row(session, turn)["state"] == "interrupted"


def test_an_instance_that_is_killed_while_it_starts_is_followed_by_another(broken: Rig) -> None:
    """Twice in a row: the prompt that woke it is still answered, once."""
    client = broken.client
    session = broken.session(SLUGGISH)
    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep")
    turn = client.prompt(session, "/demo plain")
    first = Instance(broken.product, client, session)
    first.kill("sidecar")
    client.ended(session, turn)
    check_answered(client, session, "/demo plain", turn)
    assert client.session(session)["status"] == "ready"
    assert Instance(broken.product, client, session).generation == first.generation + 1


def test_successors_that_are_killed_before_they_have_told_what_was_left_lose_nothing(broken: Rig) -> None:
    """Twice, each as soon as it has called the platform; the third, which a person starts, tells it, once."""
    client, session = broken.client, broken.session(SLUGGISH)
    with Reader(client, session) as reader:
        reader.wait_for_event("turn.ended", client.prompt(session, "/demo plain"))
        turn = client.prompt(session, SPEECH)
        instance = Instance(broken.product, client, session)
        reader.wait_for_text(turn, 100)
        broken.link.hold()
        try:
            known = len(instance.journaled())
            eventually(
                lambda: len(instance.journaled()) > known + 20, 30, lambda: "nothing more is journaled"
            )
            instance.kill("sidecar")
            journaled = said(instance.journaled(), turn)
        finally:
            broken.link.cut()
            broken.link.release()
        reader.wait_for_event("turn.ended", turn)
        following = client.prompt(session, "/demo plain")
        for _ in range(2):
            instance = successor(broken, session, instance)
            instance.kill("sidecar")
        # After two in a row that end before they are ready, nothing starts by itself any more.
        client.status(session, "failed")
        client.post(f"/sessions/{session}/start/")
        client.ended(session, following)
        check_answered(client, session, "/demo plain", following)
        check_shown(client, reader, session)
    assert said(client.events(session), turn) == journaled
    assert kinds_of(client, session, turn).count("turn.started") == 1
    assert client.turn(session, turn)["stop_reason"] == "interrupted"


def successor(rig: Rig, session: str, before: Instance) -> Instance:
    """The next instance, as soon as its sidecar has called."""

    def look() -> Instance | None:
        shown = rig.client.session(session)["instance"]
        if shown["generation"] == before.generation:
            return None
        found = Instance(rig.product, rig.client, session)
        has_called = any(stage["name"] == "sidecar" for stage in shown["stages"])
        return found if found.id == shown["id"] and has_called else None

    made: Instance = eventually(look, SECONDS, lambda: f"no successor: {rig.client.session(session)}")
    return made


MOMENTS = [
    pytest.param("", id="asked"),
    pytest.param(".", id="made", marks=pytest.mark.variant),
    pytest.param("plan.json", id="planned"),
    pytest.param("keeper.json", id="kept"),
]
"""What stands in the folders of instances when the worker is killed."""


@pytest.mark.parametrize("mark", MOMENTS)
def test_a_worker_that_is_killed_while_it_makes_an_instance_is_made_up_for(broken: Rig, mark: str) -> None:
    require_processes(broken)
    client, session = broken.client, broken.session(WORKING)
    client.post(f"/sessions/{session}/stop/")
    client.status(session, "asleep")
    folder = broken.product.data.root / "instances"
    before = {each.name for each in folder.iterdir()}

    def has_come_so_far() -> bool:
        return any((each / mark).exists() for each in folder.iterdir() if each.name not in before)

    turn = client.prompt(session, "/demo plain")
    if mark:
        eventually(has_come_so_far, 30, lambda: "no instance is made")
    broken.kill("worker")
    client.ended(session, turn)
    check_answered(client, session, "/demo plain", turn)
    assert client.session(session)["status"] == "ready"
    live = Instance(broken.product, client, session)
    eventually(lambda: not live.others(), 60, lambda: f"more are left: {live.others()}")
