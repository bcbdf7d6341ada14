"""Tool calls in our words."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.agents.opencode import tools
from sidecar.protocol.messages import Location

WORKSPACE = "/workspace"
HUNK = "@@ -1,2 +1,2 @@\n-old\n+new\n same\n"
PATCH = f"Index: /workspace/a.py\n====\n--- /workspace/a.py\n+++ /workspace/a.py\n{HUNK}"


@pytest.mark.parametrize(
    ("tool", "kind"),
    [
        ("bash", "execute"),
        ("write", "edit"),
        ("edit", "edit"),
        ("apply_patch", "edit"),
        ("read", "read"),
        ("list", "read"),
        ("glob", "search"),
        ("grep", "search"),
        ("webfetch", "fetch"),
        ("todowrite", "think"),
        ("task", "other"),
        ("mcp_whatever", "other"),
    ],
)
def test_kinds(tool: str, kind: str) -> None:
    assert tools.kind(tool) == kind


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"status": "pending"}, "pending"),
        ({"status": "running"}, "in_progress"),
        ({"status": "completed"}, "completed"),
        ({"status": "error"}, "failed"),
        ({"status": "error", "error": "The user rejected permission to use this tool call."}, "rejected"),
        ({"status": "error", "error": "The user dismissed this question"}, "rejected"),
        ({"status": "completed", "error": "The user rejected permission"}, "completed"),
        ({"status": "error", "metadata": {"interrupted": True}}, "interrupted"),
        ({"status": ["completed"]}, None),
        ({}, None),
    ],
)
def test_statuses(state: dict[str, Any], status: str | None) -> None:
    assert tools.status(state) == status


@pytest.mark.parametrize(
    ("tool", "state", "title"),
    [
        ("bash", {"input": {"command": "ls", "description": "List"}, "title": "ls"}, "List"),
        ("bash", {"input": {"command": "ls -la\nsecond"}}, "ls -la"),
        ("read", {"input": {"filePath": "/workspace/src/a.py"}}, "src/a.py"),
        ("write", {"title": "a.py", "input": {"filePath": "/workspace/b.py"}}, "a.py"),
        ("grep", {"input": {"pattern": "needle"}}, "needle"),
        ("todowrite", {"title": "3 todos"}, "Plan"),
        ("write", {"input": {}}, "write"),
        ("write", {"input": ["not an object"]}, "write"),
    ],
)
def test_titles(tool: str, state: dict[str, Any], title: str) -> None:
    assert tools.title(tool, state, WORKSPACE) == title


def test_arguments_are_cut_to_size() -> None:
    state = {"input": {"content": "x" * 1_000_000, "path": "a"}}
    assert len(str(tools.arguments(state))) < 20_000
    assert tools.arguments({"input": {}}) is None


def test_locations() -> None:
    state = {"input": {"filePath": "/workspace/a.py", "offset": 12}}
    assert tools.locations(state, WORKSPACE) == [Location(path="a.py", line=12)]
    assert tools.locations({"input": {"command": "ls"}}, WORKSPACE) is None


def test_a_diff_is_cleaned_and_counted() -> None:
    for metadata in (
        {"filediff": {"file": "/workspace/a.py", "patch": PATCH}},
        {"filepath": "/workspace/a.py", "diff": PATCH},
        {"files": [{"filePath": "/workspace/a.py", "patch": PATCH}]},
    ):
        (diff,) = tools.diffs(metadata, WORKSPACE) or []
        assert diff.path == "a.py"
        assert diff.patch == f"--- a/a.py\n+++ b/a.py\n{HUNK}"
        assert (diff.additions, diff.deletions) == (1, 1)


@pytest.mark.parametrize(
    "metadata",
    [{}, {"diff": 5}, {"files": "x"}, {"files": [None]}, {"filediff": {"file": "a"}}, {"diff": PATCH}],
)
def test_what_is_no_diff_is_none(metadata: dict[str, Any]) -> None:
    assert tools.diffs(metadata, WORKSPACE) is None


def test_a_huge_diff_is_cut_between_lines() -> None:
    patch = "@@ -0,0 +1,99999 @@\n" + "+a line of it\n" * 99_999
    (diff,) = tools.diffs({"filepath": "big", "diff": patch}, WORKSPACE) or []
    assert len(diff.patch) < tools.MAX_PATCH + 200
    assert diff.additions == 99_999
    *lines, last = diff.patch.splitlines()
    assert set(lines[3:]) == {"+a line of it"}
    assert last.endswith("more characters")


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/workspace/a", "a"), ("/workspace", "/workspace"), ("/etc/passwd", "/etc/passwd"), ("a/b", "a/b")],
)
def test_paths_are_seen_from_the_workspace(path: str, shown: str) -> None:
    assert tools.relative(path, WORKSPACE) == shown


def test_durations_and_errors() -> None:
    assert tools.duration_ms({"time": {"start": 100, "end": 250}}) == 150
    assert tools.duration_ms({"time": {"start": 250, "end": 100}}) is None
    assert tools.duration_ms({"time": "long"}) is None
    assert tools.error({"status": "completed", "metadata": {"exit": 2}}) == "exit code 2"
    assert tools.error({"status": "completed", "metadata": {"exit": 0}}) is None
    assert tools.error({"status": "error", "error": "no"}) == "no"
