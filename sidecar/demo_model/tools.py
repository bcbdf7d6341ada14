"""From a script's neutral action to a call of a tool that the asking agent really offers.

Each agent names its tools and their arguments differently; one function per action knows the variants.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.demo_model.scripts import Action


@dataclass(frozen=True)
class Offered:
    """One tool of a request: its JSON schema, and whether it takes free text in place of JSON arguments."""

    schema: Mapping[str, Any]
    freeform: bool = False


Tools = Mapping[str, Offered]
ToolCall = tuple[str, dict[str, Any] | str]


def adapt(action: Action, tools: Tools, directory: str) -> ToolCall | None:
    """The call for `action` among `tools`, None when the agent offers nothing that fits."""
    return _ADAPTERS[action.do](action, _Offer(tools), directory)


def working_directory(system: str) -> str:
    """The directory that the agent says it works in, empty when it does not say."""
    for pattern in _DIRECTORY:
        if match := pattern.search(system):
            return match[1].rstrip(".`")
    return ""


_DIRECTORY = (
    re.compile(r"[Ww]orking directory: ([^\s\\<]+)"),
    re.compile(r"<cwd>([^<]+)</cwd>"),
    re.compile(r"current working directory(?: is)?:? `?([/\w.\-]+)"),
    re.compile(r"Workspace (?:Directories|Root)[^/]{0,40}(/[\w./\-]+)"),
)


class _Offer:
    """Looks tools up by name without regard to case."""

    def __init__(self, tools: Tools) -> None:
        self._by_name = {name.lower(): (name, tool) for name, tool in tools.items()}

    def first(self, *names: str) -> tuple[str, Offered] | None:
        return next((self._by_name[name] for name in names if name in self._by_name), None)


def _has(tool: Offered, name: str) -> bool:
    return name in tool.schema.get("properties", {})


def _path_key(tool: Offered) -> str:
    names = ("filePath", "file_path", "absolute_path", "path")
    return next((name for name in names if _has(tool, name)), "file_path")


def _absolute(path: str, directory: str) -> str:
    return path if path.startswith("/") or not directory else f"{directory.rstrip('/')}/{path}"


def _write(action: Action, offer: _Offer, directory: str) -> ToolCall | None:
    path = _absolute(action.path, directory)
    if found := offer.first("write", "write_file"):
        name, tool = found
        return name, {_path_key(tool): path, "content": action.content}
    if found := offer.first("create"):
        return found[0], {"path": path, "file_text": action.content}
    if found := offer.first("apply_patch"):
        lines = "".join(f"+{line}\n" for line in action.content.splitlines())
        return _patch(found, f"*** Add File: {action.path}\n{lines}")
    command = f"printf %s {shlex.quote(action.content)} > {shlex.quote(path)}"
    return _bash(Action(do="bash", command=command, description="Write a file"), offer, directory)


def _patch(found: tuple[str, Offered], change: str) -> ToolCall:
    name, tool = found
    patch = f"*** Begin Patch\n{change}*** End Patch\n"
    if tool.freeform:
        return name, patch
    return name, {"patchText" if _has(tool, "patchText") else "input": patch}


def _edit(action: Action, offer: _Offer, directory: str) -> ToolCall | None:
    path = _absolute(action.path, directory)
    if found := offer.first("edit", "replace"):
        name, tool = found
        camel = _has(tool, "oldString")
        old, new = ("oldString", "newString") if camel else ("old_string", "new_string")
        why = {"instruction": "Change a line."} if _has(tool, "instruction") else {}
        return name, {_path_key(tool): path, old: action.old, new: action.new, **why}
    if found := offer.first("apply_patch"):
        removed = "".join(f"-{line}\n" for line in action.old.splitlines())
        added = "".join(f"+{line}\n" for line in action.new.splitlines())
        return _patch(found, f"*** Update File: {action.path}\n@@\n{removed}{added}")
    return None


def _bash(action: Action, offer: _Offer, directory: str) -> ToolCall | None:
    description = action.description or "Run a command of the demo"
    if found := offer.first("bash", "run_shell_command", "shell_command"):
        return found[0], {"command": action.command, "description": description}
    if found := offer.first("exec_command"):
        return found[0], {"cmd": action.command}
    if found := offer.first("shell", "local_shell"):
        return found[0], {"command": ["bash", "-lc", action.command]}
    found = offer.first("exec")
    if found and found[1].freeform:
        run = f"tools.exec_command({{cmd: {json.dumps(action.command)}}})"
        return found[0], f"text(JSON.stringify(await {run}));\n"
    return None


def _read(action: Action, offer: _Offer, directory: str) -> ToolCall | None:
    path = _absolute(action.path, directory)
    if found := offer.first("read", "read_file", "view"):
        name, tool = found
        return name, {_path_key(tool): path}
    command = f"cat {shlex.quote(path)}"
    return _bash(Action(do="bash", command=command, description="Read a file"), offer, directory)


def _todo(action: Action, offer: _Offer, directory: str) -> ToolCall | None:
    if found := offer.first("todowrite"):
        name, tool = found
        extra = "activeForm" if "activeForm" in json.dumps(dict(tool.schema)) else ""
        todos = [
            {"content": text, "status": status, extra or "priority": text if extra else "medium"}
            for text, status in action.todos
        ]
        return name, {"todos": todos}
    if found := offer.first("update_plan"):
        return found[0], {"plan": [{"step": text, "status": status} for text, status in action.todos]}
    if found := offer.first("write_todos"):
        return found[0], {"todos": [{"description": text, "status": status} for text, status in action.todos]}
    return None


def _ask(action: Action, offer: _Offer, directory: str) -> ToolCall | None:
    options = [{"label": option, "description": f"Choose {option}"} for option in action.options]
    question: dict[str, Any] = {"question": action.question, "header": action.header, "options": options}
    if found := offer.first("question"):
        multiple = {"multiple": True} if action.multiple else {}
        return found[0], {"questions": [{**question, **multiple}]}
    if found := offer.first("askuserquestion"):
        return found[0], {"questions": [{**question, "multiSelect": action.multiple}]}
    if found := offer.first("ask_user"):
        if _has(found[1], "questions"):
            return found[0], {"questions": [{**question, "type": "choice"}]}
        return found[0], {"question": action.question, "choices": list(action.options)}
    if found := offer.first("request_user_input"):
        return found[0], {"questions": [{"id": "question_1", **question}]}
    return None


def _task(action: Action, offer: _Offer, directory: str) -> ToolCall | None:
    found = offer.first("task", "agent")
    if found is None:
        return None
    subagent = "general" if found[0] == "task" else "general-purpose"
    return found[0], {"description": action.description, "prompt": action.prompt, "subagent_type": subagent}


_ADAPTERS: dict[str, Callable[[Action, _Offer, str], ToolCall | None]] = {
    "write": _write,
    "edit": _edit,
    "bash": _bash,
    "read": _read,
    "todo": _todo,
    "ask": _ask,
    "task": _task,
}
