"""Turns while they run: interrupted, queued behind, reloaded in mid-stream, watched from elsewhere."""

from __future__ import annotations

import os
import signal

from playwright.sync_api import expect

from sidecar import demo_model
from tests.end_to_end.browser import Wire
from tests.end_to_end.browser_fixtures import Cookies, OpenWindow
from tests.end_to_end.client import Client, texts
from tests.end_to_end.instance import Instance
from tests.end_to_end.screens import SessionScreen, Turn
from tests.product import Product

ENDLESS = "/demo long 9000 20ms"
"""Three minutes: a test stops it when it has seen enough, however slow everything is."""
SPOKEN = demo_model.expected_text(ENDLESS)


def test_stop_ends_a_long_run_and_keeps_what_was_said(
    open_window: OpenWindow, shared: str, owner: Client
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send(ENDLESS)
    turn.expect_text("20:heron")
    session.page.get_by_test_id("stop").click()
    _check_stopped(session, turn, owner)
    session.send("/demo plain").wait().expect_text("Hello from the scripted demo model.")


def test_escape_stops_a_run(open_window: OpenWindow, shared: str, owner: Client) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send(ENDLESS)
    turn.expect_text("12:larch")
    session.composer.press("Escape")
    _check_stopped(session, turn, owner)


def test_queued_prompts_are_edited_removed_and_run_in_order(
    open_window: OpenWindow, shared: str, owner: Client
) -> None:
    session = SessionScreen(open_window(), shared)
    running = session.send(ENDLESS)
    running.expect_text("1:amber")
    edited = session.send("/demo say the first wording")
    expect(session.queue).to_have_count(1)
    removed = session.send("/demo say never to be heard")
    expect(session.queue).to_have_count(2)
    session.window.shot("queue")
    first, second = session.queue.first, session.queue.last
    first.get_by_role("button", name="Edit queued prompt").click()
    first.get_by_role("textbox", name="Queued prompt").fill("/demo say the better wording")
    first.get_by_role("button", name="Save").click()
    expect(first).to_contain_text("the better wording")
    second.get_by_role("button", name="Remove queued prompt").click()
    expect(session.queue).to_have_count(1)
    session.page.get_by_test_id("stop").click()
    running.wait()
    edited.wait()
    assert edited.text() == "the better wording"
    expect(edited.prompt).to_have_text("/demo say the better wording")
    expect(session.queue).to_have_count(0)
    assert owner.turn(shared, removed.id) is None
    # A browser is shown what happens, and the row follows.
    owner.ended(shared, edited.id)
    states = {row["id"]: row["state"] for row in owner.get(f"/sessions/{shared}/prompts/")["results"]}
    assert states[edited.id] == "done"
    assert states.get(removed.id, "cancelled") == "cancelled"


def test_reloading_in_mid_stream_loses_and_repeats_nothing(
    open_window: OpenWindow, another_login: Cookies, shared: str, owner: Client
) -> None:
    session = SessionScreen(open_window(), shared)
    late = open_window(cookies=another_login)
    turn = session.send(ENDLESS)
    for word in ("60:larch", "200:heron", "350:birch"):
        turn.expect_text(word)
        assert SPOKEN.startswith(turn.text())
        assert turn.article.get_attribute("data-turn-status") == "running"
        session.page.reload()
    there = SessionScreen(late, shared)
    elsewhere = there.turn(turn.id)
    elsewhere.expect_text("400:")
    there.page.get_by_test_id("stop").click()
    elsewhere.wait()
    _check_stopped(session, turn, owner)
    _check_kept(elsewhere, turn.text())


def test_a_connection_that_breaks_in_mid_stream_catches_up(
    open_window: OpenWindow, shared: str, owner: Client
) -> None:
    window = open_window()
    wire = Wire(window.page)
    session = SessionScreen(window, shared)
    turn = session.send(ENDLESS)
    for word in ("30:fjord", "100:delta", "200:heron"):
        turn.expect_text(word)
        wire.cut()
        session.expect_connection("disconnected")
        # Nobody here knows whether it still runs: nothing says so, and no clock counts.
        expect(session.status).to_contain_text("Last seen: running")
        expect(turn.working).to_contain_text("When last seen: Working")
        window.shot("disconnected")
        assert SPOKEN.startswith(turn.text())
        wire.mend()
        session.expect_connection("live")
        expect(session.status).not_to_contain_text("Last seen")
    session.page.get_by_test_id("stop").click()
    _check_stopped(session, turn, owner)


def test_a_web_process_that_is_killed_in_mid_stream_is_caught_up_with(
    open_window: OpenWindow, product: Product, shared: str, owner: Client
) -> None:
    window = open_window()
    window.allow_outages()
    session = SessionScreen(window, shared)
    turn = session.send(ENDLESS)
    turn.expect_text("20:heron")
    before = product.part("web")
    assert before is not None
    os.kill(before, signal.SIGKILL)
    session.expect_connection("disconnected")
    session.expect_connection("live")
    # What it has said meanwhile is there, and it goes on.
    said = len(turn.words())
    turn.expect_text(f"{said + 50}:")
    session.page.get_by_test_id("stop").click()
    _check_stopped(session, turn, owner)
    assert product.part("web") not in (None, before)


def test_a_sidecar_that_is_killed_in_mid_stream_interrupts_the_turn_and_the_next_prompt_works(
    open_window: OpenWindow, product: Product, shared: str, owner: Client
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send(ENDLESS)
    turn.expect_text("20:heron")
    Instance(product, owner, shared).kill("sidecar")
    turn.wait()
    assert turn.stop_reason == "interrupted"
    expect(turn.footer).to_contain_text("Interrupted: the box stopped. It is not run again by itself")
    session.send("/demo plain").wait().expect_text("Hello from the scripted demo model.")
    _check_kept(turn, texts(owner.ended(shared, turn.id)))


def test_what_cannot_be_a_prompt_is_kept_with_the_reason(open_window: OpenWindow, shared: str) -> None:
    window = open_window()
    window.allow(400)
    session = SessionScreen(window, shared)
    refused = window.page.get_by_test_id("outgoing-prompt")
    for text, reason in (
        ("ring the \x07 bell", "Character 10 is the control character U+0007; remove it."),
        ("x" * (1 << 20), "The prompt has 1024 KB, the limit is 256 KB: put the text into a file"),
    ):
        session.send(text)
        expect(refused.get_by_role("alert")).to_contain_text(f"Not sent. {reason}")
        window.shot(f"refused-prompt-{len(text)}")
        refused.get_by_role("button", name="Edit").click()
        expect(refused).to_have_count(0)
        expect(session.composer).to_have_value(text)
    session.send("/demo plain").wait().expect_text("Hello from the scripted demo model.")


def _check_stopped(session: SessionScreen, turn: Turn, owner: Client) -> None:
    turn.wait()
    assert turn.stop_reason == "cancelled"
    expect(turn.footer).to_contain_text("Stopped")
    session.expect_status("ready")
    _check_kept(turn, texts(owner.ended(session.id, turn.id)))


def _check_kept(turn: Turn, stored: str) -> None:
    """Of what the endless speech said, what is stored is shown, and nothing twice."""
    assert stored and SPOKEN.startswith(stored)
    assert turn.text() == stored
    assert turn.words() == stored.split()
