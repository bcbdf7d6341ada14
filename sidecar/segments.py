"""The journal's files: how a record and a segment look on the disk, and how a damaged one is read.

A journal directory belongs to one session. A generation's events stand in one or more segments, named after
the generation and a running index. A segment is a row of records: length, CRC-32 of the payload, payload as
JSON. The first record says whose segment it is; the others are events, or marks that say up to which number
events are stored by the platform and commands carried out.

Reading believes nothing: a segment ends where a record does not fit its checksum, whatever the reason.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sidecar.protocol import frames

SUFFIX = ".journal"
_HEAD = struct.Struct(">II")
HEAD_BYTES = _HEAD.size
MAX_PAYLOAD_BYTES = 2 * frames.MAX_FRAME_BYTES


class Owner(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The first record of a segment."""

    journal: int = 1
    session: str
    gen: int
    instance: str


class Mark(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Events up to `stored` are on the platform, commands up to `command` are carried out; 0 says nothing."""

    stored: int = 0
    command: int = 0


class _Numbered(msgspec.Struct):
    """The one field of an event that reading needs."""

    seq: int = 0


@dataclass(frozen=True, order=True)
class Name:
    """The name of a segment: generation, then index within it."""

    gen: int
    index: int

    def __str__(self) -> str:
        return f"{self.gen:010d}-{self.index:06d}{SUFFIX}"

    @classmethod
    def parse(cls, text: str) -> Name | None:
        """The name behind a file name; None for a file that is not a segment."""
        gen, separator, index = text.removesuffix(SUFFIX).partition("-")
        if not (text.endswith(SUFFIX) and separator and gen.isdecimal() and index.isdecimal()):
            return None
        name = cls(int(gen), int(index))
        return name if str(name) == text else None


@dataclass
class Segment:
    """What a segment holds up to its end or its first damaged record."""

    owner: Owner | None = None
    events: list[tuple[int, bytes]] = field(default_factory=list)
    mark: Mark = field(default_factory=Mark)
    damaged_bytes: int = 0


_encoder = msgspec.json.Encoder()
_owner = msgspec.json.Decoder(Owner)
_mark = msgspec.json.Decoder(Mark)
_numbered = msgspec.json.Decoder(_Numbered)


def pack(payload: bytes) -> bytes:
    """The record of `payload`."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def pack_struct(record: Owner | Mark) -> bytes:
    return pack(_encoder.encode(record))


def names(directory: Path) -> list[Name]:
    """The segments of a directory, oldest first."""
    found = (Name.parse(path.name) for path in directory.iterdir())
    return sorted(name for name in found if name is not None)


def read(path: Path) -> Segment:
    """All that is whole in the segment at `path`."""
    raw = path.read_bytes()
    segment = Segment()
    end = 0
    for payload in _payloads(raw):
        if not _take(segment, payload):
            break
        end += HEAD_BYTES + len(payload)
    segment.damaged_bytes = len(raw) - end
    return segment


def _payloads(raw: bytes) -> Iterator[bytes]:
    at = 0
    while at + HEAD_BYTES <= len(raw):
        length, checksum = _HEAD.unpack_from(raw, at)
        payload = raw[at + HEAD_BYTES : at + HEAD_BYTES + length]
        # A length of zero would fit its checksum: a file system fills a torn tail with zeros.
        if not 0 < length <= MAX_PAYLOAD_BYTES or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        yield payload
        at += HEAD_BYTES + length


def _take(segment: Segment, payload: bytes) -> bool:
    """Enter one record; False when it is none of ours."""
    try:
        if segment.owner is None:
            segment.owner = _owner.decode(payload)
            return True
        if seq := _numbered.decode(payload).seq:
            segment.events.append((seq, payload))
            return True
        mark = _mark.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    segment.mark.stored = max(segment.mark.stored, mark.stored)
    segment.mark.command = max(segment.mark.command, mark.command)
    return True
