"""What an agent asks a person, as our `permission.asked`, and our answers in its words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from sidecar.agents import text
from sidecar.agents.acp import tools
from sidecar.protocol.messages import PermissionAsked, ToolKind

MAX_COMMAND = 16 * 1024
MAX_DIFF = 64 * 1024
MAX_RULE = 2000
MAX_OPTIONS = 20

CANCELLED: dict[str, Any] = {"outcome": {"outcome": "cancelled"}}

_WORDS: dict[ToolKind, str] = {
    "edit": "edit",
    "delete": "edit",
    "move": "edit",
    "execute": "bash",
    "fetch": "webfetch",
    "search": "search",
    "read": "read",
}
_LINE = "bash-line"
# Anything with which a shell would do more, or something else, than its first word says.
_SHELL = re.compile(r"[;&|`$()<>\n\\*?\[\]{}~!#'\"]")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One open request; `id` is ours. `always` is what "for this session" would allow."""

    type: Literal["tool", "question"]
    permission: str = ""
    patterns: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    options: Sequence[Any] = ()
    id: str = field(default_factory=lambda: str(uuid4()))

    def chosen(self, *, allow: bool) -> dict[str, Any]:
        """The answer: once if the agent offers that. "For this session" is remembered on our side."""
        kinds = ("allow_once", "allow_always") if allow else ("reject_once", "reject_always")
        for kind in kinds:
            for option in map(text.mapping, text.items(list(self.options), MAX_OPTIONS)):
                if option.get("kind") == kind:
                    return {"outcome": {"outcome": "selected", "optionId": option.get("optionId")}}
        return CANCELLED


def permission_request(given: Mapping[str, Any], options: object, workspace: str) -> Request:
    """A permission for the tool call of which `given` is everything known."""
    kind = tools.kind(given) or "other"
    permission = _WORDS.get(kind, kind)
    command = tools.command(given)
    paths = [place.path for place in tools.locations(given, workspace) or []]
    paths += [diff.path for diff in tools.diffs(given, workspace) or []]
    outside = tuple(path for path in paths if tools.is_outside(path))
    always: tuple[str, ...] = ()
    if permission == "edit" and outside:
        permission, patterns = "external_directory", outside
    elif permission == "edit":
        patterns, always = tuple(paths) or ("*",), ("*",)
    elif permission == "bash":
        # Apart from plain commands: "git *" must not cover a line in which git is only the beginning.
        permission = _LINE if _SHELL.search(command) else permission
        patterns, always = (command,), _rule_for(command)
    else:
        patterns = always = (text.line(given.get("title")) or kind,)
        always = always if "*" not in always[0] else ()
    return Request(
        type="tool",
        permission=permission,
        patterns=patterns,
        always=always,
        options=text.items(options, MAX_OPTIONS),
    )


def asked(
    request: Request, given: Mapping[str, Any], *, tool_call_id: str, workspace: str
) -> PermissionAsked:
    """What a person has to know to decide on it."""
    is_command = request.permission in ("bash", _LINE)
    command = text.clip(tools.command(given), MAX_COMMAND) if is_command else ""
    diffs = tools.diffs(given, workspace) or []
    path = diffs[0].path if diffs else ""
    rule = (
        f"{'bash' if is_command else request.permission}: {', '.join(request.always)}"
        if request.always
        else ""
    )
    return PermissionAsked(
        permission_id=request.id,
        type="tool",
        title=_title(request, given, path),
        tool_call_id=tool_call_id,
        command=command,
        cwd=(tools.directory(given) or workspace) if command else "",
        path=path,
        diff=text.clip("\n".join(diff.patch for diff in diffs), MAX_DIFF),
        rule=text.clip(rule, MAX_RULE),
    )


def _title(request: Request, given: Mapping[str, Any], path: str) -> str:
    match request.permission:
        case "bash" | "bash-line":
            return "Run a command"
        case "edit":
            return f"Edit {path}" if path else text.line(given.get("title")) or "Edit files"
        case "external_directory":
            return text.line(f"Leave the workspace: {request.patterns[0]}")
        case other:
            return text.line(f"Use {other}: {text.line(given.get('title'))}")


def _rule_for(command: str) -> tuple[str, ...]:
    """All calls of a plain command; where a shell makes more of it, this very line, and nothing with `*`."""
    if command.split() and not _SHELL.search(command):
        return (f"{command.split()[0]} *",)
    return (command,) if command and "*" not in command else ()
