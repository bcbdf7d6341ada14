"""What is kept of a terminal's output: stored piece by piece, and answered as bytes, text or a recording."""

from __future__ import annotations

import json
import re
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import transaction

from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.models import Terminal, TerminalPiece, TerminalState
from sessions_app.services import state
from sidecar.protocol import terminals

MAX_KEPT_BYTES = 8 * 1024 * 1024
MAX_PIECES = 2 * MAX_KEPT_BYTES // terminals.SAVED_BYTES
"""Of one terminal: twice as many as a sidecar sends that fills its pieces, as ours does."""
READ_SECONDS = 30.0
"""How long an open terminal is read, whatever its sidecar answers; what is kept of one takes a second."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\Z)"  # OSC, DCS, SOS, PM, APC and their text
    r"|\x1b[ -/]*[0-~]"
    r"|[\x80-\x9f]",
    re.DOTALL,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class NotRecorded(AppError):
    """There are no times to play it by."""

    def __init__(self) -> None:
        super().__init__("not_recorded", "This terminal was not recorded.", 409)


@dataclass(slots=True)
class Kept:
    """Output from `start` on, and the sizes and times that belong to it; it ended, or stands, at `end`."""

    start: int = 0
    data: bytes = b""
    sizes: list[tuple[int, int, int]] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0

    def size_at(self, offset: int) -> tuple[int, int] | None:
        """Rows and cols that the byte at `offset` is for, if that is known."""
        return next((change[1:] for change in reversed(self.sizes) if change[0] <= offset), None)

    def pieces(self, start: int) -> Iterator[terminals.Size | tuple[int, bytes]]:
        """The output from `start` on, with the changes of size in their places."""
        end = self.start + len(self.data)
        changes = [change for change in self.sizes if start < change[0] <= end]
        for until, rows, cols in [*changes, (end, 0, 0)]:
            while start < until:
                length = min(terminals.CHUNK_BYTES, until - start)
                yield start, self.data[start - self.start : start - self.start + length]
                start += length
            if rows:
                yield terminals.Size(offset=until, rows=rows, cols=cols)


@transaction.atomic
def store(*, session_id: uuid.UUID, saved: terminals.TerminalSaved) -> terminals.TerminalSavedAck:
    """Keeps a piece, once. What is too much, or of a terminal that is gone, is acknowledged and left out."""
    done = terminals.TerminalSavedAck(terminal=saved.terminal, offset=saved.offset + len(saved.data))
    try:
        terminal_id = uuid.UUID(saved.terminal)
    except ValueError:
        return done
    rows = Terminal.objects.present().filter(pk=terminal_id, session=session_id)
    terminal = rows.first()
    fits = 0 <= saved.start <= saved.offset <= saved.end <= saved.start + MAX_KEPT_BYTES
    if terminal is None or not fits or terminal.pieces.count() >= MAX_PIECES:
        return terminals.TerminalSavedAck(terminal=saved.terminal, offset=max(saved.end, saved.offset))
    if saved.offset == saved.start:
        rows.filter(kept_end=None).update(
            kept_start=saved.start,
            kept_to=saved.start,
            kept_end=saved.end,
            sizes=saved.sizes,
            times=saved.times,
        )
    # Only what comes next moves the row, so that a repeated piece stores nothing.
    moved = rows.filter(kept_to=saved.offset, kept_end=saved.end).update(kept_to=done.offset)
    if moved and saved.data:
        TerminalPiece.objects.create(
            terminal_id=terminal_id, offset=saved.offset, data=zlib.compress(saved.data, 1)
        )
    if done.offset == saved.end:
        state.bump(session_id)
    return done


def read(terminal: Terminal) -> Kept:
    """All that is kept of it: stored, or asked of the sidecar while it is open.

    AppError `asleep`, or `box_silent` when the sidecar does not give all of it in time.
    """
    if terminal.state == TerminalState.CLOSED:
        return stored(terminal)
    if terminal.state == TerminalState.OPENING:
        return Kept()
    kept, offset, end = Kept(), 0, 1
    deadline = time.monotonic() + READ_SECONDS
    while offset < end and len(kept.data) <= MAX_KEPT_BYTES:
        order = terminals.TerminalRead(terminal=str(terminal.pk), offset=offset)
        seconds = deadline - time.monotonic()
        question = msgspec.to_builtins(order)
        piece = _piece(relay.query(terminal.session_id, "terminals.read", question, timeout=seconds))
        if not kept.data:
            kept = Kept(piece.offset, b"", piece.sizes, piece.times, piece.end)
            end = piece.end
        elif piece.offset != offset:  # The ring has moved on while we read.
            break
        kept.data += piece.data
        offset = piece.offset + len(piece.data)
        if not piece.data:
            break
    return kept


def stored(terminal: Terminal) -> Kept:
    """What is kept of a closed one."""
    pieces = TerminalPiece.objects.filter(terminal=terminal.pk).order_by("offset")
    data = b"".join(zlib.decompress(bytes(piece.data)) for piece in pieces)
    end = terminal.kept_end or terminal.kept_start
    return Kept(terminal.kept_start, data, _pairs(terminal.sizes), _pairs(terminal.times), end)


def _pairs(marks: list[list[int]]) -> list[Any]:
    return [tuple(mark) for mark in marks]


def whole_text(kept: Kept) -> str:
    """As text, which says where it is not the whole."""
    before = "[Earlier output is not here.]\n" if kept.start > 0 else ""
    after = "\n[Later output is not here.]\n" if kept.end > kept.start + len(kept.data) else ""
    return f"{before}{as_text(kept.data)}{after}"


def as_text(data: bytes) -> str:
    """Without escape sequences and control characters; of a line that was drawn over, what was last."""
    text = _ESCAPES.sub("", data.decode("utf-8", "replace"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(_CONTROLS.sub("", line) for line in lines)


def as_recording(terminal: Terminal, kept: Kept) -> str:
    """Asciicast, version 2. NotRecorded."""
    if not terminal.is_recorded or not kept.times:
        raise NotRecorded
    sizes = kept.sizes or [(0, terminal.rows, terminal.cols)]
    began = kept.times[0][1]
    head = {"version": 2, "width": sizes[0][2], "height": sizes[0][1], "title": terminal.title}
    lines = [json.dumps(head)]
    decoder = _Decoder()
    for offset, milliseconds, size, data in _moments(kept, sizes):
        seconds = (milliseconds - began) / 1000
        if size and offset > kept.start:
            lines.append(json.dumps([seconds, "r", f"{size[1]}x{size[0]}"]))
        if text := decoder.text(data):
            lines.append(json.dumps([seconds, "o", text]))
    return "\n".join(lines) + "\n"


def _moments(
    kept: Kept, sizes: list[tuple[int, int, int]]
) -> Iterator[tuple[int, int, tuple[int, int] | None, bytes]]:
    """The output cut where its time or its size changes: (offset, milliseconds, new size, bytes)."""
    changes = {offset: (rows, cols) for offset, rows, cols in sizes}
    times = dict(kept.times)
    end = kept.start + len(kept.data)
    cuts = sorted({kept.start, *(offset for offset in (*changes, *times) if kept.start < offset < end)})
    now = kept.times[0][1]
    for offset, following in zip(cuts, [*cuts[1:], end], strict=True):
        now = times.get(offset, now)
        yield offset, now, changes.get(offset), kept.data[offset - kept.start : following - kept.start]


class _Decoder:
    """UTF-8 whose characters may be cut."""

    def __init__(self) -> None:
        self._left = b""

    def text(self, data: bytes) -> str:
        data = self._left + data
        for back in range(min(4, len(data)) + 1):
            try:
                text = data[: len(data) - back].decode()
            except UnicodeDecodeError:
                continue
            self._left = data[len(data) - back :]
            return text
        self._left = b""
        return data.decode("utf-8", "replace")


def _piece(answer: object) -> terminals.TerminalPiece:
    try:
        return msgspec.convert(answer, terminals.TerminalPiece)
    except msgspec.ValidationError:
        raise AppError("bad_answer", "The box gave an answer that makes no sense; try again.", 502) from None
