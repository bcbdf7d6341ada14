"""Elicitation: a form that the agent wants filled in, as questions, and a person's answers as its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sidecar.agents import text
from sidecar.protocol.messages import PermissionAsked, Question, QuestionOption

MAX_QUESTIONS = 8
MAX_OPTIONS = 20
MAX_ANSWER = 4000

DECLINED: dict[str, Any] = {"action": "decline"}
_OWN_WORDS = ("_custom", "_note")
"""How the properties for a free answer end: Claude Code's, and Codex's."""
_NONE = "None of the above"
"""What Codex wants to have chosen by whoever answers in own words."""


@dataclass(frozen=True)
class _Field:
    """One property of the form: `values` by label; `own_words` names the property for a free answer.

    `otherwise` is the value of a property that has to have one beside a free answer.
    """

    name: str
    type: str
    question: Question
    values: dict[str, Any] = field(default_factory=dict)
    own_words: str = ""
    otherwise: Any = None


class Form:
    """A form; `asked` is what a person sees."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        holder = text.mapping(params.get("mode")) or params
        schema = text.mapping(holder.get("requestedSchema") or params.get("requestedSchema"))
        self.tool_call = holder.get("toolCallId") or params.get("toolCallId")
        properties = text.mapping(schema.get("properties"))
        message = text.clip(params.get("message"), 4000)
        shown = [name for name in properties if not _is_own_words(name, properties)][:MAX_QUESTIONS]
        self._fields = [_field(name, properties, message if len(shown) == 1 else "") for name in shown]
        self._message = message

    def asked(self, permission_id: str, tool_call_id: str) -> PermissionAsked:
        """The questions."""
        questions = [each.question for each in self._fields]
        title = questions[0].header or text.line(questions[0].question, 80) if questions else ""
        return PermissionAsked(
            permission_id=permission_id,
            type="question",
            title=title or text.line(self._message, 80) or "Question",
            tool_call_id=tool_call_id,
            questions=questions,
        )

    def accepted(self, answers: Sequence[Sequence[str]]) -> dict[str, Any]:
        """The agent's answer for a person's, one list of labels for each question."""
        content: dict[str, Any] = {}
        for each, labels in zip(self._fields, answers, strict=False):
            content.update(_filled(each, [text.clip(label, MAX_ANSWER) for label in labels]))
        return {"action": "accept", "content": content}


def _is_own_words(name: str, properties: Mapping[str, Any]) -> bool:
    return any(name.endswith(end) and name.removesuffix(end) in properties for end in _OWN_WORDS)


def _field(name: str, properties: Mapping[str, Any], message: str) -> _Field:
    given = text.mapping(properties[name])
    of_items = text.mapping(given.get("items"))
    multiple = given.get("type") == "array"
    source = of_items if multiple else given
    values, options = _options(source)
    if given.get("type") == "boolean":
        values = {"Yes": True, "No": False}
        options = [QuestionOption(label=label) for label in values]
    own_words = next((name + end for end in _OWN_WORDS if name + end in properties), "")
    otherwise = values.pop(_NONE, None) if own_words else None
    options = [option for option in options if option.label in values]
    header = text.line(given.get("title"), 80)
    question = Question(
        question=message or text.clip(given.get("description"), 4000) or header or text.line(name, 80),
        header=header,
        options=options,
        multiple=multiple,
        custom=bool(own_words) or not options,
    )
    return _Field(name, text.line(given.get("type")), question, values, own_words, otherwise)


def _options(source: Mapping[str, Any]) -> tuple[dict[str, Any], list[QuestionOption]]:
    values: dict[str, Any] = {}
    options = []
    titled = text.items(source.get("oneOf") or source.get("anyOf"), MAX_OPTIONS)
    for choice in titled or [{"const": each} for each in text.items(source.get("enum"), MAX_OPTIONS)]:
        entry = text.mapping(choice)
        label = text.line(entry.get("title")) or text.line(entry.get("const"))
        if label and label not in values:
            values[label] = entry.get("const")
            options.append(QuestionOption(label=label, description=text.clip(entry.get("description"), 1000)))
    return values, options


def _filled(each: _Field, labels: list[str]) -> dict[str, Any]:
    """The properties that these labels set."""
    known = [each.values[label] for label in labels if label in each.values]
    own = [label for label in labels if label not in each.values]
    if each.type == "array":
        filled: dict[str, Any] = {each.name: known} if known else {}
    elif known:
        filled = {each.name: known[0]}
    elif own and not each.values:
        filled = {each.name: _typed(each.type, own[0])}
        own = []
    elif own and each.otherwise is not None:
        filled = {each.name: each.otherwise}
    else:
        filled = {}
    return {**filled, **({each.own_words: own[0]} if own and each.own_words else {})}


def _typed(kind: str, said: str) -> Any:
    try:
        return {"integer": int, "number": float}.get(kind, str)(said)
    except ValueError:
        return said
