"""What OpenCode asks a person, as our `permission.asked`, and our answers as its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlsplit
from uuid import uuid4

from sidecar.agents import text
from sidecar.agents.opencode import tools
from sidecar.protocol.frames import PermissionAnswer
from sidecar.protocol.messages import PermissionAsked, Question, QuestionOption

MAX_COMMAND = 16 * 1024
MAX_DIFF = 64 * 1024
MAX_RULE = 2000
MAX_QUESTIONS = 8
MAX_OPTIONS = 20
MAX_ANSWER = 4000


@dataclass(frozen=True)
class Order:
    """A call that carries an answer to OpenCode."""

    path: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One open request. `id` is ours, `upstream` is OpenCode's."""

    upstream: str
    session: str
    type: Literal["tool", "question"]
    permission: str = ""
    patterns: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    questions: int = 0
    id: str = field(default_factory=lambda: str(uuid4()))

    def order(self, answer: PermissionAnswer) -> Order:
        """The call for a person's answer. "For this session" is remembered on our side: once, upstream."""
        if self.type == "question":
            return self._question_order(answer)
        if answer.choice != "reject":
            return Order(f"{self._path}/reply", {"reply": "once"})
        body = {"reply": "reject"}
        if answer.message:
            body["message"] = text.clip(answer.message, MAX_ANSWER)
        return Order(f"{self._path}/reply", body)

    def _question_order(self, answer: PermissionAnswer) -> Order:
        if answer.choice == "reject":
            return Order(f"{self._path}/reject")
        given = [[text.clip(label, MAX_ANSWER) for label in labels] for labels in answer.answers]
        # One list for each question, whatever was sent: a missing one would fail the whole answer.
        padded = [*given, *([[]] * self.questions)][: self.questions]
        return Order(f"{self._path}/reply", {"answers": padded})

    @property
    def _path(self) -> str:
        collection = "permission" if self.type == "tool" else "question"
        return f"/{collection}/{quote(self.upstream, safe='')}"


def permission_request(properties: dict[str, Any]) -> Request:
    """An upstream permission."""
    return Request(
        upstream=text.line(properties.get("id")),
        session=text.line(properties.get("sessionID")),
        type="tool",
        permission=text.line(properties.get("permission"), 100),
        patterns=_strings(properties.get("patterns")),
        always=_strings(properties.get("always")),
    )


def question_request(properties: dict[str, Any]) -> Request:
    """An upstream question."""
    return Request(
        upstream=text.line(properties.get("id")),
        session=text.line(properties.get("sessionID")),
        type="question",
        questions=len(text.items(properties.get("questions"), MAX_QUESTIONS)),
    )


def asked(
    request: Request, metadata: dict[str, Any], *, tool_call_id: str, cwd: str, workspace: str
) -> PermissionAsked:
    """What a person has to know to decide on a permission."""
    path = tools.relative(text.clean(metadata.get("filepath")), workspace)
    diffs = tools.diffs(metadata, workspace) or []
    command = text.clip(metadata.get("command"), MAX_COMMAND)
    host = _host(metadata.get("url")) if request.permission in ("webfetch", "websearch") else ""
    return PermissionAsked(
        permission_id=request.id,
        type="tool",
        title=_title(request, path=path, host=host),
        tool_call_id=tool_call_id,
        command=command,
        cwd=(text.line(cwd, tools.MAX_PATH) or workspace) if command else "",
        path=path,
        diff=text.clip("\n".join(diff.patch for diff in diffs), MAX_DIFF),
        host=host,
        rule=_rule(request),
    )


def question(request: Request, properties: dict[str, Any], *, tool_call_id: str) -> PermissionAsked:
    """A question with its options."""
    questions = [
        _question(text.mapping(entry)) for entry in text.items(properties.get("questions"), MAX_QUESTIONS)
    ]
    return PermissionAsked(
        permission_id=request.id,
        type="question",
        title=questions[0].header or text.line(questions[0].question, 80) if questions else "Question",
        tool_call_id=tool_call_id,
        questions=questions,
    )


def _question(given: dict[str, Any]) -> Question:
    options = [text.mapping(option) for option in text.items(given.get("options"), MAX_OPTIONS)]
    return Question(
        question=text.clip(given.get("question"), 4000),
        header=text.line(given.get("header"), 80),
        options=[
            QuestionOption(
                label=text.line(option.get("label")), description=text.clip(option.get("description"), 1000)
            )
            for option in options
        ],
        multiple=given.get("multiple") is True,
        custom=given.get("custom") is not False,
    )


def _title(request: Request, *, path: str, host: str) -> str:
    first = text.line(request.patterns[0]) if request.patterns else ""
    match request.permission:
        case "bash":
            return "Run a command"
        case "edit":
            return f"Edit {path or first}"
        case "webfetch" | "websearch":
            return f"Fetch from {host}" if host else "Search the web"
        case "external_directory":
            return f"Leave the workspace: {first}"
        case "doom_loop":
            return "The agent repeats itself: go on?"
        case other:
            return text.line(f"Use {other}: {first}" if first else f"Use {other}")


def _rule(request: Request) -> str:
    if not request.always:
        return ""
    return text.clip(f"{request.permission}: {', '.join(request.always)}", MAX_RULE)


def _host(url: object) -> str:
    try:
        return text.line(urlsplit(text.line(url, 2000)).hostname or "")
    except ValueError:
        return ""


def _strings(value: object) -> tuple[str, ...]:
    found: Sequence[str] = [text.clip(entry, 2000) for entry in text.items(value) if isinstance(entry, str)]
    return tuple(found)
