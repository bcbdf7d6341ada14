"""What all wires have in common: a request and a reply in neutral words, and pieces of a stream."""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from sidecar.demo_model.scripts import Event, Kind, Usage
from sidecar.demo_model.tools import Offered

CREATED = 1_790_000_000
"""The time that replies carry: fixed, so that the same request gives the same bytes."""


@dataclass(frozen=True)
class Entry:
    """One thing that the conversation already holds."""

    role: Literal["user", "assistant", "call", "result"]
    text: str = ""


@dataclass(frozen=True)
class Asked:
    """A request in neutral words."""

    model: str
    stream: bool
    system: str
    history: tuple[Entry, ...]
    tools: dict[str, Offered]
    wants_usage: bool = True


@dataclass(frozen=True)
class Thought:
    """Reasoning that the model shows."""

    text: str


@dataclass(frozen=True)
class Text:
    """Words to the user; `event` happens when the first `mark` characters are said."""

    text: str
    mark: int = 0
    event: Event | None = None

    @property
    def sent(self) -> str:
        """What of it is really sent: all of it, unless the event ends the reply."""
        return self.text if self.event in (None, "pause") else self.text[: self.mark]


@dataclass(frozen=True)
class ToolUse:
    """A call of one of the agent's tools; `arguments` is JSON, or text for a freeform tool."""

    id: str
    name: str
    arguments: dict[str, Any] | str

    @property
    def encoded(self) -> str:
        """The arguments as the text that streams carry."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


Part = Thought | Text | ToolUse


@dataclass(frozen=True)
class Reply:
    """What the model answers; `id` is the same for the same request."""

    id: str
    model: str
    parts: tuple[Part, ...]
    usage: Usage = field(default_factory=Usage)

    @property
    def text(self) -> str:
        """Everything it says to the user."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[ToolUse, ...]:
        """The tool calls in it."""
        return tuple(part for part in self.parts if isinstance(part, ToolUse))


@dataclass(frozen=True)
class Frame:
    """A piece of a stream; `paced` if it carries a piece of a part, `text` as far as that is shown."""

    data: bytes
    paced: bool = False
    text: str = ""
    event: Event | None = None


@dataclass(frozen=True)
class Fault:
    """An HTTP error that a provider answers."""

    status: int
    kind: Kind
    message: str


class Wire(ABC):
    """One model API: reads requests, writes replies whole or as a stream of server-sent events."""

    name: str

    @abstractmethod
    def matches(self, path: str) -> bool:
        """True when a POST to `path` asks for a reply."""

    @abstractmethod
    def read(self, path: str, body: dict[str, Any]) -> Asked:
        """The request in neutral words; KeyError, TypeError, ValueError when it is not of this API."""

    @abstractmethod
    def whole(self, reply: Reply) -> dict[str, Any]:
        """The reply to a request that does not stream."""

    @abstractmethod
    def stream(self, reply: Reply, *, usage: bool) -> Iterator[Frame]:
        """The reply as a stream; `usage` False leaves the token counts out where the API allows to."""

    @abstractmethod
    def error(self, fault: Fault) -> dict[str, Any]:
        """The body of an error answer."""

    @abstractmethod
    def stream_error(self, fault: Fault) -> bytes:
        """An error that arrives when the stream has begun."""


def event(data: dict[str, Any] | str, name: str = "") -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def delta(part: Part, piece: str, happens: Event | None, data: bytes) -> Frame:
    """The frame that carries `piece` of `part`."""
    return Frame(data, paced=True, text=piece if isinstance(part, Text) else "", event=happens)


_WORD = re.compile(r"\s*\S+\s*|\s+")


def pieces(part: Part) -> Iterator[tuple[str, Event | None]]:
    """A part cut as models do: text by words, arguments by length; an event with the piece before it."""
    if isinstance(part, ToolUse):
        text = part.encoded
        yield from ((text[start : start + 24], None) for start in range(0, len(text), 24))
        return
    mark, happens = (part.mark, part.event) if isinstance(part, Text) else (0, None)
    before = _WORD.findall(part.text[:mark])
    for index, piece in enumerate(before):
        yield piece, happens if index == len(before) - 1 else None
    yield from ((piece, None) for piece in _WORD.findall(part.text[mark:]))


def short_id(*what: object) -> str:
    """Twelve characters that are the same for the same input."""
    return hashlib.sha256("\x1f".join(map(str, what)).encode()).hexdigest()[:12]


def joined_text(content: object) -> str:
    """The text of a message's content, which is a string or a list of typed parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, dict))
    return "\n".join(text for text in texts if isinstance(text, str))
