"""What the modes allow, and how far a permission for the session reaches."""

from __future__ import annotations

import pytest

from sidecar.agents.policy import DEFAULT_MODE, MODES, Policy, known_mode, matches


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [
        ("ask", set()),
        ("accept_edits", {"edit"}),
        ("plan", set()),
        ("auto", {"edit", "bash", "webfetch", "read"}),
    ],
)
def test_a_mode_allows_exactly_this(mode: str, allowed: set[str]) -> None:
    policy = Policy(mode=mode)
    asked = ("edit", "bash", "webfetch", "read", "external_directory", "doom_loop")
    assert {permission for permission in asked if policy.allows(permission, ["anything"])} == allowed


def test_what_a_person_allowed_stays_allowed() -> None:
    policy = Policy()
    policy.allow("bash", ["git status *"])
    assert policy.allows("bash", ["git status", "git status --short"])
    assert not policy.allows("bash", ["git status", "git push"])
    assert not policy.allows("edit", ["git status"])
    assert not policy.allows("bash", [])


def test_a_plan_edits_nothing_even_if_edits_were_allowed() -> None:
    policy = Policy()
    policy.allow("edit", ["*"])
    assert policy.allows("edit", ["a.txt"])
    policy.mode = "plan"
    assert not policy.allows("edit", ["a.txt"])


def test_leaving_the_workspace_can_be_allowed_in_automatic_mode() -> None:
    policy = Policy(mode="auto")
    policy.allow("external_directory", ["/tmp/x/*"])
    assert policy.allows("external_directory", ["/tmp/x/*"])
    assert not policy.allows("external_directory", ["/etc/*"])


@pytest.mark.parametrize(
    ("wanted", "pattern", "covered"),
    [
        ("git status", "git *", True),
        ("git", "git *", True),
        ("github", "git *", False),
        ("git status", "git status", True),
        ("git status", "git", False),
        ("anything\nat all", "*", True),
        ("", "*", True),
        ("src/a.py", "src/*.py", True),
        ("src/a.pyc", "src/*.py", False),
        ("aXbYc", "a*b*c", True),
        ("aXcYb", "a*b*c", False),
        ("ab", "a*b*b", False),
        ("ls a?", "ls a?", True),
        ("ls ab", "ls a?", False),
        ("rm (x)", "rm (x) *", True),
        ("npm run *", "npm run *", True),
    ],
)
def test_patterns(wanted: str, pattern: str, covered: bool) -> None:
    assert matches(wanted, pattern) is covered


def test_a_hostile_pattern_costs_no_long_time() -> None:
    assert not matches("a" * 50_000, "*a" * 5_000 + "b")


def test_modes() -> None:
    assert [mode.id for mode in MODES] == ["ask", "accept_edits", "plan", "auto"]
    assert known_mode("auto") == "auto"
    assert known_mode("everything") == DEFAULT_MODE
    assert known_mode("", "plan") == "plan"
