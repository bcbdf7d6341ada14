"""Every event that a session's log can hold: the envelope, and one schema of data for each kind.

The kinds follow the Agent Client Protocol's vocabulary, whatever agent runs. Data arrives from an untrusted
box, so it is decoded strictly: unknown kinds and misshapen data are refused by `check_data`, never stored.
"""

from __future__ import annotations

import uuid
from typing import Any, Literal

import msgspec

from sidecar.protocol.framing import ExitCode, Generation, Number, Port

ENVELOPE_VERSION = 1
MAX_TS = 32
MAX_PENDING = 64
"""Permissions of one session that wait at a time: more than a person answers, few enough to show all of them.

A sidecar refuses its agent one more; the platform ends a sidecar that asks it all the same.
"""

StopReason = Literal["end_turn", "cancelled", "interrupted", "refused", "max_tokens", "error"]
ToolStatus = Literal["pending", "in_progress", "completed", "failed", "rejected", "interrupted"]
ToolKind = Literal["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "other"]
PermissionType = Literal["tool", "question", "egress"]
PermissionChoice = Literal["once", "session", "reject", "answered", "lost", "always", "never"]
TerminalReason = Literal["exited", "closed", "failed", "stopped", "lost"]
ErrorClass = Literal[
    "provider_auth",
    "provider_quota",
    "provider_rate_limit",
    "provider_unavailable",
    "provider_bad_response",
    "key_missing",
    "unknown_model",
    "context_too_long",
    "agent_crash",
    "agent_hang",
    "box_lost",
    "disk_full",
    "budget_exceeded",
    "flood",
    "clone_failed",
    "internal",
]


class Event(msgspec.Struct, kw_only=True, omit_defaults=False):
    """One fact of a session, numbered by `seq`; `gen` is the generation that wrote it.

    `ts` is RFC 3339 in UTC with milliseconds and is for display: order is by number, never by time.
    """

    v: int = ENVELOPE_VERSION
    seq: Number
    gen: Generation
    turn: str | None
    ts: str
    kind: str
    data: dict[str, Any]


class Data(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of every kind's data: fields left at their default are not sent."""


class AgentInfo(Data):
    """Which agent program runs, and its version as it reported it."""

    id: str
    name: str
    version: str


class InstanceStarted(Data):
    """The sidecar, the box and the agent are ready; `resumed` says that the volume held earlier state."""

    agent: AgentInfo
    model: str = ""
    driver: str = ""
    resumed: bool = False


class InstanceStopped(Data):
    """The instance ended as asked to: `idle`, `user`, `shutdown`, `budget` (of hours) or `uncounted`."""

    reason: str


class InstanceLost(Data):
    """The instance ended without being asked to; `message` says what happened in words."""

    reason: str
    message: str = ""


class TurnStarted(Data):
    """A prompt reached the agent. Its id is the turn's id. `by` is the display name of who sent it."""

    prompt: str
    by: str = ""
    model: str = ""


class ErrorData(Data):
    """A failure in words, by class; `retry_at` (RFC 3339) when the provider named a time."""

    error_class: ErrorClass = msgspec.field(name="class")
    message: str
    retry_at: str = ""


class TurnEnded(Data):
    """The agent is done with the prompt."""

    stop_reason: StopReason
    error: ErrorData | None = None


class TextDelta(Data):
    """`text` stands at character `offset` of part `part_id`: repeating it changes nothing."""

    part_id: str
    offset: Number
    text: str
    parent_tool_call_id: str = ""


class TextDone(Data):
    """Nothing more comes of the part; `broken` when it was broken off, so that it is not what was meant."""

    part_id: str
    length: Number
    broken: bool = False


class Location(Data):
    """A place in the workspace that a tool touches."""

    path: str
    line: int = 0


class Diff(Data):
    """A change to one file as a unified patch."""

    path: str
    patch: str
    additions: int = 0
    deletions: int = 0


class ToolUpsert(Data):
    """What is new about a tool call; fields that are absent keep their value."""

    tool_call_id: str
    name: str | None = None
    title: str | None = None
    tool_kind: ToolKind | None = None
    status: ToolStatus | None = None
    input: dict[str, Any] | None = None
    locations: list[Location] | None = None
    diffs: list[Diff] | None = None
    error: str | None = None
    duration_ms: int | None = None
    parent_tool_call_id: str | None = None


class ToolOutput(Data):
    """A piece of a tool's output, at character `offset`; `omitted` counts characters left out before it.

    `gap` says that the agent itself left some out, nobody knows how many.
    """

    tool_call_id: str
    offset: Number
    text: str
    omitted: Number = 0
    gap: bool = False


class PlanEntry(Data):
    """One step of the agent's plan."""

    content: str
    status: Literal["pending", "in_progress", "completed", "cancelled"] = "pending"
    priority: Literal["high", "medium", "low"] = "medium"


class Plan(Data):
    """The agent's whole plan; a later one replaces it."""

    entries: list[PlanEntry]


class QuestionOption(Data):
    """One answer that the agent offers."""

    label: str
    description: str = ""


class Question(Data):
    """One question; `custom` allows a free answer, `multiple` several."""

    question: str
    header: str = ""
    options: list[QuestionOption] = []
    multiple: bool = False
    custom: bool = True


class PermissionAsked(Data):
    """The agent waits for a person. `rule` is exactly what "for this session" would allow."""

    permission_id: str
    type: PermissionType
    title: str
    tool_call_id: str = ""
    command: str = ""
    cwd: str = ""
    path: str = ""
    diff: str = ""
    host: str = ""
    rule: str = ""
    questions: list[Question] = []


class PermissionAnswered(Data):
    """How a permission ended; by the `box` where the platform sent no reply. `host`: what it was about."""

    permission_id: str
    choice: PermissionChoice
    by: Literal["user", "platform", "box"]
    user: str = ""
    message: str = ""
    answers: list[list[str]] = []
    host: str = ""


class Counted(Data):
    """Tokens as `Usage` has them."""

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0
    written: int = 0


class Usage(Data):
    """One model call as the provider counted it; written by the gate only. Counts are tokens.

    `input` contains `cached` and, what was written to a cache, `written`; `output` contains `reasoning`.
    `estimated`: the provider did not tell, and it is counted as what it may have been at most. `corrects` is
    what an earlier event of the same call said, when the provider had not told yet.
    """

    request_id: str
    provider: str
    model: str
    input: int
    output: int
    cached: int = 0
    reasoning: int = 0
    written: int = 0
    estimated: bool = False
    corrects: Counted | None = None


class FileChanged(Data):
    """The agent changed a file of the workspace; the path is relative to it."""

    path: str
    change: Literal["created", "modified", "deleted"] = "modified"


class AgentStatus(Data):
    """What the agent process does; `retrying` carries the provider's message and the time of the next try."""

    status: Literal["starting", "ready", "busy", "retrying", "stopped"]
    message: str = ""
    attempt: int = 0
    retry_at: str = ""


class AgentMode(Data):
    """A way of working that the agent offers."""

    id: str
    name: str
    description: str = ""


class AgentConfig(Data):
    """Modes, models and commands of the running agent, and what is chosen now."""

    modes: list[AgentMode] = []
    models: list[str] = []
    commands: list[str] = []
    mode: str = ""
    model: str = ""


class TerminalOpened(Data):
    """A terminal runs; `command` is empty for a login shell, `by` the display name of who opened it."""

    terminal_id: str
    title: str = ""
    command: list[str] = []
    by: str = ""


class TerminalClosed(Data):
    """A terminal ended: `reason` is exited, closed, failed, stopped or lost; a negative code is a signal."""

    terminal_id: str
    reason: TerminalReason
    exit_code: ExitCode | None = None
    message: str = ""


class EgressUsed(Data):
    """The box reached a host, `count` times since it was told last; bytes are of what has ended."""

    host: str
    port: Port
    count: Number = 1
    bytes_up: Number = 0
    bytes_down: Number = 0


class EgressBlocked(Data):
    """The box was refused a host, `count` times since it was told last; `reason` is a code."""

    host: str
    port: Port
    reason: str
    count: Number = 1


class Suppressed(Data):
    """`count` events of `kind` were beyond the session's budget and are represented by this one."""

    kind: str
    count: int


KINDS: dict[str, type[Data]] = {
    "instance.started": InstanceStarted,
    "instance.stopped": InstanceStopped,
    "instance.lost": InstanceLost,
    "turn.started": TurnStarted,
    "turn.ended": TurnEnded,
    "message.delta": TextDelta,
    "message.done": TextDone,
    "thought.delta": TextDelta,
    "thought.done": TextDone,
    "tool.upsert": ToolUpsert,
    "tool.output": ToolOutput,
    "plan": Plan,
    "permission.asked": PermissionAsked,
    "permission.answered": PermissionAnswered,
    "usage": Usage,
    "file.changed": FileChanged,
    "agent.status": AgentStatus,
    "agent.config": AgentConfig,
    "terminal.opened": TerminalOpened,
    "terminal.closed": TerminalClosed,
    "egress.used": EgressUsed,
    "egress.blocked": EgressBlocked,
    "events.suppressed": Suppressed,
    "error": ErrorData,
}

DELTA_KINDS = frozenset({"message.delta", "thought.delta", "tool.output"})
"""Kinds that carry a piece of text at an offset: mergeable before sending, foldable after the turn."""


class MessageError(ValueError):
    """An event's kind is unknown or its data does not fit the kind."""


def check_data(kind: str, data: object) -> Data:
    """Data of `kind` as its struct. MessageError, without the offending values, when it does not fit."""
    schema = KINDS.get(kind)
    if schema is None:
        raise MessageError("unknown event kind")
    try:
        return msgspec.convert(data, schema)
    except (msgspec.ValidationError, RecursionError) as error:
        raise MessageError(f"data of {kind} does not fit its schema") from error


def check_event(event: Event) -> None:
    """Everything about an event that does not depend on others: MessageError when it cannot be stored."""
    data = check_data(event.kind, event.data)
    try:
        if event.turn is not None:
            uuid.UUID(event.turn)
        if isinstance(data, PermissionAsked | PermissionAnswered):
            uuid.UUID(data.permission_id)
        if isinstance(data, TerminalOpened | TerminalClosed):
            uuid.UUID(data.terminal_id)
    except ValueError as error:
        raise MessageError(f"an id in {event.kind} is not a UUID") from error
    if len(event.ts) > MAX_TS or event.v != ENVELOPE_VERSION or event.seq < 1:
        raise MessageError(f"the envelope of {event.kind} is not valid")


def without_nul(value: Any) -> Any:
    """The same JSON value with U+0000 replaced: PostgreSQL cannot store it, and no text needs it."""
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    return value


def to_data(struct: Data) -> dict[str, Any]:
    """The plain dictionary that stands in an envelope for `struct`."""
    plain: dict[str, Any] = msgspec.to_builtins(struct)
    return plain
