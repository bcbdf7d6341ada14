"""Prompts over REST: queued, changed, taken back, and what is no prompt."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import answers
from sessions_app.models import Instance, Prompt, PromptState, Session
from sessions_app.services import prompts
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_prompt, make_session


def url_of(session: Session, prompt: Prompt | str = "") -> str:
    tail = f"{prompt.pk}/" if isinstance(prompt, Prompt) else prompt
    return f"/api/v1/sessions/{session.pk}/prompts/{tail}"


def new(text: str = "Do it") -> dict[str, str]:
    return {"id": str(uuid.uuid4()), "text": text}


def test_a_prompt_is_queued_and_wakes_the_session(session: Session, alice_client: APIClient) -> None:
    sent = new("Write a poem\n\tabout 🐍\n")
    response = alice_client.post(url_of(session), sent)
    assert response.status_code == 201
    body = response.json()
    assert answers.PromptSerializer(body).data == body
    assert (body["id"], body["text"], body["state"], body["position"]) == (
        sent["id"],
        sent["text"],
        "queued",
        1,
    )
    assert body["by"]["name"] == "Alice"
    assert Instance.objects.filter(session=session).count() == 1


def test_what_is_logged_for_it_names_request_session_and_turn(
    session: Session, alice_client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    sent, request = new(), str(uuid.uuid4())
    alice_client.post(url_of(session), sent, headers={"x-request-id": request})
    prompt = Prompt.objects.get(pk=sent["id"])
    alice_client.patch(url_of(session, prompt), {"text": "Do more"})
    asked = [line.getMessage() for line in caplog.records if "request_finished" in line.getMessage()]
    assert len(asked) == 2
    for line in asked:
        assert f"'session_id': '{session.pk}'" in line and f"'turn_id': '{prompt.pk}'" in line
    assert f"'request_id': '{request}'" in asked[0] and prompt.request_id == request
    assert request not in asked[1]


def test_sending_it_again_changes_nothing(session: Session, alice_client: APIClient) -> None:
    sent = new()
    first, second = alice_client.post(url_of(session), sent), alice_client.post(url_of(session), sent)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Prompt.objects.count() == 1


def test_the_same_id_with_another_text_is_refused(session: Session, alice_client: APIClient) -> None:
    sent = new()
    alice_client.post(url_of(session), sent)
    problem(alice_client.post(url_of(session), {**sent, "text": "Other"}), 409, "prompt_id_reused")


def test_the_id_of_a_strangers_prompt_tells_nothing(
    session: Session, bob: User, alice_client: APIClient
) -> None:
    other = make_prompt(make_session(bob), text="Bob's secret")
    response = alice_client.post(url_of(session), {"id": str(other.pk), "text": "Bob's secret"})
    assert "Bob" not in str(problem(response, 409, "prompt_id_reused"))


def test_places_in_the_queue_count_from_one(session: Session, alice_client: APIClient) -> None:
    make_prompt(session, PromptState.RUNNING)
    make_prompt(session)
    make_prompt(session)
    rows = alice_client.get(url_of(session)).json()["results"]
    assert [(row["state"], row["position"]) for row in rows] == [
        ("queued", 2),
        ("queued", 1),
        ("running", None),
    ]
    assert alice_client.get(f"{url_of(session)}?limit=1").json()["results"][0]["position"] == 2


def test_a_prompt_that_waits_can_be_changed_and_taken_back(session: Session, alice_client: APIClient) -> None:
    prompt = make_prompt(session)
    assert alice_client.patch(url_of(session, prompt), {"text": "Better"}).json()["text"] == "Better"
    assert alice_client.get(url_of(session, prompt)).json()["text"] == "Better"
    assert alice_client.delete(url_of(session, prompt)).status_code == 204
    problem(alice_client.get(url_of(session, prompt)), 404, "not_found")
    problem(alice_client.delete(url_of(session, prompt)), 404, "not_found")


@pytest.mark.parametrize("state", [PromptState.SENT, PromptState.RUNNING, PromptState.DONE])
def test_a_prompt_that_the_agent_has_stays(
    session: Session, alice_client: APIClient, state: PromptState
) -> None:
    prompt = make_prompt(session, state, text="As it was")
    problem(alice_client.patch(url_of(session, prompt), {"text": "Better"}), 409, "prompt_not_queued")
    problem(alice_client.delete(url_of(session, prompt)), 409, "prompt_not_queued")
    prompt.refresh_from_db()
    assert prompt.text == "As it was"


def test_a_prompt_of_another_session_is_not_in_this_one(
    alice: User, session: Session, alice_client: APIClient
) -> None:
    other = make_prompt(make_session(alice))
    problem(alice_client.get(url_of(session, other)), 404, "not_found")
    problem(alice_client.patch(url_of(session, other), {"text": "x"}), 404, "not_found")
    problem(alice_client.delete(url_of(session, other)), 404, "not_found")


def test_what_waits_is_bounded_by_its_bytes(
    session: Session, alice_client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "MAX_QUEUED_BYTES", 10)
    first, second = new("\u20ac\u20ac"), new("abcd")
    for sent in (first, second):
        assert alice_client.post(url_of(session), sent).status_code == 201
    problem(alice_client.post(url_of(session), new("a")), 409, "queue_full")
    problem(alice_client.patch(url_of(session, f"{second['id']}/"), {"text": "abcde"}), 409, "queue_full")
    assert alice_client.patch(url_of(session, f"{second['id']}/"), {"text": "dcba"}).status_code == 200
    assert alice_client.post(url_of(session), second | {"text": "dcba"}).status_code == 200


@pytest.mark.parametrize(
    ("text", "code", "advice"),
    [
        ("", "prompt_empty", "Write something first"),
        (" \n\t ", "prompt_empty", "Write something first"),
        ("x" * (1 << 20), "prompt_too_long", "1024 KB, the limit is 256 KB: put the text into a file"),
        ("é" * 200_000, "prompt_too_long", "390 KB, the limit is 256 KB: put the text into a file"),
        ("bell \x07", "prompt_control_characters", "Character 6 is the control character U+0007; remove it"),
        (
            "escape \x1b[31m",
            "prompt_control_characters",
            "Character 8 is the control character U+001B; remove it",
        ),
        (
            "delete \x7f",
            "prompt_control_characters",
            "Character 8 is the control character U+007F; remove it",
        ),
    ],
    ids=["empty", "blank", "1MB", "wide", "bell", "escape", "delete"],
)
def test_what_is_no_prompt_is_refused_with_what_to_do(
    session: Session, alice_client: APIClient, text: str, code: str, advice: str
) -> None:
    assert advice in problem(alice_client.post(url_of(session), new(text)), 400, code)["detail"]
    prompt = make_prompt(session)
    changed = alice_client.patch(url_of(session, prompt), {"text": text})
    assert advice in problem(changed, 400, code)["detail"]
    assert Prompt.objects.count() == 1


def test_a_null_character_is_refused_by_its_field(session: Session, alice_client: APIClient) -> None:
    body = problem(alice_client.post(url_of(session), new("a\x00b")), 400, "invalid")
    assert body["errors"]["text"][0]["code"] == "null_characters_not_allowed"


def test_a_prompt_needs_an_id_and_a_text(session: Session, alice_client: APIClient) -> None:
    body = problem(alice_client.post(url_of(session), {}), 400, "invalid")
    assert {name: error[0]["code"] for name, error in body["errors"].items()} == {
        "id": "required",
        "text": "required",
    }


def test_what_is_typed_stays_as_it_was_typed(session: Session, alice_client: APIClient) -> None:
    sent = new("  indented\r\ncode  \n")
    assert alice_client.post(url_of(session), sent).json()["text"] == "  indented\ncode  \n"
    assert alice_client.post(url_of(session), sent).status_code == 200


def test_one_for_later_waits_for_its_time_or_is_sent_at_once(
    session: Session, alice_client: APIClient
) -> None:
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    body = alice_client.post(url_of(session), {**new(), "due_at": later}).json()
    assert answers.PromptSerializer(body).data == body
    assert datetime.fromisoformat(body["due_at"]) - datetime.fromisoformat(later) < timedelta(seconds=1)
    assert not Instance.objects.exists()
    answer = alice_client.patch(url_of(session, Prompt.objects.get()), {"due_at": None}, format="json")
    assert (answer.status_code, answer.json()["due_at"]) == (200, None)
    assert Instance.objects.filter(session=session).count() == 1


def test_nobody_waits_for_a_year(session: Session, alice_client: APIClient) -> None:
    later = (timezone.now() + timedelta(days=365)).isoformat()
    problem(alice_client.post(url_of(session), {**new(), "due_at": later}), 400, "due_too_far")
    assert not Prompt.objects.exists()
