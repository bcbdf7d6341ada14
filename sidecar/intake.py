"""Checks what an agent says before it gets a number: it fits its schema, can be stored, is of bearable size.

What is too long is split where that loses nothing (pieces of text) and cut with a marker where it does.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from sidecar.protocol import coalesce, frames, messages

MAX_EVENT_BYTES = 256 * 1024
"""The data of one event of an agent. A frame, and what a browser is sent at once, are a few of these."""

MAX_OWN_BYTES = frames.MAX_FRAME_BYTES - 64 * 1024
"""The same for an event of the sidecar itself, such as a long prompt: it fits into a frame."""

_CUTS = ((64 * 1024, 1000), (16 * 1024, 500), (4 * 1024, 200), (1024, 100), (256, 20), (64, 5))
"""Tried in this order until the data is small enough: characters of a text, items of a list or object."""

_MAX_DEPTH = 64
"""Levels of lists and objects in each other: readers recurse, and run out of stack at some hundreds."""

_MAX_BITS = 63
_LONG_NUMBER = re.compile(rb"\d{19}")

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Admitted:
    """Data that may be numbered, and its encoded length."""

    data: messages.Data
    size: int


def admit(kind: str, data: messages.Data, *, most_bytes: int = MAX_EVENT_BYTES) -> list[Admitted]:
    """`data` as it may be stored, in pieces where it is a long text; the result shares nothing with `data`.

    MessageError when it does not fit its kind.
    """
    plain, raw = _encoded(data)
    checked = messages.check_data(kind, plain)
    if isinstance(checked, messages.PermissionAsked | messages.PermissionAnswered):
        _check_id(checked.permission_id)
    if raw is None or not _is_harmless(checked, raw):
        plain = _clean(plain, _MAX_DEPTH)
        checked = messages.check_data(kind, plain)
        raw = _encoder.encode(plain)
    if isinstance(checked, messages.TextDelta | messages.ToolOutput):
        if len(checked.text) <= coalesce.MAX_DELTA_CHARACTERS:
            return [Admitted(checked, len(raw))]
        return _split(checked)
    if len(raw) <= most_bytes:
        return [Admitted(checked, len(raw))]
    return [_shortened(kind, plain, most_bytes)]


def _encoded(data: messages.Data) -> tuple[dict[str, Any], bytes | None]:
    """Plain values and their JSON; no JSON when a text in them holds half of a surrogate pair."""
    try:
        plain = messages.to_data(data)
        return plain, _encoder.encode(plain)
    except UnicodeEncodeError:
        return plain, None
    except (RecursionError, TypeError, ValueError) as error:
        raise messages.MessageError("data has no JSON form") from error


def _is_harmless(data: messages.Data, raw: bytes) -> bool:
    """Whether every reader of this JSON can take it; a wrong no costs only time."""
    if b"\\u0000" in raw:
        return False
    if not isinstance(data, messages.ToolUpsert) or not data.input:
        return True
    return raw.count(b"{") + raw.count(b"[") < _MAX_DEPTH and not _LONG_NUMBER.search(raw)


def _check_id(permission_id: str) -> None:
    try:
        uuid.UUID(permission_id)
    except ValueError as error:
        raise messages.MessageError("a permission's id is not a UUID") from error


def _clean(value: Any, depth: int) -> Any:
    """What some reader cannot take is replaced; characters one for one, so that offsets stay true."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [_clean(item, depth - 1) for item in value] if depth else "[…]"
    if isinstance(value, dict):
        if not depth:
            return "{…}"
        return {_clean(key, depth): _clean(item, depth - 1) for key, item in value.items()}
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f"[a number of {value.bit_length()} bits]"
    return value


def _split(data: messages.TextDelta | messages.ToolOutput) -> list[Admitted]:
    pieces = []
    for start in range(0, len(data.text), coalesce.MAX_DELTA_CHARACTERS):
        text = data.text[start : start + coalesce.MAX_DELTA_CHARACTERS]
        piece = msgspec.structs.replace(data, offset=data.offset + start, text=text)
        if start and isinstance(piece, messages.ToolOutput):
            piece.omitted, piece.gap = 0, False
        pieces.append(Admitted(piece, len(_encoder.encode(piece))))
    return pieces


def _shortened(kind: str, plain: dict[str, Any], most_bytes: int) -> Admitted:
    """The data with its longest texts, lists and objects cut, as gently as its size allows."""
    for characters, items in _CUTS:
        shorter = {name: _cut(value, characters, items) for name, value in plain.items()}
        raw = _encoder.encode(shorter)
        if len(raw) <= most_bytes:
            return Admitted(messages.check_data(kind, shorter), len(raw))
    raise messages.MessageError("data is too large, even when it is cut")


def _cut(value: Any, characters: int, items: int) -> Any:
    if isinstance(value, str) and len(value) > characters:
        return f"{value[:characters]}\n… [{len(value) - characters} characters cut]"
    if isinstance(value, list):
        return [_cut(item, characters, items) for item in value[:items]]
    if isinstance(value, dict):
        kept = list(value.items())[:items]
        return {_cut(key, 200, 0): _cut(item, characters, items) for key, item in kept}
    return value
