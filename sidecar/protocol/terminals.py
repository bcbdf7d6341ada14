"""What terminals add to the link, from version 2 on, and what their viewers are told: docs/terminals.md.

Bytes are binary messages: a kind, the viewer's number on this link, and what the browser's socket carries as
well: flags, the offset of the first byte, and the bytes."""

from __future__ import annotations

import struct
from typing import Annotated, Literal, NamedTuple

import msgspec

from sidecar.protocol import messages
from sidecar.protocol.framing import ExitCode, Frame, FrameError, Number

VERSION = 2
"""The version of the link that knows terminals."""

CHUNK_BYTES = 64 * 1024
"""The most bytes of a terminal in one message."""
WINDOW_BYTES = 256 * 1024
"""How much output a viewer may leave unacknowledged, and how much input the sidecar."""
RING_BYTES = 2 * 1024 * 1024
"""How much output of a terminal is kept, unless an order says otherwise."""
SAVED_BYTES = 256 * 1024
"""The most bytes in one piece of a ring that is saved."""

MAX_ROWS, MIN_COLS, MAX_COLS = 500, 2, 1000
MAX_OFFSET = 2**62
MAX_VIEWERS = 8

OUTPUT, INPUT = 1, 2
"""The kinds of binary messages: up and down."""
LIVE, ANSWER = 1, 2
"""The flags of output: produced after this viewer came; it is this viewer that answers queries in it."""

Reason = messages.TerminalReason
Rows = Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)]
Cols = Annotated[int, msgspec.Meta(ge=MIN_COLS, le=MAX_COLS)]

_LINK = struct.Struct(">BI")
_HEAD = struct.Struct(">BQ")


class Message(NamedTuple):
    """A binary message of the link; `rest` is what the browser's socket carries, head and bytes."""

    kind: int
    viewer: int
    rest: bytes


def pack(flags: int, offset: int, data: bytes) -> bytes:
    """A binary message of a terminal's socket."""
    return _HEAD.pack(flags, offset) + data


def unpack(message: bytes) -> tuple[int, int, bytes]:
    """Flags, offset and bytes of such a message. FrameError when it is none."""
    if not _HEAD.size <= len(message) <= _HEAD.size + CHUNK_BYTES:
        raise FrameError("a message of a terminal has a head and at most 64 KiB")
    flags, offset = _HEAD.unpack_from(message)
    if offset > MAX_OFFSET:
        raise FrameError("no terminal has such an offset")
    return flags, offset, message[_HEAD.size :]


def pack_output(viewer: int, flags: int, offset: int, data: bytes) -> bytes:
    """Output for one viewer as a binary message of the link."""
    return _LINK.pack(OUTPUT, viewer) + _HEAD.pack(flags, offset) + data


def pack_input(viewer: int, message: bytes) -> bytes:
    """What a viewer's socket sent as a binary message of the link."""
    return _LINK.pack(INPUT, viewer) + message


def unpack_link(message: bytes, kind: int) -> Message:
    """A binary message of the link. FrameError when it is none of this kind."""
    if not _LINK.size + _HEAD.size <= len(message) <= _LINK.size + _HEAD.size + CHUNK_BYTES:
        raise FrameError("a binary message has two heads and at most 64 KiB")
    found, viewer = _LINK.unpack_from(message)
    if found != kind:
        raise FrameError("a binary message out of place")
    return Message(found, viewer, message[_LINK.size :])


# --- what a viewer is told ---------------------------------------------------------------------------


class Tell(msgspec.Struct, kw_only=True, tag_field="type"):
    """Base of the text messages down a terminal's socket."""


class Waiting(Tell, tag="waiting"):
    """There is nobody to talk to: the session starts, or its link is away for a moment."""

    reason: Literal["starting", "link"]


class Welcome(Tell, tag="hello"):
    """The viewer is there: where its output goes on, and from where its input is wanted."""

    offset: Number
    reset: bool
    live_from: Number
    input: Number
    rows: Rows
    cols: Cols
    closed: bool = False
    recording: bool = False


class Reset(Tell, tag="reset"):
    """The viewer's place has left the ring: output goes on at `offset`, on an empty screen."""

    offset: Number


class Size(Tell, tag="size"):
    """Output from `offset` on is for a screen of this size."""

    offset: Number
    rows: Rows
    cols: Cols


class Taken(Tell, tag="input"):
    """Input of this client before `offset` will neither be lost nor repeated."""

    offset: Number


class Watcher(msgspec.Struct, kw_only=True):
    """One viewer as the others see it; without a size it has not said one."""

    id: int
    name: str
    rows: Rows | None = None
    cols: Cols | None = None


class Watchers(Tell, tag="viewers"):
    """Who watches, who answers queries, and who typed last."""

    you: int
    leader: int
    typist: int | None
    viewers: list[Watcher]


class Ended(Tell, tag="exit"):
    """The terminal is closed, and its output ended at `offset`."""

    offset: Number
    reason: Reason
    exit_code: ExitCode | None = None
    message: str = ""


class Gone(Tell, tag="gone"):
    """For the platform only: this viewer is not served; `unknown` terminal, `slow_down` or `crowded`."""

    why: Literal["unknown", "slow_down", "crowded"]


AnyTell = Welcome | Reset | Size | Taken | Watchers | Ended | Gone


# --- frames of the link ------------------------------------------------------------------------------


class TerminalTell(Frame, tag="terminal.tell"):
    """Up: a text message for one viewer, in order with its output."""

    viewer: int
    tell: AnyTell


class TerminalSaved(Frame, tag="terminal.saved"):
    """Up: a piece of a closed terminal's ring at `offset`; the ring reaches from `start` to `end`.

    `sizes` are `[offset, rows, cols]`, `times` `[offset, milliseconds]` if recorded; both in the first piece.
    """

    terminal: str
    start: Number
    end: Number
    offset: Number
    data: bytes
    sizes: list[tuple[Number, Rows, Cols]] = []
    times: list[tuple[Number, Number]] = []


class TerminalWork(Frame, tag="terminal.work"):
    """Up: a program in a terminal goes on by itself, so the session is not idle. Said now and then."""


class TerminalWatch(Frame, tag="terminal.watch"):
    """Down: a viewer comes. Without an offset it wants all that is kept; a size of 0 is not said yet."""

    viewer: int
    terminal: str
    client: str
    name: str = ""
    offset: int | None = None
    rows: int = 0
    cols: int = 0


class TerminalUnwatch(Frame, tag="terminal.unwatch"):
    """Down: a viewer is gone."""

    viewer: int


class TerminalAck(Frame, tag="terminal.ack"):
    """Down: a viewer has parsed the output before `offset`."""

    viewer: int
    offset: Number


class TerminalSize(Frame, tag="terminal.size"):
    """Down: the size of a viewer's screen."""

    viewer: int
    rows: int
    cols: int


class TerminalSavedAck(Frame, tag="terminal.saved.ack"):
    """Down: the ring is stored before `offset`."""

    terminal: str
    offset: int


Up = TerminalTell | TerminalSaved | TerminalWork
Down = TerminalWatch | TerminalUnwatch | TerminalAck | TerminalSize | TerminalSavedAck


# --- commands and a query ----------------------------------------------------------------------------


class TerminalOpen(msgspec.Struct, kw_only=True):
    """`terminal.open`: without a command a login shell; `record` keeps the times of the output.

    `ring_bytes` is how much output is kept.
    """

    terminal: str
    command: list[str] = []
    rows: int = 24
    cols: int = 80
    title: str = ""
    by: str = ""
    record: bool = False
    ring_bytes: int = RING_BYTES


class TerminalClose(msgspec.Struct, kw_only=True):
    """`terminal.close`: end its programs."""

    terminal: str


class TerminalResize(msgspec.Struct, kw_only=True):
    """`terminal.resize`: the size that holds while no viewer has said one."""

    terminal: str
    rows: int
    cols: int


class TerminalRead(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`terminals.read`: a piece of an open terminal's ring, from `offset` or from where it begins."""

    terminal: str
    offset: int = 0


class TerminalPiece(msgspec.Struct, kw_only=True):
    """The answer: bytes at `offset`, in base64; sizes and times as in TerminalSaved, in the first piece."""

    offset: Number
    end: Number
    data: bytes
    sizes: list[tuple[Number, Rows, Cols]] = []
    times: list[tuple[Number, Number]] = []


def encode_tell(tell: Tell) -> str:
    """The text message for a viewer."""
    return msgspec.json.encode(tell).decode()


def is_size(rows: int, cols: int) -> bool:
    """Whether a terminal can have this size."""
    return 1 <= rows <= MAX_ROWS and MIN_COLS <= cols <= MAX_COLS
