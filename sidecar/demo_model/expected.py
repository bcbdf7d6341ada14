"""What a prompt will make the demo model say, from the same scripts: for tests that compare texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sidecar.demo_model import play, scripts
from sidecar.demo_model.scripts import Usage
from sidecar.demo_model.wires.base import Text, Thought


@dataclass(frozen=True)
class Expected:
    """A whole turn: its texts and thoughts, one entry per reply that has them, and the sum of its usage."""

    messages: tuple[str, ...]
    thoughts: tuple[str, ...]
    actions: tuple[scripts.Action, ...]
    calls: int
    usage: Usage


def expected(
    prompt: str,
    *,
    results: Sequence[str] | None = None,
    again: bool = False,
    without: Collection[str] = (),
) -> Expected:
    """The turn that `prompt` plays in an agent that offers every tool, or all `without` those of actions.

    `results` are the tools' results in order, for scripts that quote them or depend on them; without them
    every tool is taken to succeed. `again`: an earlier free prompt stands in the same conversation.
    """
    call = scripts.named(prompt) or scripts.call(scripts.AGAIN if again else scripts.DEFAULT)
    messages: list[str] = []
    thoughts: list[str] = []
    actions: list[scripts.Action] = []
    usages: list[Usage] = []
    for step in call.script.step:
        if step.page or (step.fail and not (step.fail.counted and call.count)):
            break
        known = (step.needs,) if results is None else results[: len(actions)]
        parts = play.said(step, call, known)
        messages += [part.sent for part in parts if isinstance(part, Text)]
        thoughts += [part.text for part in parts if isinstance(part, Thought)]
        offered = [play.filled(action, call) for action in step.action if action.do not in without]
        actions += offered
        ended = step.then in ("cut", "garbage", "error")
        # A step whose tools are not offered is said in one reply with the next.
        runs_on = step.action and not offered and step is not call.script.step[-1]
        if not ended and not runs_on:
            usages.append(step.usage)
    total = Usage(
        input=sum(usage.input for usage in usages),
        output=sum(usage.output for usage in usages),
        cached=sum(usage.cached for usage in usages),
        reasoning=sum(usage.reasoning for usage in usages),
    )
    return Expected(tuple(messages), tuple(thoughts), tuple(actions), len(usages), total)


def expected_text(prompt: str, *, results: Sequence[str] | None = None, again: bool = False) -> str:
    """Everything that the turn says to the user, in one piece."""
    return "".join(expected(prompt, results=results, again=again).messages)
