"""What the agent says about a tool call, as the fields of our `tool.upsert`."""

from __future__ import annotations

import contextlib
import difflib
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from sidecar.agents import text
from sidecar.protocol.messages import Diff, Location, ToolKind, ToolStatus

MAX_INPUT_STRING = 16 * 1024
MAX_INPUT = 64 * 1024
MAX_PATCH = 64 * 1024
MAX_DIFFS = 32
MAX_DIFF_LINES = 2000
MAX_PATH = 1024
MAX_ERROR = 2000
MAX_OUTPUT = 1024 * 1024

_KINDS: tuple[ToolKind, ...] = get_args(ToolKind)
_STATUSES: dict[str, ToolStatus] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "failed": "failed",
}
_SHELLS = frozenset({"sh", "bash", "/bin/sh", "/bin/bash", "/usr/bin/bash"})
_WRAPPED = tuple(f"{shell} -" for shell in _SHELLS)


def kind(given: Mapping[str, Any]) -> ToolKind | None:
    """The kind of the call, None while it is not said."""
    said = given.get("kind")
    if not isinstance(said, str):
        return None
    return next((known for known in _KINDS if known == said), "think" if said == "switch_mode" else "other")


def status(given: Mapping[str, Any]) -> ToolStatus | None:
    """The status, None for one that we do not know."""
    said = given.get("status")
    return _STATUSES.get(said) if isinstance(said, str) else None


def arguments(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments, cut to size; None while there are none. A command is a line, however it was given."""
    value = text.bounded(given.get("rawInput"), string=MAX_INPUT_STRING, total=MAX_INPUT)
    if said := command(given):
        value["command"] = text.clip(said, MAX_INPUT_STRING)
    return value or None


def command(given: Mapping[str, Any]) -> str:
    """The command that the call runs, empty when it names none."""
    raw = text.mapping(given.get("rawInput"))
    said = raw.get("command", raw.get("cmd"))
    if isinstance(said, list):
        words = [text.clean(word) for word in text.items(said)]
        return _unwrapped(words) or shlex.join(words)
    line = text.clean(said)
    if line.startswith(_WRAPPED):
        with contextlib.suppress(ValueError):
            return _unwrapped(shlex.split(line)) or line
    if not line and not raw and given.get("kind") == "execute":
        return text.clean(given.get("title"))  # Gemini CLI says it nowhere else.
    return line


def directory(given: Mapping[str, Any]) -> str:
    """Where the command runs, empty when that is not said."""
    raw = text.mapping(given.get("rawInput"))
    return next((said for name in ("cwd", "workdir") if (said := text.line(raw.get(name), MAX_PATH))), "")


def locations(given: Mapping[str, Any], workspace: str) -> list[Location] | None:
    """The places that the call touches, None when it names none."""
    places = [text.mapping(entry) for entry in text.items(given.get("locations"))]
    found = [
        Location(path=relative(path, workspace), line=text.number(place.get("line"), most=2**31))
        for place in places
        if (path := text.clean(place.get("path")))
    ]
    return found or None


def diffs(given: Mapping[str, Any], workspace: str) -> list[Diff] | None:
    """The changes to files that the call makes, None when it shows none."""
    entries = [text.mapping(entry) for entry in text.items(given.get("content"), MAX_DIFFS)]
    found = [_diff(entry, workspace) for entry in entries if entry.get("type") == "diff"]
    return [diff for diff in found if diff is not None] or None


def is_new_file(given: Mapping[str, Any]) -> bool:
    """Whether the first change that the call shows makes a file."""
    entries = [text.mapping(entry) for entry in text.items(given.get("content"), MAX_DIFFS)]
    return any(entry.get("type") == "diff" and not entry.get("oldText") for entry in entries[:1])


def shown(given: Mapping[str, Any]) -> str | None:
    """What the call shows for people as a whole, None when it shows no text."""
    entries = [text.mapping(entry) for entry in text.items(given.get("content"))]
    blocks = [text.mapping(entry.get("content")) for entry in entries if entry.get("type") == "content"]
    texts = [text.clean(block.get("text")) for block in blocks if block.get("type") == "text"]
    return "\n".join(texts)[-MAX_OUTPUT:] if texts else None


def relative(path: str, workspace: str) -> str:
    """`path` as seen from the workspace if it lies in it, else as it is; at most MAX_PATH long."""
    return text.line(path.removeprefix(workspace.rstrip("/") + "/"), MAX_PATH)


def is_outside(path: str) -> bool:
    """Whether a relative path leads out of the workspace."""
    return path.startswith(("/", "~")) or ".." in path.split("/")


def _unwrapped(words: Sequence[str]) -> str:
    """The line of `bash -lc LINE`, empty for anything else."""
    is_wrapped = len(words) == 3 and words[0] in _SHELLS and words[1] in ("-c", "-lc")
    return words[2] if is_wrapped else ""


def _diff(entry: Mapping[str, Any], workspace: str) -> Diff | None:
    name = relative(text.clean(entry.get("path")), workspace)
    old, new = text.clean(entry.get("oldText")), text.clean(entry.get("newText"))
    if not name or old == new:
        return None
    before, after = old.splitlines(), new.splitlines()
    hunks = _hunks(before, after)
    patch = "\n".join(hunks)
    if len(patch) > MAX_PATCH:
        cut = patch.rfind("\n", 0, MAX_PATCH)
        patch = f"{patch[: max(cut, 0)]}\n\\ {len(patch) - max(cut, 0)} more characters"
    return Diff(
        path=name,
        patch=f"--- a/{name}\n+++ b/{name}\n{patch}\n",
        additions=sum(line.startswith("+") for line in hunks),
        deletions=sum(line.startswith("-") for line in hunks),
    )


def _hunks(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The lines of a unified diff; for texts too long to compare, everything old and everything new."""
    if len(before) + len(after) > MAX_DIFF_LINES:
        span = f"@@ -1,{len(before)} +1,{len(after)} @@"
        return [span, *(f"-{line}" for line in before), *(f"+{line}" for line in after)]
    return list(difflib.unified_diff(before, after, lineterm=""))[2:]
