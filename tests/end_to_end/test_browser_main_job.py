"""The main job as a newcomer does it: type a goal, watch a real agent do it, answer it, take the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from sidecar import demo_model
from sidecar.demo_model.scripts import Usage
from tests.end_to_end.browser import Glimpses
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.chosen_agent import ASKS, PLANS, SHOWS_TOOLS, THINKS, TITLES, WITHOUT, can
from tests.end_to_end.client import Client, eventually, texts
from tests.end_to_end.screens import NewSession, SessionScreen, Turn

GOAL = "write a small web app with a test and run it"
EXPECTED = demo_model.expected(GOAL, without=WITHOUT)
WRITTEN = {action.path: action.content for action in EXPECTED.actions if action.do == "write"}
COMMAND = next(action.command for action in EXPECTED.actions if action.do == "bash")


def test_a_newcomer_watches_the_agent_write_a_web_app_and_test_it(
    open_window: OpenWindow, owner: Client
) -> None:
    window = open_window()
    window.open()
    stages = Glimpses(window, "[data-testid=start-stages]")
    session = NewSession(window).start(GOAL)
    stages.expect("Box made")
    window.shot("starting")
    turn = session.last_turn()

    if can(ASKS):
        seen = [_allow(turn, "app.py"), _allow(turn, "test_app.py"), _allow(turn, COMMAND)]
        assert seen == sorted(set(seen), key=len), "It grows, and nothing that was shown changes."
    turn.wait()
    assert turn.stop_reason == "end_turn"
    window.shot("main-job")

    if can(PLANS):
        # Without a plan some of the parts come in one reply.
        assert turn.parts() == list(EXPECTED.messages)
    if can(THINKS):
        assert turn.parts("thought") == list(EXPECTED.thoughts)
    stored = owner.ended(session.id, turn.id)
    assert turn.text() == texts(stored) == "".join(EXPECTED.messages)
    turn.expect_text("The tests really ran in this session's box.")
    _check_tools(turn)
    if can(PLANS):
        _check_plan(session)
    session.expect_status("ready")
    sent, title = EXPECTED.usage, Usage()
    counted = sent.input + TITLES * title.input, sent.output + TITLES * title.output
    expect(turn.footer).to_contain_text(f"{counted[0]:,} in · {counted[1]:,} out")
    # What a call cost may come after the turn.
    eventually(
        lambda: owner.turn(session.id, turn.id)["usage"]["calls"] == EXPECTED.calls + TITLES,
        30,
        lambda: str(owner.turn(session.id, turn.id)["usage"]),
    )
    took = {stage["name"]: stage["elapsed_ms"] for stage in owner.session(session.id)["instance"]["stages"]}
    assert 0 <= took["sidecar"] <= took["box"] < took["agent"], took


def test_what_the_agent_wrote_can_be_read_and_downloaded(
    open_window: OpenWindow, worked: str, tmp_path: Path
) -> None:
    window = open_window(accept_downloads=True)
    session = SessionScreen(window, worked)
    page = window.page
    if can(SHOWS_TOOLS):
        expect(page.get_by_test_id("changed-file")).to_have_count(len(WRITTEN))
    session.open_files()
    expect(session.file("test_app.py")).to_be_visible()
    session.file("app.py").click()
    expect(page.get_by_test_id("file-text")).to_contain_text("def greeting(name: str) -> str:")
    window.shot("file")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    download.value.save_as(tmp_path / "app.py")
    assert download.value.suggested_filename == "app.py"
    assert (tmp_path / "app.py").read_text() == WRITTEN["app.py"].lstrip("\n")


def test_every_view_has_an_address_and_the_back_button_works(open_window: OpenWindow, worked: str) -> None:
    window = open_window()
    page = window.page
    window.open()
    page.locator(f'[data-testid=session-row][data-session="{worked}"]').get_by_role("link").click()
    session = SessionScreen(window)
    session.open_files()
    session.file("app.py").click()
    text = page.get_by_test_id("file-text")
    expect(text).to_be_visible()
    address = page.url
    page.go_back()
    expect(session.file("app.py")).to_be_visible()
    page.go_back()
    if can(SHOWS_TOOLS):
        expect(page.get_by_test_id("changed-file").first).to_be_visible()
    page.go_back()
    expect(NewSession(window).form).to_be_visible()
    page.go_forward()
    expect(session.composer).to_be_visible()
    page.goto(address)
    expect(text).to_contain_text("class App(BaseHTTPRequestHandler):")
    page.get_by_role("link", name="Line 20", exact=True).click()
    page.wait_for_url("**line=20*")
    page.reload()
    expect(page.get_by_test_id("marked-line")).to_have_attribute("data-line", "20")


def test_a_session_that_sleeps_is_woken_by_a_prompt_and_has_forgotten_nothing(
    open_window: OpenWindow, worked: str, owner: Client
) -> None:
    window = open_window()
    session = SessionScreen(window, worked)
    before = session.last_turn()
    text, generation = before.text(), owner.session(worked)["generation"]
    session.choose("Put to sleep")
    session.expect_status("asleep")
    session.expect_connection("asleep")
    expect(session.composer).to_have_attribute("placeholder", "Send a prompt to wake the session…")
    expect(session.open_files()).to_contain_text("Its files are kept")
    window.shot("asleep")
    stages = Glimpses(window, "[data-testid=start-stages]")
    turn = session.send("and once more, please")
    stages.expect("Starting the box")
    turn.wait()
    # Both the model's script and the command's output show that the box has its conversation and files.
    assert turn.text() == demo_model.expected_text("and once more, please", again=True)
    _check_run(turn)
    assert before.text() == text
    expect(session.file("app.py")).to_be_visible()
    assert owner.session(worked)["generation"] == generation + 1


@pytest.fixture(scope="module")
def worked(owner: Client) -> str:
    """A session in which the main job is done, its box still live."""
    session = owner.new_session(mode="auto", title="Main job")
    owner.ended(session, owner.prompt(session, GOAL))
    return session


def _allow(turn: Turn, what: str) -> str:
    """Allows what the agent asks for next; what of the turn's text was shown by then."""
    card = turn.asked()
    expect(card.box).to_contain_text(what)
    shown = turn.text()
    assert "".join(EXPECTED.messages).startswith(shown)
    card.allow()
    card.expect_outcome("Allowed once by you")
    return shown


def _check_tools(turn: Turn) -> None:
    states = turn.tools.evaluate_all("tools => tools.map(({dataset}) => [dataset.kind, dataset.status])")
    assert {status for _, status in states} == {"completed"}
    run = turn.tool("execute").last
    expect(run).to_contain_text(COMMAND)
    if can(SHOWS_TOOLS):
        assert [kind for kind, _ in states].count("edit") == len(WRITTEN)
    _check_run(turn)


def _check_run(turn: Turn) -> None:
    """The last command ran the tests."""
    if can(SHOWS_TOOLS):
        run = turn.tool("execute").last
        run.get_by_role("button").first.click()
        expect(run.get_by_test_id("tool-output")).to_contain_text("Ran 4 tests")


def _check_plan(session: SessionScreen) -> None:
    plan = session.page.get_by_test_id("plan")
    expect(plan).to_contain_text("Plan 3/3")
    plan.get_by_role("button").click()
    expect(plan.get_by_role("listitem")).to_have_count(3)
    expect(plan.get_by_role("listitem")).to_contain_text(["done", "done", "done"])
