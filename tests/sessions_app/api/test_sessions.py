"""Sessions over REST: lists, changing, starting, stopping, deleting."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from openagent.accounts.models import User
from sessions_app.api import answers
from sessions_app.models import (
    Command,
    Instance,
    InstanceState,
    PromptState,
    Session,
)
from tests.sessions_app.api.problems import problem
from tests.sessions_app.conftest import make_instance, make_key, make_permission, make_prompt, make_session

URL = "/api/v1/sessions/"


def url_of(session: Session, action: str = "") -> str:
    return f"{URL}{session.pk}/{action}"


class TestListing:
    def test_only_ones_own_sessions_the_latest_change_first(
        self, alice: User, bob: User, alice_client: APIClient
    ) -> None:
        make_session(bob, title="Bob's")
        first, second = make_session(alice), make_session(alice)
        first.title = "changed"
        first.save()
        body = alice_client.get(URL).json()
        assert [row["id"] for row in body["results"]] == [str(first.pk), str(second.pk)]
        assert (body["next"], body["previous"]) == (None, None)

    def test_pages_hang_together(self, alice: User, alice_client: APIClient) -> None:
        ids = {str(make_session(alice).pk) for _ in range(5)}
        seen, url = [], f"{URL}?limit=2"
        while url:
            body = alice_client.get(url).json()
            seen += [row["id"] for row in body["results"]]
            url = body["next"]
        assert len(seen) == 5
        assert set(seen) == ids

    def test_search_looks_into_titles_and_prompts(self, alice: User, alice_client: APIClient) -> None:
        titled, asked = make_session(alice, title="Fix the LOGIN"), make_session(alice)
        make_prompt(asked, text="please log in here: Login")
        make_session(alice, title="Something else")
        found = alice_client.get(f"{URL}?q=login").json()["results"]
        assert {row["id"] for row in found} == {str(titled.pk), str(asked.pk)}

    def test_archived_sessions_are_listed_only_when_asked_for(
        self, alice: User, alice_client: APIClient
    ) -> None:
        archived, active = make_session(alice, archived_at=timezone.now()), make_session(alice)
        assert [row["id"] for row in alice_client.get(URL).json()["results"]] == [str(active.pk)]
        found = alice_client.get(f"{URL}?archived=true").json()["results"]
        assert [(row["id"], row["archived"]) for row in found] == [(str(archived.pk), True)]

    def test_deleted_sessions_are_not_there(self, alice: User, alice_client: APIClient) -> None:
        make_session(alice, deleted_at=timezone.now())
        assert alice_client.get(URL).json()["results"] == []

    def test_a_status_or_several_can_be_asked_for(self, alice: User, alice_client: APIClient) -> None:
        new, ready, failed = (make_session(alice) for _ in range(3))
        make_instance(ready, InstanceState.READY)
        make_instance(failed, InstanceState.FAILED)
        listed = alice_client.get(f"{URL}?status=ready,failed").json()["results"]
        assert {row["id"] for row in listed} == {str(ready.pk), str(failed.pk)}
        assert [row["id"] for row in alice_client.get(f"{URL}?status=idle").json()["results"]] == [
            str(new.pk)
        ]

    def test_an_unknown_status_is_refused(self, alice_client: APIClient) -> None:
        assert "status" in problem(alice_client.get(f"{URL}?status=tired"), 400, "invalid")["errors"]

    def test_a_list_costs_the_same_number_of_queries_however_long_it_is(
        self, alice: User, alice_client: APIClient, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(8):
            session = make_session(alice)
            make_instance(session)
            make_prompt(session)
            make_permission(session)
        with django_assert_max_num_queries(8):
            assert len(alice_client.get(URL).json()["results"]) == 8


class TestOne:
    def test_what_is_answered_is_what_the_description_says(
        self, session: Session, alice_client: APIClient
    ) -> None:
        at = {"requested": "10:00:00.000", "image": "10:00:00.250", "box": "09:59:00.000"}
        stages = [{"name": name, "at": f"2026-01-02T{time}+00:00"} for name, time in at.items()]
        make_instance(session, error_code="x", stages=stages)
        make_prompt(session, PromptState.RUNNING)
        body = alice_client.get(url_of(session)).json()
        assert answers.SessionSerializer(body).data == body
        # The host's clock was set back before the last.
        passed = {"requested": 0, "image": 250, "box": 0}
        assert {stage["name"]: stage["elapsed_ms"] for stage in body["instance"]["stages"]} == passed

    def test_a_stranger_finds_nothing(self, session: Session, charlie_client: APIClient) -> None:
        problem(charlie_client.get(url_of(session)), 404, "not_found")

    def test_what_is_no_id_is_not_found(self, alice_client: APIClient) -> None:
        problem(alice_client.get(f"{URL}12/"), 404, "not_found")


class TestChanging:
    def test_title_mode_and_archived(self, session: Session, alice_client: APIClient) -> None:
        before = session.state_version
        body = alice_client.patch(url_of(session), {"title": "New", "mode": "auto", "archived": True}).json()
        assert (body["title"], body["mode"], body["archived"]) == ("New", "auto", True)
        session.refresh_from_db()
        assert session.state_version > before
        assert alice_client.patch(url_of(session), {"archived": False}).json()["archived"] is False

    def test_changing_nothing_changes_nothing(self, session: Session, alice_client: APIClient) -> None:
        alice_client.patch(url_of(session), {"title": session.title, "model": "demo", "archived": False})
        version = session.state_version
        session.refresh_from_db()
        assert session.state_version == version

    def test_a_live_agent_gets_the_mode_for_its_next_turn(
        self, session: Session, alice_client: APIClient
    ) -> None:
        make_instance(session)
        alice_client.patch(url_of(session), {"mode": "plan"})
        command = Command.objects.get()
        assert (command.verb, command.data) == ("agent.configure", {"model": "", "mode": "plan"})

    def test_another_provider_begins_with_its_own_model(
        self, alice: User, session: Session, alice_client: APIClient
    ) -> None:
        make_key(alice)
        body = alice_client.patch(url_of(session), {"provider": "openai"}).json()
        assert (body["provider"], body["model"]) == ("openai", "gpt-6-sol")

    def test_another_provider_puts_a_live_instance_to_sleep(
        self, alice: User, session: Session, alice_client: APIClient
    ) -> None:
        make_key(alice)
        make_instance(session)
        alice_client.patch(url_of(session), {"provider": "openai"})
        session.refresh_from_db()
        assert Instance.objects.get().state == InstanceState.STOPPING
        assert not session.is_paused

    def test_another_provider_has_to_wait_for_the_turn(
        self, alice: User, session: Session, alice_client: APIClient
    ) -> None:
        make_key(alice)
        make_prompt(session, PromptState.RUNNING, instance=make_instance(session))
        problem(alice_client.patch(url_of(session), {"provider": "openai"}), 409, "turn_open")
        session.refresh_from_db()
        assert session.provider == "demo"

    def test_a_provider_without_a_key_is_refused(self, session: Session, alice_client: APIClient) -> None:
        problem(alice_client.patch(url_of(session), {"provider": "anthropic"}), 400, "key_missing")

    def test_what_cannot_be_changed_is_left_alone(self, session: Session, alice_client: APIClient) -> None:
        alice_client.patch(url_of(session), {"owner": str(uuid.uuid4()), "generation": 9, "agent": "x"})
        session.refresh_from_db()
        assert (session.generation, session.agent) == (1, "opencode")


class TestLife:
    def test_start_asks_for_an_instance_once(self, session: Session, alice_client: APIClient) -> None:
        assert alice_client.post(url_of(session, "start/")).json()["status"] == "queued"
        alice_client.post(url_of(session, "start/"))
        assert Instance.objects.count() == 1

    def test_stop_pauses_and_start_resumes(self, session: Session, alice_client: APIClient) -> None:
        make_instance(session)
        body = alice_client.post(url_of(session, "stop/")).json()
        assert (body["paused"], body["instance"]["state"], body["status_detail"]) == (
            True,
            "stopping",
            "Stopping.",
        )
        assert alice_client.post(url_of(session, "start/")).json()["paused"] is False

    def test_stop_when_nothing_runs_is_harmless(self, session: Session, alice_client: APIClient) -> None:
        assert alice_client.post(url_of(session, "stop/")).status_code == 200

    def test_a_session_is_kept_awake_and_let_sleep(self, session: Session, alice_client: APIClient) -> None:
        refused = alice_client.post(url_of(session, "keep/"))
        assert (refused.status_code, refused.json()["code"]) == (409, "asleep")
        make_instance(session)
        kept = alice_client.post(url_of(session, "keep/")).json()
        assert kept["kept_until"] > kept["updated_at"]
        assert alice_client.get(url_of(session)).json()["kept_until"] == kept["kept_until"]
        for _ in range(2):
            assert alice_client.delete(url_of(session, "keep/")).status_code == 204
        assert alice_client.get(url_of(session)).json()["kept_until"] is None

    def test_interrupt_names_the_turn(self, session: Session, alice_client: APIClient) -> None:
        prompt = make_prompt(session, PromptState.RUNNING, instance=make_instance(session))
        for _ in range(2):
            response = alice_client.post(url_of(session, "interrupt/"), {"turn": str(prompt.pk)})
            assert response.status_code == 200
        assert [command.verb for command in Command.objects.all()] == ["turn.cancel"]

    def test_interrupting_a_turn_of_another_session_is_not_found(
        self, alice: User, session: Session, alice_client: APIClient
    ) -> None:
        other = make_prompt(make_session(alice), PromptState.RUNNING)
        response = alice_client.post(url_of(session, "interrupt/"), {"turn": str(other.pk)})
        problem(response, 404, "not_found")

    def test_a_deleted_session_is_gone_and_its_instance_stops(
        self, session: Session, alice_client: APIClient
    ) -> None:
        make_instance(session)
        make_permission(session)
        assert alice_client.delete(url_of(session)).status_code == 204
        problem(alice_client.get(url_of(session)), 404, "not_found")
        problem(alice_client.delete(url_of(session)), 404, "not_found")
        assert Instance.objects.get().state == InstanceState.STOPPING
        assert alice_client.get("/api/v1/permissions/?state=pending").json()["results"] == []
