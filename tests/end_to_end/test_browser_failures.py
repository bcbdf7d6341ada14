"""What a provider does wrong, told in words: whose matter it is, what is kept, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser_fixtures import OpenWindow, live_session, settled
from tests.end_to_end.client import Client, eventually
from tests.end_to_end.screens import SessionScreen, Turn


@pytest.fixture(scope="module")
def automatic(owner: Client) -> Iterator[str]:
    """A session in mode Auto, because summarising a long conversation plays a script with a tool."""
    with live_session(owner, mode="auto", title="Troubled") as session:
        yield session


@pytest.fixture
def troubled(automatic: str, owner: Client) -> Iterator[str]:
    with settled(owner, automatic) as session:
        yield session


@pytest.mark.parametrize(
    ("script", "error", "title", "advice"),
    [
        ("error401", "provider_auth", "The provider refused the key", "Test or replace the key"),
        ("error402", "provider_quota", "The provider's quota is used up", "Add credit at the provider"),
        ("error404", "unknown_model", "The provider does not know this model", "Choose another model"),
        ("context", "context_too_long", "The conversation is too long", "Start a new session"),
        ("error429 0 1s", "provider_rate_limit", "The provider limits how fast", "Wait a moment"),
    ],
)
def test_a_failure_is_named_with_what_to_do(
    open_window: OpenWindow, troubled: str, script: str, error: str, title: str, advice: str
) -> None:
    session = SessionScreen(open_window(), troubled)
    turn = session.send(f"/demo {script}").wait()
    assert turn.stop_reason == "error"
    expect(turn.errors).to_have_attribute("data-class", error)
    expect(turn.errors).to_contain_text(title)
    expect(turn.errors).to_contain_text(advice)
    expect(turn.errors).to_contain_text("(Scripted by the demo model.)")
    session.window.shot(f"error-{error}")
    session.expect_status("ready")


def test_a_refused_key_leads_to_the_keys(open_window: OpenWindow, troubled: str) -> None:
    session = SessionScreen(open_window(), troubled)
    turn = session.send("/demo error403").wait()
    turn.errors.get_by_role("link", name="Provider keys").click()
    expect(session.page.get_by_test_id("keys-page")).to_be_visible()


def test_a_rate_limit_says_when_it_ends_and_the_turn_goes_on_by_itself(
    open_window: OpenWindow, troubled: str
) -> None:
    session = SessionScreen(open_window(), troubled)
    turn = session.send("/demo error429 1 8s")
    # In one look: all of it is over when the limit is.
    expect(turn.working).to_contain_text(
        re.compile(r"Waiting for the provider \(try 1\).*Rate limit reached.*Next try in 0:0", re.DOTALL)
    )
    session.window.shot("rate-limit")
    turn.wait().expect_text("The provider answers again.")
    expect(turn.errors).to_have_count(0)


def test_a_long_limit_ends_the_turn_which_goes_on_at_the_providers_time(
    open_window: OpenWindow, troubled: str, owner: Client
) -> None:
    session = SessionScreen(open_window(), troubled)
    assert session.send("/demo error429 0 7200s").wait().stop_reason == "error"
    # For this once; it can be called off.
    session.page.get_by_test_id("go-on-later").click()
    expect(session.queue).to_contain_text("Sent by itself at")
    session.window.shot("go-on-later")
    session.queue.get_by_role("button", name="Remove queued prompt").click()
    expect(session.queue).to_have_count(0)
    # From now on without a click; whoever cannot wait sends it at once.
    session.choose("Go on by itself after a limit")
    session.send("/demo error429 0 7200s").wait()
    expect(session.queue).to_contain_text("Sent by itself at")
    session.expect_status("ready")
    session.choose("Stay stopped after a provider's limit")
    session.queue.get_by_role("button", name="Send queued prompt now").click()
    expect(session.queue).to_have_count(0)

    def last() -> str:
        return str(owner.conversation(troubled)["turns"][-1]["prompt"])

    # It has left the queue before its turn begins.
    eventually(lambda: last().endswith("Go on where you stopped."), 60, last)


@pytest.mark.parametrize(
    ("script", "said", "why"),
    [
        ("error500", "", "The server had an error while processing your request."),
        ("cut", "This sentence arrives whole.", "broke off in the middle"),
        ("page", "", "a web page answered. Is there a sign-in page in between?"),
    ],
)
def test_a_provider_that_fails_is_asked_again_until_somebody_stops_it(
    open_window: OpenWindow, troubled: str, script: str, said: str, why: str
) -> None:
    session = SessionScreen(open_window(), troubled)
    turn = session.send(f"/demo {script}")
    # Whichever it is by now.
    expect(turn.working).to_contain_text(re.compile(r"Waiting for the provider \(try \d+\)"))
    expect(turn.working).to_contain_text(why)
    turn.expect_text(said)
    session.window.shot(f"retry-{script}")
    _stop(session, turn)
    assert turn.stop_reason == "cancelled"
    session.send("/demo plain").wait().expect_text("Hello from the scripted demo model.")


def _stop(session: SessionScreen, turn: Turn) -> None:
    session.page.get_by_test_id("stop").click()
    turn.wait()
    session.expect_status("ready")
