"""What OpenCode's events mean for the open turn. No I/O: events come in, our events go out through `Turns`.

A turn is opened by us, begins with the user message that OpenCode makes of our prompt, and ends when OpenCode
is idle after that. Messages that do not belong to it are left out: stragglers of an earlier turn, and
conversations that somebody else holds with the same server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import structlog

from sidecar.agents import text
from sidecar.agents.opencode import errors, todos
from sidecar.agents.opencode.consent import Consent
from sidecar.agents.opencode.files import Files
from sidecar.agents.opencode.replies import Replies
from sidecar.agents.opencode.requests import Order
from sidecar.agents.opencode.settling import CANCELLED_SECONDS, FAILED_SECONDS, Settling
from sidecar.agents.policy import Policy
from sidecar.agents.recent import Recent
from sidecar.agents.turns import Turns
from sidecar.protocol.messages import AgentStatus, ErrorData, Plan, PlanEntry, StopReason

log = structlog.get_logger(__name__)

MAX_UNKNOWN = 200
MAX_ATTEMPTS = 8  # It would ask a failing provider for ever; this takes some minutes.

# "session.idle" says again what "session.status" has said: an end counts once.
_MEANINGLESS = frozenset(
    {
        "catalog.updated",
        "integration.updated",
        "lsp.updated",
        "plugin.added",
        "project.updated",
        "reference.updated",
        "server.connected",
        "server.heartbeat",
        "server.instance.disposed",
        "session.created",
        "session.deleted",
        "session.diff",
        "session.idle",
        "session.updated",
        "vcs.branch.updated",
    }
)


class Conversation:
    """One session of OpenCode's; `send` carries orders that need no person's word."""

    def __init__(self, turns: Turns, policy: Policy, workspace: str, send: Callable[[Order], None]) -> None:
        self.session = ""
        self.settling = Settling()
        self.consent = Consent(turns, policy, workspace, send)
        self._turns = turns
        self._workspace = workspace
        self._known_prompts = Recent()
        self._unknown: set[str] = set()
        self._files = Files(turns.emit, workspace)
        self._forget_turn()
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "file.edited": self._files.edited,
            "file.watcher.updated": self._files.changed,
            "message.part.delta": lambda properties: self._replies.delta(properties),
            "message.part.updated": self._part,
            "message.updated": self._message,
            "permission.asked": lambda properties: self.consent.permission_asked(properties, self._replies),
            "permission.replied": self.consent.replied,
            "question.asked": lambda properties: self.consent.question_asked(properties, self._replies),
            "question.rejected": self.consent.replied,
            "question.replied": self.consent.replied,
            "session.compacted": self._compacted,
            "session.error": self._error,
            "session.status": self._status,
            "todo.updated": self._todos,
        }

    def attach(self, session: str, messages: Iterable[Any]) -> None:
        """Go on with this session of OpenCode, of which these messages exist: none of them is news."""
        self.session = session
        self.settling.end()
        for message in messages:
            self._known_prompts.add(text.line(text.mapping(text.mapping(message).get("info")).get("id")))
        self._forget_turn()

    def begin(self) -> None:
        """Our prompt goes out now: the next user message is it."""
        self._forget_turn()

    def handle(self, event: dict[str, Any]) -> None:
        """One event of the stream."""
        name, properties = text.line(event.get("type"), 60), text.mapping(event.get("properties"))
        if name != "file.watcher.updated":
            self._files.flush()
        handler = self._handlers.get(name)
        if handler is not None:
            if self._replies.has_session(_session_of(properties)):
                self._turns.sign()
            handler(properties)
        elif name not in _MEANINGLESS and name not in self._unknown and len(self._unknown) < MAX_UNKNOWN:
            self._unknown.add(name)
            log.info("opencode.unknown_event", type=name)

    def lost_events(self) -> None:
        """The stream was cut: what comes next has a gap before it."""
        self._replies.texts.gap()

    def catch_up(
        self, messages: Iterable[Any], *, status: Any, permissions: Any, questions: Any, todos: Any
    ) -> None:
        """What OpenCode says is the case, after events may have been missed. Known facts repeat nothing.

        No status means idle.
        """
        for message in messages:
            given = text.mapping(message)
            self._message({"info": given.get("info")})
            for part in text.items(given.get("parts"), 1000):
                self._part({"part": part})
        # Of a part that is under way OpenCode tells no text.
        self._replies.texts.gap()
        self._todos({"sessionID": self.session, "todos": todos})
        self.consent.catch_up(permissions, questions, self._replies)
        if self._replies.began:
            self._status({"sessionID": self.session, "status": status or {"type": "idle"}})

    def cancel(self) -> None:
        """From now on an end is a cancellation."""
        self._cancelled = True

    def end(self, error: ErrorData | None = None) -> None:
        """End the turn with `error`, or as what happened in it says; a cancelled one ends as that."""
        if self._turns.current is None:
            return
        self._replies.calls.finish()
        error = None if self._cancelled else error or self._failure
        reason: StopReason = "error" if error else self._stop_reason()
        if self._replies.began and reason in ("error", "cancelled"):
            says_again = reason == "cancelled" and not self._retrying
            self.settling.begin(CANCELLED_SECONDS if says_again else FAILED_SECONDS)
        self._forget_turn()
        self._turns.end(reason, error)

    @property
    def is_open(self) -> bool:
        """Whether there is a turn that OpenCode may have news of."""
        return self._turns.current is not None

    @property
    def is_answering(self) -> bool:
        """Whether the model has been asked, as far as OpenCode tells."""
        return self._replies.has_replies

    @property
    def left(self) -> str:
        """The message of a prompt that OpenCode took and left lying: it is idle and has asked no model."""
        has_ended = self._failure is not None or self._cancelled
        return self._replies.unanswered if self._is_idle and not has_ended else ""

    @property
    def children(self) -> list[str]:
        """The sessions of this turn's sub-agents."""
        return self._replies.children

    @property
    def has_failed(self) -> bool:
        """Whether OpenCode has reported a failure that must end the turn."""
        return self._failure is not None

    @property
    def is_refused(self) -> bool:
        """Whether OpenCode has failed without taking up the prompt: its disk may be full."""
        return self._failure is not None and not self._replies.began

    @property
    def is_patient(self) -> bool:
        """Whether OpenCode waits on purpose, for its next attempt at the provider."""
        return self._retrying

    def _forget_turn(self) -> None:
        self._cancelled = False
        self._failure: ErrorData | None = None
        self._limit: StopReason | None = None
        self._retrying = False
        self._is_idle = False
        self.given_up: ErrorData | None = None  # Why, after a provider was asked in vain too often.
        self._plan: list[PlanEntry] = []
        self._replies = Replies(self.session, self._turns.emit, self._workspace)
        self.consent.forget_turn()

    def _stop_reason(self) -> StopReason:
        if self._cancelled:
            return "cancelled"
        if self._limit is not None:
            return self._limit
        if self.consent.refused or self._replies.finish == "content-filter":
            return "refused"
        return "max_tokens" if self._replies.finish == "length" else "end_turn"

    def _message(self, properties: dict[str, Any]) -> None:
        info = text.mapping(properties.get("info"))
        message, is_main = text.line(info.get("id")), info.get("sessionID") == self.session
        if info.get("role") == "user" and is_main and message not in self._known_prompts:
            self._known_prompts.add(message)
            if self._turns.current is not None:
                if not self._replies.began:
                    self._failure = None  # It was of something else.
                self._replies.prompt(message)
        elif info.get("role") == "assistant":
            if self._replies.reply(info):
                self.consent.refused = False  # The model goes on after all.
            if is_main and info.get("error") is not None and self._replies.has(message):
                self._fail(info.get("error"))

    def _part(self, properties: dict[str, Any]) -> None:
        self._replies.part(text.mapping(properties.get("part")))

    def _todos(self, properties: dict[str, Any]) -> None:
        if properties.get("sessionID") != self.session or not self._replies.began:
            return
        plan = todos.plan(properties.get("todos"))
        if plan != self._plan:
            self._plan = plan
            self._turns.emit("plan", Plan(entries=plan))

    def _status(self, properties: dict[str, Any]) -> None:
        status = text.mapping(properties.get("status"))
        if status.get("type") == "idle":
            if properties.get("sessionID") == self.session:
                self._idle()
            return
        if not self._replies.has_session(properties.get("sessionID")) or not self._replies.began:
            return
        self._is_idle = False
        match status.get("type"):
            case "retry":
                self._retrying = True
                self._replies.retried(properties.get("sessionID"))
                self._turns.emit("agent.status", retrying := errors.retrying(status))
                if retrying.attempt >= MAX_ATTEMPTS:
                    self.given_up = errors.retry(status)
            case "busy" if self._retrying:
                self._retrying = False
                self._turns.emit("agent.status", AgentStatus(status="busy"))

    def _idle(self) -> None:
        self._is_idle = True
        if not self._replies.began:
            self.settling.end()
        elif self._replies.is_complete or self._failure is not None or self._cancelled:
            self.end()

    def _error(self, properties: dict[str, Any]) -> None:
        error = properties.get("error")
        # Before it began, it may be the end of an earlier turn that is heard of late.
        is_ours = self._replies.began or not errors.is_abort(error)
        if properties.get("sessionID") == self.session and is_ours:
            self._fail(error)

    def _fail(self, error: object) -> None:
        match text.mapping(error).get("name"):
            case errors.ABORTED:
                self._cancelled = True
            case errors.TOO_LONG:
                self._limit = "max_tokens"
            case errors.FILTERED:
                self._limit = "refused"
            case _ if self._failure is None:
                self._failure = errors.classified(error)

    def _compacted(self, properties: dict[str, Any]) -> None:
        if properties.get("sessionID") == self.session:
            said = "The conversation grew too long and was summarised for the model."
            self._turns.emit("agent.status", AgentStatus(status="busy", message=said))


def _session_of(properties: dict[str, Any]) -> object:
    for holder in (properties, properties.get("info"), properties.get("part")):
        if session := text.mapping(holder).get("sessionID"):
            return session
    return None
