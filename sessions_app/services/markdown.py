"""A conversation as Markdown, for people to keep, to read elsewhere and to hand on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

MOST_OUTPUT = 20_000
"""Characters of the output of one tool: its end."""

_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`\n]*$)|~{3,})[ \t]*(.*)$", re.MULTILINE)
_VERBS = {"read": "Read", "edit": "Edited", "delete": "Deleted", "move": "Moved", "search": "Searched"} | {
    "execute": "Ran",
    "fetch": "Fetched",
}
_CHOICES = {"once": "allowed once", "session": "allowed for the session", "always": "always allowed"} | {
    "reject": "rejected",
    "never": "never allowed",
    "lost": "not answered",
}


def render(conversation: Json, *, title: str) -> str:
    """The whole of it. What tools printed cannot end the block that it is in, and is cut to its end."""
    parts = [f"# {_line(title) or 'Session'}"]
    if agent := conversation["agent"]:
        parts.append(f"Agent: {_line(agent['name'])} {_line(agent['version'])}")
    if conversation.get("omitted_before"):
        parts.append("*This conversation is too long to be here as a whole: what came before is left out.*")
    for turn in conversation["turns"]:
        parts += _turn(turn)
    return "\n\n".join(parts) + "\n"


def _turn(turn: Json) -> Iterator[str]:
    who, when = _line(turn["by"]) or "Prompt", turn["started_at"][:19].replace("T", " ")
    yield f"## {who}, {when} UTC"
    if turn["prompt"]:
        yield _quoted(turn["prompt"])
    for item in turn["items"]:
        write = _ITEMS.get(item["type"])
        if write is not None and (text := write(item)):
            yield text
    if turn["status"] == "running":
        yield "*The agent is still working on this.*"
    elif turn["stop_reason"] != "end_turn":
        yield f"*Ended: {_line(turn['stop_reason'] or '').replace('_', ' ')}*"
    if error := turn["error"]:
        yield f"*Error: {_line(error.get('message', ''))}*"


def _message(item: Json) -> str:
    text = str(item["text"]).strip()
    # One that was broken off in the midst of a block would swallow what follows.
    opened = ""
    for fence, rest in _FENCE.findall(text):
        if not opened:
            opened = fence
        elif fence.startswith(opened) and not rest.strip():
            # With a language behind it, it is text of the block.
            opened = ""
    return f"{text}\n{opened}" if opened else text


def _thought(item: Json) -> str:
    text = str(item["text"]).strip()
    return _quoted(f"Thought: {text}") if text else ""


def _tool(item: Json) -> str:
    given = item["input"]
    target = next((given[name] for name in ("command", "filePath", "path", "url") if given.get(name)), "")
    what = _code(str(target or item["title"] or item["name"]))
    parts = [f"**{_VERBS.get(item['tool_kind'], 'Used')}** {what} ({item['status'].replace('_', ' ')})"]
    parts += [_block(diff["patch"], "diff") for diff in item["diffs"] if diff.get("patch")]
    if output := item["output"]:
        is_cut = len(output) > MOST_OUTPUT or item["output_omitted"] or item["output_gap"]
        parts.append(_block(("[Only the end.]\n" if is_cut else "") + output[-MOST_OUTPUT:]))
    if item["error"]:
        parts.append(f"*Error: {_line(item['error'])}*")
    return "\n\n".join(parts)


def _permission(item: Json) -> str:
    subject = item["command"] or item["path"] or item["host"] or item["title"]
    answer = _CHOICES.get(item["choice"], "answered") if item["state"] != "pending" else "waits for an answer"
    who = f" by {_line(item['user'])}" if item["user"] else ""
    said = f": {_line(item['message'])}" if item["message"] else ""
    return f"*Permission for* {_code(subject)}*: {answer}{who}{said}*"


def _error(item: Json) -> str:
    return f"*Error: {_line(item['message'])}*"


_ITEMS: dict[str, Callable[[Json], str]] = {
    "message": _message,
    "thought": _thought,
    "tool": _tool,
    "permission": _permission,
    "error": _error,
}


def _line(text: str) -> str:
    """In one line, with nothing in it that Markdown would read as its own."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", " ".join(text.split()))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _code(text: str) -> str:
    text = " ".join(text.split())
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks} {text} {ticks}" if "`" in text else f"`{text}`"


def _block(text: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
