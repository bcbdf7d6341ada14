"""What one connection of the box is about: where its request is to go, and whether it may."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sidecar.gate.egress.policy import OddHost, Reason, Target, read_target
from sidecar.http1 import BadRequest, Request


class Blocked(Exception):
    """The box may not reach the host."""

    def __init__(self, target: Target | str, reason: Reason) -> None:
        super().__init__(reason)
        self.target = target
        self.reason = reason


@dataclass(eq=False)
class Passage:
    """One connection of the box, and while it leads to a host, which one.

    `is_brief`: a person let it through for once, and it may go on when that has run out.
    """

    task: asyncio.Task[None] = field(init=False)
    target: Target | None = None
    is_brief: bool = False


def read(request: Request) -> tuple[Target, str]:
    """Where a request is to go, and what it asks there. BadRequest, or Blocked for an odd host."""
    is_connect = request.method == "CONNECT"
    if not is_connect and not request.target.startswith(b"http://"):
        raise BadRequest(400, "it is a proxy, for http:// addresses and for CONNECT")
    try:
        if is_connect:
            return read_target(request.target.decode("ascii")), ""
        return _read_absolute(request.target)
    except (OddHost, UnicodeDecodeError):
        shown = request.target.decode("ascii", "replace")
        raise Blocked(shown.removeprefix("http://").partition("/")[0], "odd_host") from None


def _read_absolute(target: bytes) -> tuple[Target, str]:
    """Where an absolute address leads, and what to ask for there. OddHost for any other."""
    try:
        address = urlsplit(target.decode("ascii"))
    except ValueError:
        raise OddHost from None
    if address.scheme != "http" or "\\" in address.netloc:
        raise OddHost
    asked = (address.path or "/") + (f"?{address.query}" if address.query else "")
    return read_target(address.netloc, default_port=80), asked
