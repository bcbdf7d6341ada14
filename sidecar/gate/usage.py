"""Reads a provider's own token counts, and whether an answer came to its end, while the answer passes by.

A meter never holds anything up and never changes a byte; it only says where an answer becomes unreadable. It
reads stream events one by one, or a JSON answer when it is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sidecar.gate.failures import TooLong
from sidecar.gate.sse import EventReader
from sidecar.gate.wires import WireName

MAX_JSON_BYTES = 8 * 1024 * 1024
_MOST = 2**53
_DONE = b"[DONE]"


@dataclass
class Counts:
    """Tokens of a call; `input` contains `cached` and `written`, `output` `reasoning`. `known`: some told."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    written: int = 0
    known: bool = False


@dataclass
class Reading:
    """What an answer said so far: counts, the model's name, an error in its midst, and whether it ended.

    `said` are the bytes of what the model wrote. `is_overlong`: an event of it was too long to be read.
    """

    counts: Counts = field(default_factory=Counts)
    model: str = ""
    error: dict[str, Any] | None = None
    ended: bool = False
    malformed: bool = False
    said: int = 0
    is_overlong: bool = False


class Meter:
    """Reads one answer of `wire`; `is_stream` says that it comes as server-sent events."""

    def __init__(self, wire: WireName, *, is_stream: bool) -> None:
        self.reading = Reading()
        self._read = _READERS[wire]
        self._written = _WRITTEN[wire]
        self._events = EventReader() if is_stream else None
        self._body = bytearray()

    def feed(self, piece: bytes) -> bytes:
        """Read the next piece of the answer; what of it may pass.

        That is all before the line that would complete the first unreadable event: whoever reads the stream
        gets the same whole events, however its bytes were cut into pieces. TooLong for an answer in one piece
        that is longer than what can be read.
        """
        if self._events is None:
            if len(self._body) + len(piece) > MAX_JSON_BYTES:
                raise TooLong
            self._body += piece
            return piece
        passing = 0
        for line in piece.splitlines(keepends=True):
            for event in self._events.feed(line):
                self._take_event(event)
            if self.reading.malformed:
                break
            passing += len(line)
        self.reading.is_overlong = self._events.skipped
        return piece[:passing]

    def finish(self) -> None:
        """The answer's last byte has been fed: read what is only readable as a whole."""
        if self._events is None:
            self._take(bytes(self._body))
            self.reading.ended = self.reading.error is None and not self.reading.malformed

    def _take_event(self, event: bytes) -> None:
        if event == _DONE:
            self.reading.ended = True
        elif event:
            self._take(event)

    def _take(self, encoded: bytes) -> None:
        try:
            decoded = msgspec.json.decode(encoded)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self.reading.malformed = True
            return
        # Google's answer is a list when its stream is asked for without `alt=sse`.
        for item in decoded if isinstance(decoded, list) else [decoded]:
            if isinstance(item, dict):
                self._read(self.reading, item)
                self.reading.said += sum(_length(item.get(name)) for name in self._written)
                if error := item.get("error"):
                    self.reading.error = error if isinstance(error, dict) else {"message": error}
            else:
                self.reading.malformed = True


def _length(part: object) -> int:
    """The bytes of all texts in a part of an answer, however deep they are in it."""
    length, parts = 0, [part]
    while parts:
        value = parts.pop()
        if isinstance(value, str):
            length += len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
        elif isinstance(value, dict):
            parts.extend(value.values())
        elif isinstance(value, list):
            parts.extend(value)
    return length


def _number(values: dict[str, Any], *path: str) -> int | None:
    """The count at `path`, None when there is no sensible one."""
    found: Any = values
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if type(found) is int and 0 <= found <= _MOST else None


def _part(values: dict[str, Any], name: str) -> dict[str, Any]:
    part = values.get(name)
    return part if isinstance(part, dict) else {}


def _name(values: dict[str, Any], key: str, before: str) -> str:
    name = values.get(key)
    return name[:200] if isinstance(name, str) and name else before


def _openai_chat(reading: Reading, item: dict[str, Any]) -> None:
    reading.model = _name(item, "model", reading.model)
    choices = item.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict) and choice.get("finish_reason"):
            reading.ended = True
    usage = _part(item, "usage")
    prompt, completion = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
    if prompt is None or completion is None:
        return
    # Most providers count reasoning within the completion, some beside it: the total tells.
    output = max(completion, (_number(usage, "total_tokens") or 0) - prompt)
    cached = _number(usage, "prompt_tokens_details", "cached_tokens") or _number(
        usage, "prompt_cache_hit_tokens"
    )
    reasoning = _number(usage, "completion_tokens_details", "reasoning_tokens") or 0
    reading.counts = Counts(prompt, output, min(cached or 0, prompt), min(reasoning, output), known=True)


def _openai_responses(reading: Reading, item: dict[str, Any]) -> None:
    if item.get("object") == "chat.completion" or "choices" in item:
        _openai_chat(reading, item)
        return
    kind = item.get("type")
    response = _part(item, "response") if "response" in item else item
    reading.model = _name(response, "model", reading.model)
    if kind in ("response.completed", "response.incomplete"):
        reading.ended = True
    if kind in ("response.failed", "error"):
        reading.error = _part(response, "error") or {"message": item.get("message"), "code": item.get("code")}
    usage = _part(response, "usage")
    read, written = _number(usage, "input_tokens"), _number(usage, "output_tokens")
    if read is None or written is None:
        return
    cached = _number(usage, "input_tokens_details", "cached_tokens") or 0
    reasoning = _number(usage, "output_tokens_details", "reasoning_tokens") or 0
    reading.counts = Counts(read, written, min(cached, read), min(reasoning, written), known=True)


def _anthropic(reading: Reading, item: dict[str, Any]) -> None:
    kind = item.get("type")
    message = _part(item, "message") if kind == "message_start" else item
    reading.model = _name(message, "model", reading.model)
    if kind == "message_stop":
        reading.ended = True
    usage, counts = _part(message, "usage"), reading.counts
    if not usage:
        return
    # Counts come at the start and, cumulative, at the end; cached input stands beside the fresh one.
    fresh = _number(usage, "input_tokens")
    if fresh is not None:
        cached = _number(usage, "cache_read_input_tokens") or 0
        made = _number(usage, "cache_creation_input_tokens") or 0
        counts.input = max(counts.input, fresh + cached + made)
        counts.cached = max(counts.cached, cached)
        counts.written = max(counts.written, made)
        counts.known = True
    written = _number(usage, "output_tokens")
    if written is not None:
        counts.output = max(counts.output, written)
        counts.known = True


def _google(reading: Reading, item: dict[str, Any]) -> None:
    reading.model = _name(item, "modelVersion", reading.model)
    candidates = item.get("candidates")
    for candidate in candidates if isinstance(candidates, list) else []:
        if isinstance(candidate, dict) and candidate.get("finishReason"):
            reading.ended = True
    if _part(item, "promptFeedback").get("blockReason"):
        reading.ended = True
    usage = _part(item, "usageMetadata")
    prompt = _number(usage, "promptTokenCount")
    if prompt is None:
        return
    thoughts = _number(usage, "thoughtsTokenCount") or 0
    reading.counts = Counts(
        input=prompt + (_number(usage, "toolUsePromptTokenCount") or 0),
        output=(_number(usage, "candidatesTokenCount") or 0) + thoughts,
        cached=min(_number(usage, "cachedContentTokenCount") or 0, prompt),
        reasoning=thoughts,
        known=True,
    )


_READERS: dict[WireName, Callable[[Reading, dict[str, Any]], None]] = {
    "openai-chat": _openai_chat,
    "openai-responses": _openai_responses,
    "anthropic": _anthropic,
    "google": _google,
}

_WRITTEN: dict[WireName, tuple[str, ...]] = {
    "openai-chat": ("choices",),
    "openai-responses": ("delta", "output", "choices"),
    "anthropic": ("delta", "content_block", "content"),
    "google": ("candidates",),
}
"""Where the text of a model stands in an event or an answer."""
