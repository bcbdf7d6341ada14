"""Sessions with providers that need a key, over each API that the gate speaks; one program plays them all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from sidecar import demo_model
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.client import Client, eventually, texts
from tests.end_to_end.rig import KEY, Provider
from tests.end_to_end.screens import Keys, NewSession

PROMPT = "/demo work"
EXPECTED = demo_model.expected(PROMPT)


@pytest.fixture
def no_keys(owner: Client) -> Iterator[None]:
    """The owner begins without keys, and ends without them."""
    _delete_keys(owner)
    yield
    _delete_keys(owner)


@pytest.mark.parametrize(
    ("name", "model", "wire"),
    [
        ("OpenAI", "GPT-6 Luna", "openai-responses"),
        pytest.param("Anthropic", "Claude Haiku 4.5", "anthropic", marks=pytest.mark.variant),
        pytest.param("Google Gemini", "Gemini 3.8 Flash", "google", marks=pytest.mark.variant),
        pytest.param("Groq", "GPT OSS 20B", "openai-chat", marks=pytest.mark.variant),
    ],
)
@pytest.mark.usefixtures("no_keys")
def test_a_key_is_enough_to_work_with_a_provider(
    open_window: OpenWindow, owner: Client, provider: Provider, name: str, model: str, wire: str
) -> None:
    window = open_window()
    keys = Keys(window)
    keys.add(provider=name, key=KEY)
    expect(keys.row(name)).to_contain_text("…" + KEY[-4:])
    before = len(provider.exchanges)
    window.page.get_by_test_id("new-session").click()
    session = NewSession(window).start(PROMPT, mode="Auto", model=model)
    turn = session.last_turn().wait()
    window.shot(f"provider-{wire}")

    assert turn.stop_reason == "end_turn"
    assert turn.parts() == list(EXPECTED.messages)
    expect(turn.tool("execute")).to_have_attribute("data-status", "completed")
    calls = provider.exchanges[before:]
    assert {call.wire for call in calls} == {wire}
    assert {call.key for call in calls} == {KEY}, "The box has a worthless token; the gate puts the key in."
    sent = EXPECTED.usage
    # What a call cost may come after the turn.
    expect(turn.footer).to_contain_text(f"{sent.input:,} in · {sent.output:,} out")
    stored = eventually(
        lambda: (ended := owner.ended(session.id, turn.id))["usage"]["calls"] == EXPECTED.calls and ended,
        30,
        lambda: str(owner.turn(session.id, turn.id)["usage"]),
    )
    assert texts(stored) == "".join(call.text for call in calls if call.script == "work")
    assert stored["usage"] == {
        "calls": EXPECTED.calls,
        "input": sent.input,
        "output": sent.output,
        "cached": sent.cached,
        "reasoning": sent.reasoning,
    }
    assert KEY not in str(owner.events(session.id)) + window.page.content()


@pytest.mark.usefixtures("no_keys")
def test_a_refused_key_and_an_unknown_model_are_named_and_can_be_put_right(
    open_window: OpenWindow, owner: Client, provider: Provider
) -> None:
    wrong = owner.post("/keys/", {"provider": "openai", "key": "sk-" + "wrong" * 10})
    window = open_window()
    window.open()
    form = NewSession(window)
    form.choose_other_model("Another model of OpenAI…", "gpt-unknown-9")
    session = form.start("/demo plain", mode="Auto", model="")
    refused = session.last_turn().wait()
    expect(refused.errors).to_have_attribute("data-class", "provider_auth")
    expect(refused.errors).to_contain_text("The provider refused the key")
    window.shot("error-401")
    owner.call("PUT", f"/keys/{wrong['id']}/", {"key": KEY})
    unknown = session.send("/demo plain").wait()
    expect(unknown.errors).to_have_attribute("data-class", "unknown_model")
    expect(unknown.errors).to_contain_text("Choose another model below the conversation.")
    session.page.get_by_test_id("model-select").select_option(label="GPT-6 Luna")
    expect(session.page.get_by_test_id("session-model")).to_have_text("gpt-6-luna")
    session.send("/demo plain").wait().expect_text("Hello from the scripted demo model.")


def _delete_keys(owner: Client) -> None:
    for key in owner.get("/keys/")["results"]:
        owner.call("DELETE", f"/keys/{key['id']}/")
