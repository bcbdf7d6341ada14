"""What the fake agent can do in a turn, as plain data, and the demo model's scripts in these words."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sidecar.demo_model import play, scripts
from sidecar.demo_model.wires.base import Text, Thought
from sidecar.protocol.messages import Diff, ErrorClass, PlanEntry, Question, QuestionOption, ToolKind


@dataclass(frozen=True)
class Say:
    """Stream these pieces as one part of the answer, `pause` seconds before each."""

    pieces: Sequence[str]
    pause: float = 0.0


@dataclass(frozen=True)
class Think(Say):
    """The same as a thought."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """Call a tool. With `permission` it asks first, for `patterns`, unless the mode allows it.

    A rejected tool does not run; without a message the rejection ends the turn.
    """

    name: str
    tool_kind: ToolKind = "other"
    title: str = ""
    input: dict[str, str] = field(default_factory=dict)
    output: Sequence[str] = ()
    pause: float = 0.0
    permission: str = ""
    patterns: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    command: str = ""
    diff: Diff | None = None
    fails: str = ""


@dataclass(frozen=True)
class AskQuestion:
    """Ask, and wait for the answer."""

    questions: Sequence[Question]


@dataclass(frozen=True)
class MakePlan:
    """Publish the plan."""

    entries: Sequence[PlanEntry]


@dataclass(frozen=True)
class Delegate:
    """Let a sub-agent do these steps."""

    title: str
    steps: Sequence[Step]


@dataclass(frozen=True)
class Retry:
    """Report that the provider is asked again later, and wait."""

    message: str = "The provider is busy."
    retry_at: str = "2030-01-01T00:00:00.000Z"
    seconds: float = 3600.0


@dataclass(frozen=True)
class Fail:
    """End the turn with an error."""

    error_class: ErrorClass
    message: str = "It failed as told."


@dataclass(frozen=True)
class Crash:
    """The agent's process dies."""


@dataclass(frozen=True)
class Hang:
    """Nothing happens any more."""


@dataclass(frozen=True)
class Until:
    """Go on when the test sets the event."""

    event: asyncio.Event


Step = Say | Think | Use | AskQuestion | MakePlan | Delegate | Retry | Fail | Crash | Hang | Until

_CLASSES: dict[str, ErrorClass] = {
    "auth": "provider_auth",
    "forbidden": "provider_auth",
    "quota": "provider_quota",
    "rate_limit": "provider_rate_limit",
    "server": "provider_unavailable",
    "unavailable": "provider_unavailable",
    "context": "context_too_long",
    "model": "unknown_model",
}


def pieces_of(text: str) -> list[str]:
    """Words with the space after them."""
    return re.findall(r"\S+\s*|\s+", text)


def from_demo(prompt: str, results: list[str], earlier: Iterable[str] = ()) -> Iterator[Step]:
    """The steps of the demo script that `prompt` names; `results` grows while they are carried out.

    A free prompt plays another one when there is a free one among the `earlier` prompts.
    """
    free_before = any(scripts.named(text) is None for text in earlier)
    call = scripts.named(prompt) or scripts.call(scripts.AGAIN if free_before else scripts.DEFAULT)
    for step in call.script.step:
        if step.fail is not None:
            if step.fail.counted and call.count:
                yield Retry(seconds=0.01)
            else:
                yield from _failing(step.fail.kind)
                return
        for part in play.said(step, call, results):
            if isinstance(part, Thought):
                yield Think(pieces_of(part.text))
            elif isinstance(part, Text):
                yield Say(pieces_of(part.sent), call.pace or 0.0)
        if step.then == "pause":
            yield Hang()
        elif step.then in ("cut", "garbage", "error"):
            yield Fail("provider_bad_response")
            return
        for action in step.action:
            filled = play.filled(action, call)
            yield _slow_command(filled, call) if call.name == "tools" else _action(filled)


def _slow_command(action: scripts.Action, call: scripts.Call) -> Use:
    ticks = [f"tick {number + 1} of {call.count}\n" for number in range(call.count)]
    return dataclasses.replace(_command(action), output=ticks, pause=call.seconds)


def _failing(kind: str) -> Iterator[Step]:
    error_class = _CLASSES[kind]
    if error_class in ("provider_rate_limit", "provider_unavailable"):
        yield Retry()
    yield Fail(error_class)


def _action(action: scripts.Action) -> Step:
    match action.do:
        case "write" | "edit":
            return _writing(action)
        case "bash":
            return _command(action)
        case "read":
            return Use(
                name="read", tool_kind="read", title=action.path, input={"path": action.path}, output=["read"]
            )
        case "todo":
            entries = [PlanEntry(content=words, status=status) for words, status in action.todos]  # type: ignore[arg-type]
            return MakePlan(entries)
        case "ask":
            options = [QuestionOption(label=option) for option in action.options]
            return AskQuestion([Question(question=action.question, header=action.header, options=options)])
        case "task":
            return Delegate(action.description, list(from_demo(action.prompt, [])))


def _writing(action: scripts.Action) -> Use:
    lines = "".join(f"+{line}\n" for line in (action.content or action.new).splitlines())
    outside = action.path.startswith("/")
    return Use(
        name=action.do,
        tool_kind="edit",
        title=action.path,
        input={"path": action.path},
        output=[f"Wrote {action.path}."],
        permission="external_directory" if outside else "edit",
        patterns=(action.path,),
        always=("*",),
        diff=Diff(
            path=action.path, patch=f"--- a\n+++ b\n@@ -0,0 +1 @@\n{lines}", additions=lines.count("\n")
        ),
    )


def _command(action: scripts.Action) -> Use:
    return Use(
        name="bash",
        tool_kind="execute",
        title=action.description or action.command,
        input={"command": action.command},
        output=[f"{line}\n" for line in action.command.splitlines()],
        permission="bash",
        patterns=(action.command,),
        always=(f"{action.command.split()[0]} *",) if action.command.split() else (),
        command=action.command,
    )
