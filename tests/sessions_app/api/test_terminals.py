"""Terminals over REST: opened once, bounded, changed, removed, and ended with their instance."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import answers
from sessions_app.models import Command, Instance, InstanceState, Session, Terminal
from sessions_app.services import lifecycle, terminals
from sidecar.protocol import messages
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_instance, make_terminal

SIZE = {"rows": 24, "cols": 80}


def url_of(session: Session, tail: str = "") -> str:
    return f"/api/v1/sessions/{session.pk}/terminals/{tail}"


def orders(session: Session) -> list[tuple[str, Any]]:
    commands = Command.objects.filter(instance__session=session).exclude(verb="session.claim")
    return [(row.verb, row.data) for row in commands.order_by("number")]


def test_opening_wakes_the_session_and_orders_the_terminal_once(
    session: Session, alice_client: APIClient
) -> None:
    User.objects.filter(pk=session.owner_id).update(display_name="")
    sent = {"id": str(uuid.uuid4()), **SIZE, "command": ["npm", "test"], "title": " My\x1b\ntests "}
    responses = [alice_client.post(url_of(session), sent, format="json") for _ in range(2)]
    assert [response.status_code for response in responses] == [201, 200]
    body = responses[0].json()
    assert answers.TerminalSerializer(body).data == body
    assert (body["id"], body["state"], body["title"]) == (sent["id"], "opening", "My tests")
    ((verb, data),) = orders(session)
    assert (verb, data["terminal"], data["command"]) == ("terminal.open", sent["id"], ["npm", "test"])
    assert data["by"] == body["by"]["name"] == session.owner.email
    assert Instance.objects.live().filter(session=session).count() == 1
    assert alice_client.get(url_of(session)).json()["results"] == [body]


def test_the_agents_own_interface_is_ordered_by_a_verb_of_its_own(
    session: Session, alice_client: APIClient
) -> None:
    body = alice_client.post(url_of(session), {**SIZE, "agent": True}, format="json").json()
    assert answers.TerminalSerializer(body).data == body
    assert (body["agent"], body["command"]) == (True, None)
    ((verb, data),) = orders(session)
    assert (verb, data["terminal"]) == ("terminal.open_agent", body["id"])
    # A sidecar that is too old for it says so, and then nothing waits any more.
    command = Command.objects.get(verb=verb)
    lifecycle.on_command_done(instance_id=command.instance_id, number=command.number, error="unknown_verb")
    (row,) = alice_client.get(url_of(session)).json()["results"]
    assert (row["state"], row["reason"]) == ("closed", "failed") and "too old" in row["message"]


def test_the_agents_own_interface_takes_no_command(session: Session, alice_client: APIClient) -> None:
    sent = {**SIZE, "agent": True, "command": ["vim"]}
    response = alice_client.post(url_of(session), sent, format="json")
    assert (response.status_code, orders(session)) == (400, [])


@pytest.mark.parametrize(
    "size",
    [
        {},
        {"rows": 0, "cols": 80},
        {"rows": -1, "cols": 80},
        {"rows": 24, "cols": 10**9},
        {"rows": "x", "cols": 1},
    ],
)
def test_an_impossible_size_is_refused(session: Session, alice_client: APIClient, size: Any) -> None:
    assert alice_client.post(url_of(session), size, format="json").status_code == 400
    assert not Terminal.objects.exists()


@pytest.mark.parametrize("size", [{"rows": 0}, {"cols": -1}, {"rows": 10**9}, {"cols": 1}])
def test_an_impossible_change_of_size_is_refused(
    session: Session, alice_client: APIClient, size: dict[str, int]
) -> None:
    terminal = make_terminal(session, state="open")
    answer = alice_client.patch(url_of(session, f"{terminal.pk}/"), size, format="json")
    terminal.refresh_from_db()
    assert (answer.status_code, terminal.rows, terminal.cols) == (400, 24, 80)


def test_there_is_a_limit(session: Session, alice_client: APIClient, settings: Any) -> None:
    settings.OPENAGENT_TERMINALS_PER_SESSION = 1
    make_terminal(session)
    problem(alice_client.post(url_of(session), SIZE, format="json"), 409, "too_many_terminals")


def test_a_removed_one_has_its_place_until_it_is_closed(
    session: Session, alice_client: APIClient, settings: Any
) -> None:
    settings.OPENAGENT_TERMINALS_PER_SESSION = 1
    removed = alice_client.post(url_of(session), SIZE, format="json").json()["id"]
    assert alice_client.delete(url_of(session, f"{removed}/")).status_code == 204
    problem(alice_client.post(url_of(session), SIZE, format="json"), 409, "too_many_terminals")
    closed = messages.TerminalClosed(terminal_id=removed, reason="closed")
    terminals.on_closed(session_id=session.pk, data=closed)
    assert alice_client.post(url_of(session), SIZE, format="json").status_code == 201


def test_those_that_no_instance_was_asked_for_are_forgotten_too(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminals, "MAX_CLOSED", 2)
    for _ in range(3):
        terminals.remove(terminal=make_terminal(session))
    assert Terminal.objects.count() == 2


def test_a_command_is_bounded_by_its_bytes(session: Session, alice_client: APIClient) -> None:
    command = ["\u20ac" * 5461, "\u20ac" * 5461]
    sent = {**SIZE, "command": command}
    assert alice_client.post(url_of(session), sent, format="json").status_code == 201
    refused = alice_client.post(url_of(session), {**SIZE, "command": [*command, "abc"]}, format="json")
    assert refused.json()["errors"]["command"][0]["code"] == "command_too_long"


def test_a_done_order_keeps_no_data(session: Session, alice_client: APIClient) -> None:
    for _ in range(2):
        alice_client.post(url_of(session), SIZE, format="json")
    instance = Instance.objects.get(session=session)
    refused = Terminal.objects.order_by("created_at")[1]
    number = instance.commands.get(data__terminal=str(refused.pk)).number
    for _ in range(2):
        lifecycle.on_command_done(instance_id=instance.pk, number=number, error="no")
    refused.refresh_from_db()
    assert (refused.state, refused.reason) == ("closed", "failed")
    assert [data for _, data in orders(session)] == [{}, {}]


def test_a_sidecar_without_terminals_says_so(session: Session, alice_client: APIClient) -> None:
    make_instance(session, link_version=1)
    problem(alice_client.post(url_of(session), SIZE, format="json"), 409, "terminals_unsupported")


def test_a_terminal_is_resized_renamed_and_removed(session: Session, alice_client: APIClient) -> None:
    terminal = alice_client.post(url_of(session), SIZE, format="json").json()["id"]
    changed = alice_client.patch(
        url_of(session, f"{terminal}/"), {"rows": 50, "title": "Logs"}, format="json"
    ).json()
    assert (changed["rows"], changed["cols"], changed["title"]) == (50, 80, "Logs")
    assert alice_client.delete(url_of(session, f"{terminal}/")).status_code == 204
    assert [verb for verb, _ in orders(session)] == ["terminal.open", "terminal.resize", "terminal.close"]
    assert alice_client.get(url_of(session, f"{terminal}/")).status_code == 404
    assert alice_client.get(url_of(session)).json()["results"] == []


def test_one_that_was_not_recorded_has_no_recording(session: Session, alice_client: APIClient) -> None:
    terminal = make_terminal(session, state="closed", reason="exited")
    answer = alice_client.get(url_of(session, f"{terminal.pk}/transcript/?as=asciicast"))
    problem(answer, 409, "not_recorded")
    text = alice_client.get(url_of(session, f"{terminal.pk}/transcript/"))
    assert (text.status_code, text.content) == (200, b"")


def test_an_instance_that_ends_closes_its_terminals_and_opens_those_that_wait(session: Session) -> None:
    ending = make_instance(session, InstanceState.STOPPING)
    open_one = make_terminal(session, instance=ending, state="open")
    waiting = make_terminal(session)
    lifecycle.finish(instance_id=ending.pk, told=True)
    open_one.refresh_from_db()
    waiting.refresh_from_db()
    assert (open_one.state, open_one.reason) == ("closed", "stopped")
    assert waiting.instance is not None and waiting.instance != ending
    assert [verb for verb, _ in orders(session)] == ["terminal.open"]


def test_what_was_removed_takes_no_place_of_what_is_kept(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminals, "MAX_CLOSED", 2)
    now = timezone.now()
    for removed_at in (None, None, None, now, now, now):
        ending = make_terminal(session, state="open", removed_at=removed_at)
        data = messages.TerminalClosed(terminal_id=str(ending.pk), reason="exited")
        terminals.on_closed(session_id=session.pk, data=data)
    assert Terminal.objects.present().count() == 2
    assert Terminal.objects.exclude(removed_at=None).count() == 2
