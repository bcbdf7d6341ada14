"""Providers that refuse, fail, break off, or make no sense or no sound: the user is told, and what to do."""

from __future__ import annotations

import pytest

from sidecar import demo_model
from tests.end_to_end.client import Client, texts
from tests.end_to_end.reader import Reader
from tests.end_to_end.rig import MODEL, SILENCE_SECONDS, Rig
from tests.end_to_end.turns import check_answered


def check_next_prompt_works(client: Client, session: str) -> None:
    turn = client.prompt(session, "/demo plain")
    check_answered(client, session, "/demo plain", turn)
    assert client.session(session)["status"] == "ready"


@pytest.mark.parametrize(
    ("prompt", "error_class", "advice"),
    [
        ("/demo error401", "provider_auth", "Replace it under Keys"),
        ("/demo error402", "provider_quota", "billing page"),
        ("/demo error404", "unknown_model", "Choose another one"),
    ],
)
def test_a_failure_that_lasts_ends_the_turn_and_says_what_to_do(
    broken: Rig, prompt: str, error_class: str, advice: str
) -> None:
    client, session = broken.client, broken.session()
    turn = client.prompt(session, prompt)
    ended = client.ended(session, turn)
    assert ended["stop_reason"] == "error"
    assert ended["error"]["class"] == error_class and advice in ended["error"]["message"]
    (shown,) = (item for item in ended["items"] if item["type"] == "error")
    assert (shown["class"], shown["message"]) == (error_class, ended["error"]["message"])
    kept = client.prompt_row(session, turn)
    assert kept["state"] == "failed" and kept["error"]["class"] == error_class
    check_next_prompt_works(client, session)


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [("/demo error429 2 1s", "slow down"), ("/demo errorthen 1", "not available")],
)
def test_a_failure_that_passes_is_waited_for(broken: Rig, prompt: str, reason: str) -> None:
    client, session = broken.client, broken.session()
    with Reader(client, session) as reader:
        turn = client.prompt(session, prompt)
        reader.wait_for_event("turn.ended", turn)
        ended = client.ended(session, turn)
        statuses = [event["data"] for event in reader.events("agent.status") if event["turn"] == turn]
    assert ended["stop_reason"] == "end_turn" and texts(ended) == demo_model.expected_text(prompt)
    retrying = [status for status in statuses if status["status"] == "retrying"]
    assert retrying and all(status["retry_at"] and reason in status["message"] for status in retrying)
    assert statuses[-1]["status"] == "busy"


@pytest.mark.parametrize(
    ("prompt", "reason", "said"),
    [
        # The browser's tests show it too.
        pytest.param("/demo error500", "not available", "", marks=pytest.mark.variant),
        ("/demo mute 300s", f"did not answer for {SILENCE_SECONDS} s", ""),
        ("/demo cut", "broke off", "This sentence arrives whole."),
        ("/demo silence 300s", f"silent in the middle of its answer for {SILENCE_SECONDS} s", "I say this"),
        ("/demo garbage", "is garbled", ""),
    ],
)
def test_a_failure_that_may_pass_is_told_while_it_lasts_and_can_be_stopped(
    broken: Rig, prompt: str, reason: str, said: str
) -> None:
    client, session = broken.client, broken.session()
    with Reader(client, session) as reader:
        turn = client.prompt(session, prompt)

        def tells(reader: Reader) -> bool:
            told = (event["data"] for event in reader.events("agent.status") if event["turn"] == turn)
            return any(status["status"] == "retrying" and reason in status["message"] for status in told)

        reader.wait(tells, 30)
        assert reader.state["session"]["status"] == "running"
        client.post(f"/sessions/{session}/interrupt/", {"turn": turn})
        reader.wait_for_event("turn.ended", turn)
    ended = client.ended(session, turn)
    assert ended["stop_reason"] == "cancelled" and texts(ended).startswith(said)
    assert "{" not in texts(ended) and "neither" not in texts(ended)
    assert client.prompt_row(session, turn)["state"] == "cancelled"
    check_next_prompt_works(client, session)


def test_a_model_that_does_not_exist_is_said_so_and_can_be_exchanged(broken: Rig) -> None:
    client, session = broken.client, broken.session()
    client.call("PATCH", f"/sessions/{session}/", {"model": "unknown-9"})
    try:
        turn = client.prompt(session, "/demo plain")
        ended = client.ended(session, turn)
        assert ended["stop_reason"] == "error" and ended["error"]["class"] == "unknown_model"
        assert "Choose another one" in ended["error"]["message"]
    finally:
        client.call("PATCH", f"/sessions/{session}/", {"model": MODEL})
    check_next_prompt_works(client, session)
