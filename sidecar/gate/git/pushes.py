"""What a push wants to change, read from its first bytes, whether it may, and how it is told that it may not.

The format is gitprotocol-pack's: `old new ref`, the first line with capabilities behind a NUL, up to a flush.
A push is all or nothing: one ref that is not allowed refuses all of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.gate.git import pkt_line

MAX_COMMAND_BYTES = 256 * 1024
"""Of all that a push wants to change: it is held until it is judged."""

_COMMAND = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([\x21-\x7e]{1,1000})")
_SHALLOW = re.compile(rb"shallow ([0-9a-f]{40}|[0-9a-f]{64})\n?")
_BRANCH = "refs/heads/"


@dataclass(frozen=True)
class Change:
    """One ref that is to be made, moved or deleted."""

    ref: str
    deletes: bool


@dataclass(frozen=True)
class Push:
    """All changes of a push, in order; `has_sideband`: the answer is wrapped into the first band."""

    changes: tuple[Change, ...]
    has_sideband: bool = False


def read(lines: Sequence[bytes]) -> Push:
    """The push that these lines describe. `pkt_line.Malformed` for anything that is not understood whole."""
    changes: list[Change] = []
    capabilities = b""
    for line in lines:
        if _SHALLOW.fullmatch(line):
            continue
        command, nul, rest = line.partition(b"\0")
        if nul and changes:
            raise pkt_line.Malformed
        capabilities = rest if nul else capabilities
        match = _COMMAND.fullmatch(command.removesuffix(b"\n"))
        if match is None:
            # Also a signed push, which would say it all a second time, in its certificate.
            raise pkt_line.Malformed
        changes.append(Change(match[3].decode("ascii"), deletes=not match[2].strip(b"0")))
    return Push(tuple(changes), has_sideband=b"side-band-64k" in capabilities.split())


def refusals(push: Push, patterns: Sequence[str]) -> dict[str, str]:
    """Why each ref of the push is refused; empty when the push may go on."""
    found = {change.ref: why for change in push.changes if (why := _why_not(change, patterns))}
    if found:
        for change in push.changes:
            found.setdefault(change.ref, "not pushed, because another ref of this push is refused")
    return found


def report(push: Push, refused: dict[str, str]) -> bytes:
    """The answer of a receive-pack that did nothing (report-status)."""
    lines = [pkt_line.encode(b"unpack ok\n")]
    lines += [pkt_line.encode(f"ng {change.ref} {refused[change.ref]}\n".encode()) for change in push.changes]
    status = b"".join(lines) + pkt_line.FLUSH
    if not push.has_sideband:
        return status
    size = pkt_line.MAX_BYTES - 5
    bands = [pkt_line.encode(b"\x01" + status[start : start + size]) for start in range(0, len(status), size)]
    return b"".join(bands) + pkt_line.FLUSH


def _why_not(change: Change, patterns: Sequence[str]) -> str:
    branch = change.ref.removeprefix(_BRANCH)
    if not change.ref.startswith(_BRANCH):
        return "only branches may be pushed from this session"
    if not any(_matches(pattern, branch) for pattern in patterns):
        return f"this session may push to {' or '.join(patterns) or 'no branch'} only"
    return "branches may not be deleted from this session" if change.deletes else ""


def _matches(pattern: str, branch: str) -> bool:
    return re.fullmatch(".+".join(map(re.escape, pattern.split("*"))), branch) is not None
