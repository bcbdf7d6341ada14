"""How an agent's work is shown: thoughts folded, plans pinned, sub-agents nested, hostile text harmless."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import Request, expect

from sidecar import demo_model
from tests.end_to_end.browser import check_accessibility
from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.screens import SessionScreen


def test_thoughts_are_folded_and_can_be_read_and_kept_with_the_conversation(
    open_window: OpenWindow, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo reasoning").wait()
    expected = demo_model.expected("/demo reasoning")
    assert turn.parts("thought") == list(expected.thoughts)
    assert turn.parts() == list(expected.messages)
    inside = turn.article.get_by_text("Reasoning is streamed apart from the answer")
    expect(inside).not_to_be_visible()
    turn.article.get_by_role("button", name="thought for").click()
    expect(inside).to_be_visible()
    expect(turn.article.locator("strong", has_text="42")).to_be_visible()
    with session.page.expect_download() as download:
        session.choose("Download as Markdown")
    assert download.value.suggested_filename == "Shared.md"
    kept = download.value.path().read_text("utf-8")
    assert all(text.strip() in kept for text in expected.messages)
    assert "> Thought: " in kept


def test_a_plan_is_pinned_above_the_conversation(open_window: OpenWindow, shared: str) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo todo").wait()
    expect(turn.tools).to_have_count(0)
    expect(turn.article.get_by_text("updated the plan")).to_have_count(3)
    plan = session.page.get_by_test_id("plan")
    expect(plan).to_contain_text("Plan 3/3")
    plan.get_by_role("button").click()
    expect(plan.get_by_role("listitem")).to_contain_text(["Look around", "Do the work", "Check it"])
    states = plan.get_by_role("listitem").evaluate_all("steps => steps.map(step => step.dataset.status)")
    assert states == ["completed", "completed", "cancelled"]


def test_a_sub_agents_work_is_nested_and_its_questions_are_asked(
    open_window: OpenWindow, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo subagent")
    turn.asked().allow("session")
    turn.asked().allow()
    turn.wait().expect_text("The sub-agent is back; its work is done.")
    task = turn.tools.first
    task.get_by_role("button").first.click()
    inner = task.get_by_test_id("tool-card")
    expect(inner).to_have_count(2)
    expect(inner.first).to_contain_text("hello.txt")
    session.window.shot("subagent")


def test_an_edit_shows_what_changed_and_comments_on_it_become_a_prompt(
    open_window: OpenWindow, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    page = session.page
    session.choose_mode("Accept edits")
    turn = session.send("/demo edit").wait()
    edit = turn.tool("edit").last
    expect(edit).to_contain_text("+2 −1")
    edit.get_by_role("button").first.click()
    expect(edit.get_by_test_id("diff")).to_contain_text("- second: open")
    expect(edit.get_by_test_id("diff")).to_contain_text("- second and a half: new")
    page.get_by_test_id("changes-view").select_option("edits")
    changed = page.locator('[data-testid=changed-file][data-path="notes.md"]')
    expect(changed).to_contain_text("2 edits")
    session.window.shot("edit")
    session.choose_mode("Ask")
    changed.get_by_role("button").first.click()
    line = changed.locator(".group\\/line", has_text="second and a half")
    line.hover()
    line.get_by_test_id("comment-on-line").click()
    expect(page.get_by_test_id("comment-field")).to_be_focused()
    page.keyboard.type("Halves are no lines.")
    page.keyboard.press("Control+Enter")
    expect(changed.get_by_test_id("line-comment")).to_have_text("Halves are no lines.")
    check_accessibility(session.window, "review")
    page.reload()
    page.get_by_test_id("review-bar").get_by_role("button", name="Put into a prompt").click()
    expect(session.composer).to_have_value(
        re.compile(r"- notes\.md:\d+ `- second and a half: new`\n {2}Halves are no lines\.")
    )
    expect(page.get_by_test_id("review-bar")).to_have_count(0)
    session.composer.fill("")


def test_long_output_is_cut_until_somebody_wants_all_of_it(open_window: OpenWindow, shared: str) -> None:
    session = SessionScreen(open_window(), shared)
    turn = session.send("/demo flood 300")
    turn.asked().allow("session")
    turn.wait()
    run = turn.tool("execute")
    run.get_by_role("button").first.click()
    output = run.get_by_test_id("tool-output")
    expect(output).to_contain_text("line 300 of a flood")
    assert output.inner_text().count("\n") < 50
    run.get_by_role("button", name="Show all").click()
    expect(output).to_contain_text("line 1 of a flood")


def test_hostile_markdown_neither_runs_nor_loads_anything(open_window: OpenWindow, shared: str) -> None:
    window = open_window()
    asked: set[str] = set()

    def note(request: Request) -> None:
        asked.add(urlsplit(request.url).scheme + "://" + urlsplit(request.url).netloc)

    window.page.on("request", note)
    session = SessionScreen(window, shared)
    turn = session.send("/demo markdown").wait()
    page = window.page
    turn.expect_text("an unclosed code block with")
    window.shot("markdown")
    expect(turn.article.get_by_role("cell", name="TypeScript")).to_be_visible()
    assert page.evaluate("window.hacked === undefined")
    assert turn.article.locator("script, iframe, style, img, object, embed").count() == 0
    links = turn.article.locator("a")
    for address in links.evaluate_all("links => links.map(link => link.href)"):
        assert urlsplit(address).scheme in ("http", "https"), address
    expect(links.filter(has_text="looks like example.com")).to_contain_text("evil.example")
    assert set(links.evaluate_all("links => links.map(link => link.rel)")) == {"noopener noreferrer nofollow"}
    assert asked <= {window.url, window.url.replace("http", "ws", 1), "data://", "blob://"}, asked
