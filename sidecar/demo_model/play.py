"""Which reply a request gets: pure, so the same request always gets the same reply.

The server keeps no conversation: the step of the script is the number of tool calls that the conversation
already holds since the prompt. Only failures that happen a number of times are counted by the server.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sidecar.demo_model import scripts, tools
from sidecar.demo_model.scripts import Call, Failure, Step
from sidecar.demo_model.wires.base import Asked, Fault, Part, Reply, Text, Thought, ToolUse, short_id

# What agents put before or into a person's words: reminders, where they are, what day it is.
_ADDED = re.compile(
    r"<(system-reminder|session_context|environment_context|current_datetime)>.*?</\1>", re.DOTALL
)
_QUOTED_RESULT = 400

MESSAGES = {
    "auth": "Incorrect API key provided. (Scripted by the demo model.)",
    "forbidden": "This key may not use the model. (Scripted by the demo model.)",
    "quota": "You exceeded your current quota, check your plan and billing. (Scripted by the demo model.)",
    "rate_limit": "Rate limit reached, try again later. (Scripted by the demo model.)",
    "server": "The server had an error while processing your request. (Scripted by the demo model.)",
    "unavailable": "The engine is currently overloaded. (Scripted by the demo model.)",
    "context": "prompt is too long: this model's maximum context length is 128000 tokens, however your "
    "messages resulted in 130012 tokens. (Scripted by the demo model.)",
    "model": "The model does not exist or you do not have access to it. (Scripted by the demo model.)",
}


@dataclass(frozen=True)
class Turn:
    """The part of a conversation that matters: the newest prompt and what followed it."""

    prompt: str
    free_before: bool
    calls: int
    results: tuple[str, ...]


@dataclass(frozen=True)
class Played:
    """What the server does with a request: fail, or send `reply` in the script's pace."""

    script: str
    step: int
    reply: Reply
    pace: float | None = None
    seconds: float = 0.0
    is_late: bool = False
    failure: Failure | None = None
    failures: int = 0
    page: str = ""


def fault(failure: Failure) -> Fault:
    """The provider's error for a scripted failure."""
    return Fault(failure.status, failure.kind, MESSAGES[failure.kind])


def turn_of(asked: Asked) -> Turn:
    """The newest prompt of the conversation, and the tool calls and results since."""
    prompts: list[str] = []
    calls = 0
    results: list[str] = []
    for entry in asked.history:
        if entry.role == "user":
            if text := _ADDED.sub("", entry.text).strip():
                prompts.append(text)
                calls, results = 0, []
        elif entry.role == "call":
            calls += 1
        elif entry.role == "result":
            results.append(entry.text)
    free_before = any(scripts.named(earlier) is None for earlier in prompts[:-1])
    prompt = prompts[-1] if prompts else ""
    return Turn(prompt=prompt, free_before=free_before, calls=calls, results=tuple(results))


def play(asked: Asked) -> Played:
    """The reply to `asked`."""
    turn = turn_of(asked)
    call = scripts.named(turn.prompt)
    number = short_id(asked.model, *(entry.role + entry.text for entry in asked.history))
    if not asked.tools and (call is None or asked.system):
        if (stubborn := _stubborn(asked)) is not None:
            return _step(asked, turn, stubborn, number)
        return Played("title", 0, Reply(number, asked.model, (Text(title(turn.prompt)),)))
    if call is None:
        call = scripts.call(scripts.AGAIN if turn.free_before else scripts.DEFAULT)
    return _step(asked, turn, call, number)


def _stubborn(asked: Asked) -> Call | None:
    """The script of an earlier prompt that lets no summary be made; titles are made all the same."""
    if "title" in asked.system.lower():
        return None
    calls = (scripts.named(entry.text) for entry in asked.history if entry.role == "user")
    return next((call for call in calls if call is not None and call.script.stubborn), None)


def _step(asked: Asked, turn: Turn, call: Call, number: str) -> Played:
    """The reply of the script's current step; steps whose tools are not offered run on into the next."""
    directory = tools.working_directory(asked.system)
    done = 0
    parts: list[Part] = []
    current = 0, call.script.step[0]
    for current in enumerate(call.script.step):
        step = current[1]
        adapted = [tools.adapt(filled(action, call), asked.tools, directory) for action in step.action]
        offered = [tool for tool in adapted if tool is not None]
        if done < turn.calls and offered:
            done += len(offered)
            continue
        if done >= turn.calls:
            parts += said(step, call, turn.results)
            parts += [ToolUse(short_id(number, place), *tool) for place, tool in enumerate(offered)]
            if offered or step.fail or step.page:
                break
    index, step = current
    return Played(
        script=call.name,
        step=index,
        reply=Reply(number, asked.model, tuple(parts), step.usage),
        pace=call.pace,
        seconds=call.seconds,
        is_late=step.late,
        failure=step.fail,
        failures=call.count if step.fail and step.fail.counted else 0,
        page=step.page,
    )


def said(step: Step, call: Call, results: Sequence[str]) -> list[Part]:
    """What a step thinks and says, its templates filled."""
    result = results[-1].strip()[:_QUOTED_RESULT] if results else ""
    lines = step.text
    if step.needs and not any(step.needs in text for text in results):
        lines = step.otherwise
    text = call.fill(lines, result=result)
    if step.words:
        text += scripts.words(call.count)
    parts: list[Part] = []
    if step.think:
        parts.append(Thought(call.fill(step.think, result=result).rstrip()))
    if text or step.after:
        # No white space at the end: agents strip it, and what is shown shall equal what is sent.
        text = text.rstrip()
        parts.append(Text(text + call.fill(step.after, result=result), mark=len(text), event=step.then))
    return parts


def filled(action: scripts.Action, call: Call) -> scripts.Action:
    """The action with the prompt's arguments in it."""
    texts = ("path", "content", "old", "new", "command", "description", "prompt", "question")
    return msgspec.structs.replace(action, **{name: call.fill(getattr(action, name)) for name in texts})


def title(prompt: str) -> str:
    """A short title made from the prompt, for requests that only want one."""
    call = scripts.named(prompt)
    if call is not None:
        return f"Demo: {call.name}"
    lines = [line.strip().strip("\"'") for line in prompt.splitlines() if line.strip()]
    words = (lines[0] if lines else "Scripted demo").split()[:8]
    text = " ".join(words)[:48].rstrip(" ,.;:")
    return text[:1].upper() + text[1:]
