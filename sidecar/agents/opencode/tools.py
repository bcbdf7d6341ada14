"""What OpenCode says about a tool call, as the fields of our `tool.upsert`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.agents import text
from sidecar.protocol.messages import Diff, Location, ToolKind, ToolStatus

MAX_INPUT_STRING = 16 * 1024
MAX_INPUT = 64 * 1024
MAX_PATCH = 64 * 1024
MAX_DIFFS = 32
MAX_PATH = 1024
MAX_ERROR = 2000

_KINDS: dict[str, ToolKind] = {
    "apply_patch": "edit",
    "bash": "execute",
    "codesearch": "search",
    "edit": "edit",
    "glob": "search",
    "grep": "search",
    "list": "read",
    "multiedit": "edit",
    "patch": "edit",
    "plan_enter": "think",
    "plan_exit": "think",
    "read": "read",
    "todoread": "think",
    "todowrite": "think",
    "webfetch": "fetch",
    "websearch": "fetch",
    "write": "edit",
}
_STATUSES: dict[str, ToolStatus] = {
    "pending": "pending",
    "running": "in_progress",
    "completed": "completed",
    "error": "failed",
}
_REJECTED = ("The user rejected permission", "The user dismissed this question")
_PATHS = ("filePath", "path", "filepath", "file")
_SUBJECTS = ("description", "command", "pattern", "query", "url", "name", *_PATHS)


def kind(tool: str) -> ToolKind:
    """The kind of a tool by its name."""
    return _KINDS.get(tool, "other")


def status(state: Mapping[str, Any]) -> ToolStatus | None:
    """The status, None for one that we do not know; a call that an abort ended was interrupted.

    Only the words of its error tell a call that a person did not allow from one that failed.
    """
    if text.mapping(state.get("metadata")).get("interrupted") is True:
        return "interrupted"
    said = state.get("status")
    if said == "error" and text.clean(state.get("error")).startswith(_REJECTED):
        return "rejected"
    return _STATUSES.get(said) if isinstance(said, str) else None


def title(tool: str, state: Mapping[str, Any], workspace: str) -> str:
    """What the call is about, in a line: OpenCode's own title, else the most telling argument."""
    arguments = text.mapping(state.get("input"))
    if tool == "bash":
        return text.line(arguments.get("description")) or text.line(arguments.get("command")) or tool
    if tool == "todowrite":
        return "Plan"
    if said := text.line(state.get("title")):
        return said
    for name in _SUBJECTS:
        if said := text.line(arguments.get(name)):
            return text.line(relative(said, workspace)) if name in _PATHS else said
    return tool


def arguments(state: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments, cut to size; None while the model has not finished writing them."""
    value = text.bounded(state.get("input"), string=MAX_INPUT_STRING, total=MAX_INPUT)
    return value or None


def locations(state: Mapping[str, Any], workspace: str) -> list[Location] | None:
    """The file that the call touches, None when it names none."""
    given = text.mapping(state.get("input"))
    path = next((said for name in _PATHS if (said := text.clean(given.get(name)))), "")
    if not path:
        return None
    return [Location(path=relative(path, workspace), line=text.number(given.get("offset"), most=2**31))]


def error(state: Mapping[str, Any]) -> str | None:
    """Why the call failed; also the exit code of a command that ended with one."""
    if said := text.clip(state.get("error"), MAX_ERROR):
        return said
    code = text.mapping(state.get("metadata")).get("exit")
    if state.get("status") == "completed" and isinstance(code, int) and code != 0:
        return f"exit code {text.number(code) or 1}"
    return None


def duration_ms(state: Mapping[str, Any]) -> int | None:
    """How long the call took, by the agent's clock."""
    times = text.mapping(state.get("time"))
    start, end = text.number(times.get("start")), text.number(times.get("end"))
    return end - start if 0 < start <= end else None


def diffs(metadata: Mapping[str, Any], workspace: str) -> list[Diff] | None:
    """Changes to files that a call, or the request to allow it, carries; None when there are none."""
    files = [text.mapping(entry) for entry in text.items(metadata.get("files"), MAX_DIFFS)]
    found = [_diff(entry.get("filePath"), entry.get("patch"), workspace) for entry in files]
    if not files:
        single = text.mapping(metadata.get("filediff"))
        path = single.get("file") or metadata.get("filepath")
        found = [_diff(path, single.get("patch") or metadata.get("diff"), workspace)]
    return [diff for diff in found if diff is not None] or None


def relative(path: str, workspace: str) -> str:
    """`path` as seen from the workspace if it lies in it, else as it is; at most MAX_PATH long."""
    inside = path.removeprefix(workspace.rstrip("/") + "/")
    return text.line(inside, MAX_PATH)


def _diff(path: object, patch: object, workspace: str) -> Diff | None:
    name = relative(text.clean(path), workspace)
    said = text.clean(patch)
    start = said.find("@@")
    if not name or start < 0:
        return None
    hunks = said[start:]
    lines = hunks.splitlines()
    if len(hunks) > MAX_PATCH:
        cut = hunks.rfind("\n", 0, MAX_PATCH)
        hunks = f"{hunks[: max(cut, 0)]}\n\\ {len(hunks) - max(cut, 0)} more characters"
    return Diff(
        path=name,
        patch=f"--- a/{name}\n+++ b/{name}\n{hunks}",
        additions=sum(line.startswith("+") for line in lines),
        deletions=sum(line.startswith("-") for line in lines),
    )
