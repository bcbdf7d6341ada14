"""Making sessions over REST: what is chosen, what is refused, and sending it again."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.models import CustomAgent, Instance, InstanceState, Prompt, Session
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_key

URL = "/api/v1/sessions/"


def test_a_session_without_any_wish_is_one_with_the_demo(alice_client: APIClient) -> None:
    response = alice_client.post(URL, {})
    assert response.status_code == 201
    body = response.json()
    assert (body["agent"], body["provider"], body["model"]) == ("opencode", "demo", "demo")
    assert (body["mode"], body["status"], body["title"]) == ("ask", "idle", "")
    assert body["instance"] is None


def test_wishes_are_heeded(alice: User, alice_client: APIClient) -> None:
    key = make_key(alice)
    wishes = {
        "provider": "openai",
        "model": "gpt-x",
        "key": str(key.pk),
        "title": " A  b ",
        "mode": "plan",
    }
    body = alice_client.post(URL, wishes).json()
    assert body["title"] == "A b"
    assert {name: body[name] for name in ("provider", "model", "key", "mode")} == {
        name: wishes[name] for name in ("provider", "model", "key", "mode")
    }


def test_a_session_can_have_a_repository(alice_client: APIClient) -> None:
    wish = {"url": "https://github.com/team/app.git", "branch": "next"}
    body = alice_client.post(URL, {"repository": wish}).json()
    assert body["repository"] == {"url": "https://github.com/team/app", "branch": "next"}
    assert alice_client.post(URL, {"repository": None}).json()["repository"] is None
    problem(alice_client.post(URL, {"repository": {"url": "ssh://x"}}), 400, "bad_repository")


def test_the_provider_of_the_newest_key_is_the_usual_one(alice: User, alice_client: APIClient) -> None:
    make_key(alice, "openai")
    assert alice_client.post(URL, {}).json()["provider"] == "openai"


def test_a_session_begins_with_its_prompt(alice_client: APIClient) -> None:
    prompt = {"id": str(uuid.uuid4()), "text": "Make it work\nand more"}
    body = alice_client.post(URL, {"prompt": prompt}).json()
    assert (body["title"], body["status"], body["queued_prompts"]) == ("Make it work", "queued", 1)
    assert Prompt.objects.get().pk == uuid.UUID(prompt["id"])
    assert Instance.objects.get().state == InstanceState.REQUESTED


def test_a_bad_prompt_leaves_no_session_behind(alice_client: APIClient) -> None:
    response = alice_client.post(URL, {"prompt": {"id": str(uuid.uuid4()), "text": " \n"}})
    problem(response, 400, "prompt_empty")
    assert not Session.objects.exists()


def test_sending_it_again_makes_no_second_one(alice_client: APIClient) -> None:
    wish = {"id": str(uuid.uuid4()), "prompt": {"id": str(uuid.uuid4()), "text": "Go"}}
    first, second = alice_client.post(URL, wish), alice_client.post(URL, wish)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"] == wish["id"]
    assert (Session.objects.count(), Prompt.objects.count()) == (1, 1)


def test_a_user_has_so_many_sessions_and_a_deleted_one_counts_while_it_can_come_back(
    session: Session, alice_client: APIClient, charlie_client: APIClient, settings: Settings
) -> None:
    settings.OPENAGENT_SESSIONS_PER_USER = 2
    wish = {"id": str(uuid.uuid4())}
    assert alice_client.post(URL, wish).status_code == 201
    problem(alice_client.post(URL, {}), 409, "too_many_sessions")
    assert alice_client.post(URL, wish).status_code == 200, "It is there already."
    assert charlie_client.post(URL, {}).status_code == 201
    alice_client.delete(f"{URL}{session.pk}/")
    problem(alice_client.post(URL, {}), 409, "too_many_sessions")
    Session.objects.filter(pk=session.pk).update(purged_at=timezone.now())
    assert alice_client.post(URL, {}).status_code == 201, "What is gone takes no place for ever."


def test_the_id_of_a_strangers_session_is_refused(session: Session, charlie_client: APIClient) -> None:
    body = problem(charlie_client.post(URL, {"id": str(session.pk)}), 409, "id_in_use")
    assert "Alice" not in str(body)


def test_the_id_of_a_deleted_session_is_refused(session: Session, alice_client: APIClient) -> None:
    alice_client.delete(f"{URL}{session.pk}/")
    problem(alice_client.post(URL, {"id": str(session.pk)}), 409, "id_in_use")


@pytest.mark.parametrize(
    ("wish", "field", "code", "says"),
    [
        ({"provider": "nobody"}, "provider", "unknown_provider", "openrouter"),
        ({"agent": "nobody"}, "agent", "unknown_agent", "opencode"),
        ({"model": "gpt"}, "model", "unknown_model", "demo"),
        ({"provider": "openai"}, "provider", "key_missing", "add one under Keys"),
        ({"key": str(uuid.uuid4())}, "key", "unknown_key", "add it first"),
        ({"title": "x" * 201}, "title", "title_too_long", "200"),
    ],
)
def test_a_wish_that_cannot_be_says_what_to_do(
    alice_client: APIClient, wish: dict[str, str], field: str, code: str, says: str
) -> None:
    body = problem(alice_client.post(URL, wish), 400, code)
    assert body["errors"][field] == [{"code": code, "message": body["detail"]}]
    assert says in body["detail"]


def test_an_unknown_mode_is_an_invalid_choice(alice_client: APIClient) -> None:
    body = problem(alice_client.post(URL, {"mode": "yolo"}), 400, "invalid")
    assert body["errors"]["mode"][0]["code"] == "invalid_choice"


def test_a_model_that_we_do_not_list_is_the_providers_business(alice: User, alice_client: APIClient) -> None:
    make_key(alice)
    wish = {"provider": "openai", "model": "ft:gpt-6:acme::x1"}
    assert alice_client.post(URL, wish).json()["model"] == "ft:gpt-6:acme::x1"
    problem(alice_client.post(URL, {**wish, "model": "no spaces, please"}), 400, "unknown_model")


def test_a_key_of_another_provider_does_not_fit(alice: User, alice_client: APIClient) -> None:
    key = make_key(alice, "openai")
    wish = {"provider": "mistral", "key": str(key.pk)}
    assert "key" in problem(alice_client.post(URL, wish), 400, "wrong_provider")["errors"]


def test_a_strangers_key_is_no_key(bob: User, alice_client: APIClient) -> None:
    wish = {"provider": "openai", "key": str(make_key(bob).pk)}
    problem(alice_client.post(URL, wish), 400, "unknown_key")


def test_an_agent_gets_a_provider_that_it_can_speak_to(alice: User, alice_client: APIClient) -> None:
    assert alice_client.post(URL, {"agent": "claude"}).json()["provider"] == "demo"
    make_key(alice, "anthropic")
    make_key(alice, "openai")
    assert alice_client.post(URL, {"agent": "claude"}).json()["provider"] == "anthropic"
    wish = {"agent": "claude", "provider": "openai"}
    assert "provider" in problem(alice_client.post(URL, wish), 400, "wrong_agent")["errors"]


def test_the_login_of_a_plan_is_for_that_plans_own_agent(alice: User, alice_client: APIClient) -> None:
    make_key(alice, "claude-plan")
    assert alice_client.post(URL, {"agent": "claude"}).json()["provider"] == "claude-plan"
    assert alice_client.post(URL, {"agent": "opencode"}).json()["provider"] == "demo"
    refused = alice_client.post(URL, {"agent": "opencode", "provider": "claude-plan"})
    assert "Claude Code only" in problem(refused, 400, "wrong_agent")["detail"]


def test_an_agent_of_an_administrator_can_be_chosen_while_it_is_enabled(alice_client: APIClient) -> None:
    row = CustomAgent.objects.create(slug="mine", name="Mine", command=["mine"], wires=["google"])
    assert alice_client.post(URL, {"agent": "mine"}).json()["agent"] == "mine"
    row.is_enabled = False
    row.save()
    problem(alice_client.post(URL, {"agent": "mine"}), 400, "unknown_agent")
