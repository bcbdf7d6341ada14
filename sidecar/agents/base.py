"""The interface of a coding agent, the box it needs, and the bounded queue its events leave through.

An adapter turns one agent's own protocol into events of `sidecar.protocol.messages`. It numbers nothing,
stores nothing and trusts nothing: whatever the agent says is hostile bytes.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from sidecar.protocol import frames, messages

MAX_WAITING_EVENTS = 256


class Process(Protocol):
    """A program in the box; `stream` is its output, errors merged in, and `stdin` its input."""

    @property
    def stream(self) -> asyncio.StreamReader: ...

    @property
    def stdin(self) -> asyncio.StreamWriter: ...

    async def wait(self) -> int:
        """The exit code; returns at once when the program has ended, as often as it is asked."""

    async def kill(self, signal: int, /) -> None:
        """Send `signal` to the program; a program that has ended is success."""


class Box(Protocol):
    """What an agent needs of `sidecar.box_server.BoxServer`; OSError when the box refuses or is gone."""

    async def exec(self, argv: Sequence[str], /, *, env: Mapping[str, str], cwd: str) -> Process: ...

    async def connect(self, port: int, /) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]: ...


class ProviderNews:
    """What the gate saw of the model calls: the word of who knows, whatever the agent says or hides."""

    def __init__(self) -> None:
        self.failure: messages.ErrorData | None = None
        """The last model call's, None when it went well."""
        self._listener: Callable[[messages.ErrorData], None] = lambda failure: None

    def listen(self, listener: Callable[[messages.ErrorData], None]) -> None:
        """Call `listener` for each call that fails from now on; one listener at a time."""
        self._listener = listener

    def answered(self) -> None:
        """A call went well."""
        self.failure = None

    def failed(self, failure: messages.ErrorData) -> None:
        """A call failed."""
        self.failure = failure
        self._listener(failure)


@dataclass(frozen=True, kw_only=True)
class AgentContext:
    """All that an agent is told when it starts.

    Model calls go to `http://127.0.0.1:<gate_port>/<provider.id>/...` with `token`, which is worthless: the
    gate puts the real key in. `hang_seconds` is how long an open turn may pass without any sign of life (no
    event, no running tool, no question to a person) before the agent counts as hung; `silence_seconds` is how
    long the agent lets its provider say nothing before it tries again. `offers` are what it may be asked to
    `adopt` before its first prompt. `login` is there only where a plan's login has to be in the box, and
    gives it for one start; AgentError when there is none.
    """

    box: Box
    provider: frames.Provider
    model: str
    offers: tuple[frames.Offer, ...] = ()
    mode: str = "ask"
    gate_port: int = 7001
    token: str = "worthless"
    home: str = "/home/agent"
    workspace: str = "/workspace"
    start_seconds: float = 60.0
    hang_seconds: float = 600.0
    silence_seconds: float = 300.0
    news: ProviderNews = field(default_factory=ProviderNews)
    login: Callable[[], Awaitable[str]] | None = None


@dataclass(frozen=True, kw_only=True)
class AgentEvent:
    """One thing that happened: data of `kind` as `messages.KINDS` has it, and the turn it belongs to."""

    kind: str
    data: messages.Data
    turn: str | None = None


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A program that shows a person the agent in a terminal, and its environment; nothing in it is secret."""

    argv: Sequence[str]
    env: Mapping[str, str]


class AgentError(Exception):
    """The agent cannot do what was asked. The message is fit for a person and holds nothing secret."""


class AgentStartFailed(AgentError):
    """The agent did not come up in time, or ended while it started."""


class TurnOpen(AgentError):
    """A prompt came while another turn is open."""


class UnknownPermission(AgentError):
    """Nobody waits for this answer: never asked, already answered, or its turn has ended."""


class Agent(ABC):
    """One running agent of one session.

    Order of calls: `start` once, then the others in any order, `close` last (also after a failed start, and
    twice does no harm). Events are read through `events` by exactly one reader, which may begin before
    `start`.

    Promises every adapter keeps; `tests/contract/agents` checks them:

    * Each accepted prompt gets exactly one `turn.ended`, whatever happens to the agent. No event carries the
      turn after it. `turn.started` is not the adapter's business: the caller journals it before it calls
      `prompt`.
    * Failures of agent or provider are an `error` event and `turn.ended{error}`, never an exception of
      `prompt`.
    * An agent process that dies ends the open turn (`agent_crash`) and is started again for the next prompt,
      with the conversation kept. Only `close`, or an agent that cannot be started again, ends `events`.
    * An answer given through `answer` produces no `permission.answered`: the caller writes that one. The
      adapter writes it only for a reply that did not come through it (`by="box"`).
    * A permission dies with its turn: a later `answer` raises UnknownPermission.
    """

    id: ClassVar[str]
    name: ClassVar[str]

    @abstractmethod
    async def start(self, context: AgentContext) -> messages.AgentInfo:
        """Start the agent and take up the disk's earlier conversation, if any (then `resumed` is true).

        An `agent.config` event follows. AgentStartFailed when it does not come up.
        """

    async def adopt(self, *, provider: frames.Provider, model: str, mode: str) -> bool:
        """Before the first prompt: work with what a session has chosen; False if it was not started for that.

        An agent that never says yes is started anew for each session.
        """
        return False

    @property
    @abstractmethod
    def resumed(self) -> bool:
        """Whether `start` found an earlier conversation on the disk and continues it."""

    @property
    @abstractmethod
    def exit_reason(self) -> str:
        """Why `events` ended, in words; empty while it goes on and after `close`."""

    @abstractmethod
    async def prompt(self, turn: str, text: str, *, model: str = "", mode: str = "") -> None:
        """Open `turn` with `text`; returns when the agent has accepted it, or the turn has ended.

        Empty `model` or `mode` means what is configured. TurnOpen when another turn has not ended.
        """

    @abstractmethod
    async def cancel(self, turn: str) -> None:
        """End `turn` as `cancelled` within two seconds. Nothing happens if it is not the open one."""

    @abstractmethod
    async def answer(self, answer: frames.PermissionAnswer) -> None:
        """Hand a person's decision to the agent. UnknownPermission when nobody waits for it."""

    @abstractmethod
    async def configure(self, *, model: str = "", mode: str = "") -> None:
        """Use this model or mode from the next turn on; empty keeps what is. `agent.config` follows."""

    @abstractmethod
    async def rest(self) -> None:
        """End the agent's process between turns; the next prompt starts it again, with the conversation kept.

        `agent.status` `stopped` follows if it ran. TurnOpen when a turn is open or begins first: nothing has
        happened then. AgentError, too, when this agent would forget the conversation.
        """

    async def screen(self) -> Screen:
        """The agent's own interface, to be run on a terminal beside it. AgentError when it has none."""
        raise AgentError(f"{self.name} has no interface of its own for a terminal.")

    @abstractmethod
    def events(self) -> AsyncIterator[AgentEvent]:
        """What happens, in order. A reader that stops reading makes the adapter stop reading the agent."""

    @abstractmethod
    async def close(self) -> None:
        """End the agent and then `events`; a turn that is open stays open for the caller to close."""


class EventQueue:
    """The way out of an adapter: `put` never waits, `room` waits for the consumer."""

    def __init__(self, limit: int = MAX_WAITING_EVENTS) -> None:
        self._waiting: deque[AgentEvent] = deque()
        self._limit = limit
        self._ended = False
        self._filled = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def put(self, event: AgentEvent) -> None:
        """Add `event`; after `end` it is dropped."""
        if self._ended:
            return
        self._waiting.append(event)
        self._filled.set()
        if len(self._waiting) >= self._limit:
            self._has_room.clear()

    @property
    def is_full(self) -> bool:
        """Whether the consumer is behind."""
        return not self._has_room.is_set()

    async def room(self) -> None:
        """Wait until fewer events wait than the limit; call it before reading more from the agent."""
        await self._has_room.wait()

    def end(self) -> None:
        """Let the reader finish what waits, and then end."""
        self._ended = True
        self._filled.set()
        self._has_room.set()

    async def read(self) -> AsyncIterator[AgentEvent]:
        """The events in order, for one reader."""
        while True:
            while self._waiting:
                event = self._waiting.popleft()
                if len(self._waiting) < self._limit:
                    self._has_room.set()
                yield event
            if self._ended:
                return
            self._filled.clear()
            await self._filled.wait()
