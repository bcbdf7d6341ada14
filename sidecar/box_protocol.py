"""The sidecar's side of the box protocol without I/O: what the box may say, and how much of it is believed.

Every byte comes from a program that the box's owner may have replaced. What does not fit is a BoxError; what
fits is still only a claim.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec

from sidecar.box import names
from sidecar.protocol.egress import EGRESS_PORT
from sidecar.protocol.git import GIT_PORT

VERSION = 1
GATE_PORTS = {"models": 7001, "egress": EGRESS_PORT, "git": GIT_PORT}
"""The loopback port in the box that leads to each gate."""

MAX_LINE_BYTES = 64 * 1024
MAX_LISTING_BYTES = 2 * 1024 * 1024
MAX_ENTRIES = 2000
MAX_NAME_CHARACTERS = 2048
MAX_PATH_CHARACTERS = 4096
MAX_READ_BYTES = 512 * 1024
MAX_CHANGES_BYTES = 4 * 1024 * 1024
MAX_MESSAGE_CHARACTERS = 300

EntryType = Literal["file", "dir", "link", "other"]

_WORDS = {
    "not_found": "There is no such file or program in the box.",
    "not_a_directory": "This is not a folder.",
    "not_a_file": "This is not a regular file.",
    "outside": "The path leads out of the workspace.",
    "denied": "The box may not read this.",
    "refused": "Nothing in the box listens on this port.",
    "failed": "The box could not do this.",
    "unknown_order": "The box of this session is older than this and cannot tell.",
    "busy": "The workspace is still being looked through; try again in a moment.",
    "no_git": "There is no git in the box to compare the workspace with.",
    "no_base": "There is nothing to compare the workspace with yet.",
    "not_kept": "This was too large to be kept, or is no file: it cannot be put back from here.",
    "too_large": "The workspace has too many new files, or too large ones, to be compared.",
    "full": "The disk has too little room left to compare the workspace.",
}


class BoxError(OSError):
    """The box refused, failed, lied or is gone. `code` is for machines, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Hello(msgspec.Struct):
    """The first line of every connection: what it is for."""

    hello: Literal["control", "stream", "gate"]
    version: int = 0
    id: int = 0
    name: str = ""


class Reply(msgspec.Struct):
    """A line on the control connection: an order was taken or refused, or its program has ended."""

    id: int
    ok: bool = True
    error: str = ""
    message: str = ""
    exit: int | None = None
    ports: dict[str, int] | None = None


class _Listing(msgspec.Struct):
    entries: list[tuple[str, EntryType, int, float]]
    truncated: bool


@dataclass(frozen=True)
class Entry:
    """A file or folder; `name` is printable and may hold escapes (`sidecar.box.names`).

    `modified` is Unix time.
    """

    name: str
    type: EntryType
    size: int
    modified: float


@dataclass(frozen=True)
class Listing:
    """What is in a folder, in the order of names; `truncated` when there is more than could be listed."""

    entries: list[Entry]
    truncated: bool


_T = TypeVar("_T")
_hello = msgspec.json.Decoder(Hello)
_reply = msgspec.json.Decoder(Reply)
_listing = msgspec.json.Decoder(_Listing)


def decode_hello(line: bytes) -> Hello:
    return _decode(_hello, line)


def decode_reply(line: bytes) -> Reply:
    return _decode(_reply, line)


def decode_listing(data: bytes) -> Listing:
    """A folder's entries as far as they can be true."""
    found = _decode(_listing, data)
    if len(found.entries) > MAX_ENTRIES:
        raise broken("it lists more entries than were asked for")
    return Listing([_entry(*row) for row in found.entries], found.truncated)


def refusal(reply: Reply) -> BoxError:
    """The error for an order that the box refused; only codes that we know are passed on."""
    code = reply.error if reply.error in _WORDS else "failed"
    message = _WORDS[code]
    if code == "failed" and reply.message:
        message = f"{message} It says: {names.clean(reply.message)[:MAX_MESSAGE_CHARACTERS]}"
    return BoxError(code, message)


def broken(what: str) -> BoxError:
    """The box does not keep to the protocol: `what` in words."""
    return BoxError("box_protocol", f"The box breaks its protocol: {what}.")


def check_path(path: str) -> str:
    """A path that may be asked for. BoxError when no file of the box can have it."""
    if len(path) > MAX_PATH_CHARACTERS or "\0" in path:
        raise BoxError("not_found", _WORDS["not_found"])
    return path.encode("utf-8", "replace").decode()


def exit_code(reply: Reply) -> int:
    """A program's exit code; negative is the signal that ended it."""
    code = reply.exit
    if code is None or not -128 <= code <= 255:
        raise broken("an impossible exit code")
    return code


def _entry(name: str, kind: EntryType, size: int, modified: float) -> Entry:
    if not name or name in {".", ".."} or "/" in name or len(name) > MAX_NAME_CHARACTERS:
        raise broken("an impossible file name")
    if not 0 <= size < 2**63:
        raise broken("an impossible file size")
    # Any time can be written into a file; only what no calendar has is corrected.
    known = modified if math.isfinite(modified) and 0 <= modified < 2**33 else 0.0
    return Entry(names.clean(name), kind, size, known)


def _decode(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise broken("a malformed message") from error
