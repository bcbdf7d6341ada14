"""What an agent asks a person: once, for the session, rejected with words, questions, and two who answer."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.end_to_end.browser import NOTICES, Glimpses
from tests.end_to_end.browser_fixtures import Cookies, OpenWindow
from tests.end_to_end.chosen_agent import ASKS, only_if_it
from tests.end_to_end.screens import SessionScreen


@only_if_it(ASKS)
def test_a_command_allowed_once_runs_and_the_next_one_is_asked_again(
    open_window: OpenWindow, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo permission")
    card = turn.asked()
    expect(card.exact).to_have_text("rm -rf build && echo cleaned-up")
    session.expect_status("needs_you")
    session.window.shot("permission")
    card.allow()
    card.expect_outcome("Allowed once by you")
    turn.wait().expect_text("The folder is gone. Thank you for allowing it.")
    expect(turn.tool("execute")).to_have_attribute("data-status", "completed")
    again = session.send("/demo permission")
    again.asked().allow()
    again.wait()


@only_if_it("a_permission_for_the_session_is_not_asked_again")
def test_a_kind_of_command_allowed_for_the_session_is_not_asked_again(
    open_window: OpenWindow, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo permissions")
    card = turn.asked()
    expect(card.box).to_contain_text("“For this session” allows: bash: touch *")
    card.allow("session")
    card.expect_outcome("Allowed for this session by you")
    turn.wait().expect_text("Three commands asked for.")
    expect(turn.cards()).to_have_count(1)
    expect(turn.tools).to_have_count(3)
    session.open_files()
    expect(session.file("three.txt")).to_be_visible()


@only_if_it("a_rejection_with_a_message_is_advice")
def test_a_rejection_with_a_message_reaches_the_agent_which_goes_on(
    open_window: OpenWindow, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo permission")
    card = turn.asked()
    # Some agents get it as the result of the command, others as their next prompt.
    card.reject("/demo say Keep the folder, move it aside instead.")
    card.expect_outcome("Rejected by you")
    turn.wait()
    assert turn.stop_reason == "end_turn"
    assert "Keep the folder, move it aside instead." in turn.text()
    # What became of the call stands in the outcome, and only there.
    expect(turn.tools).to_have_count(0)
    session.window.shot("rejected")


@only_if_it(ASKS)
def test_a_command_cannot_hide_what_it_does(open_window: OpenWindow, shared: str) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo run echo harmless \u202e; touch hidden.txt #\u200b")
    card = turn.asked()
    expect(card.exact).to_have_text("echo harmless ⟨U+202E⟩; touch hidden.txt #⟨U+200B⟩")
    card.reject()
    turn.wait()


@only_if_it("a_question_is_answered")
def test_a_question_is_answered_with_an_option_or_with_own_words(
    open_window: OpenWindow, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo question")
    card = turn.asked()
    expect(card.box).to_contain_text("Which colour should the button have?")
    session.window.shot("question")
    card.box.get_by_label("blue").check()
    card.box.get_by_test_id("question-answer").click()
    card.expect_outcome("Answered by you")
    turn.wait()
    assert '"blue"' in turn.text()

    turn = session.send("/demo question")
    card = turn.asked()
    card.box.get_by_label("Another answer").fill("the green of moss")
    card.box.get_by_test_id("question-answer").click()
    turn.wait()
    assert "the green of moss" in turn.text()


@only_if_it(ASKS)
def test_a_second_device_sees_the_same_and_the_first_answer_wins(
    open_window: OpenWindow, another_login: Cookies, shared: str
) -> None:
    here = SessionScreen(open_window(), shared)
    there = SessionScreen(open_window(cookies=another_login), shared)
    there.expect_connection("live")
    turn = here.send("/demo permission")
    same = there.turn(turn.id)
    slow, quick = turn.asked(), same.asked()
    assert slow.id == quick.id
    expect(there.page).to_have_title("(1) Shared · OpenAgent")

    def hold(route: Route) -> None:
        quick.allow()
        quick.expect_outcome("Allowed once by you")
        route.continue_()

    here.window.allow(409)
    notices = Glimpses(here.window, NOTICES)
    here.page.route("**/answer/", hold)
    slow.reject("Too late.")
    notices.expect("Olivia Owner was first: Allowed once")
    slow.expect_outcome("Allowed once by you")
    turn.wait()
    same.wait()
    assert turn.parts() == same.parts()
    assert "Too late." not in turn.text()
    expect(here.page).to_have_title("Shared · OpenAgent")
