"""Git's pkt-lines (gitprotocol-common): four hexadecimal digits of length, then so many bytes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

FLUSH = b"0000"
MAX_BYTES = 65520
"""Of one line, its length included."""

_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")


class Malformed(Exception):
    """These bytes are no pkt-lines."""


def encode(payload: bytes) -> bytes:
    """The line that carries `payload`."""
    if len(payload) > MAX_BYTES - 4:
        raise ValueError("a pkt-line has 65516 bytes at most")
    return b"%04x" % (len(payload) + 4) + payload


def until_flush(data: bytes) -> tuple[list[bytes], int] | None:
    """The lines before the first flush, and how many bytes that were with it; None while more have to come.

    Malformed for anything else, a delimiter or an end of response included: no list of commands has them.
    """
    lines: list[bytes] = []
    for payload, end in _lines(data):
        if payload is None:
            return lines, end
        lines.append(payload)
    return None


def _lines(data: bytes) -> Iterator[tuple[bytes | None, int]]:
    """Each whole line with where it ends; a flush is None."""
    at = 0
    while len(data) - at >= 4:
        if not _LENGTH.fullmatch(data[at : at + 4]):
            raise Malformed
        length = int(data[at : at + 4], 16)
        if length == 0:
            yield None, at + 4
            at += 4
            continue
        if length < 4 or length > MAX_BYTES:
            raise Malformed
        if len(data) - at < length:
            return
        yield data[at + 4 : at + length], at + length
        at += length
