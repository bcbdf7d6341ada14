"""Which requests of git pass: the two services of the smart protocol, of the session's repositories. Pure.

The path is matched against the repositories and said anew; nothing of it is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sidecar.protocol.git import Repository

Service = Literal["git-upload-pack", "git-receive-pack"]

_TARGET = re.compile(
    r"/(?P<host>[a-z0-9.-]+(?::[0-9]{1,5})?)/(?P<path>[A-Za-z0-9_.~/-]+?)(?:\.git)?/"
    r"(?P<call>info/refs|git-upload-pack|git-receive-pack)(?:\?(?P<query>[a-z=-]*))?"
)
# Without accept-encoding: the token could not be found in an answer that is compressed.
_REQUEST_HEADERS = frozenset(
    {
        *(b"accept", b"content-encoding", b"content-length", b"content-type"),
        *(b"git-protocol", b"transfer-encoding", b"user-agent"),
    }
)
_RESPONSE_HEADERS = frozenset({b"cache-control", b"content-length", b"content-type", b"transfer-encoding"})

Headers = tuple[tuple[bytes, bytes], ...]


class Refused(Exception):
    """A request that may not pass; `status` and the message are the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Asked:
    """What git wants of which repository; `path` is what the host is asked for."""

    repository: Repository
    service: Service
    path: str
    is_push: bool = False


def read(repositories: Sequence[Repository], method: str, target: bytes) -> Asked:
    """What a request asks for. Refused when that is nothing that a session's git needs."""
    match = _TARGET.fullmatch(target.decode("ascii", "replace"))
    if match is None:
        raise Refused(404, "Only git's smart protocol over HTTP is possible here, and no large file storage.")
    known = (each for each in repositories if (each.host, each.path) == (match["host"], match["path"]))
    repository = next(known, None)
    if repository is None:
        names = ", ".join(f"{each.host}/{each.path}" for each in repositories) or "none"
        raise Refused(403, f"This is no repository of this session. It has: {names}.")
    call, query = match["call"], match["query"]
    base = f"/{repository.path}.git/{call}"
    if call == "info/refs":
        service = (query or "").removeprefix("service=")
        if method != "GET" or service not in ("git-upload-pack", "git-receive-pack"):
            raise Refused(403, "Only git's smart protocol over HTTP is possible here.")
        asked = Asked(repository, service, f"{base}?service={service}")  # type: ignore[arg-type]  # one of the two
    elif method == "POST" and query is None:
        asked = Asked(repository, call, base, is_push=call == "git-receive-pack")  # type: ignore[arg-type]
    else:
        raise Refused(405, "Git does not ask like this.")
    if asked.service == "git-receive-pack" and not repository.provider:
        raise Refused(403, "Nothing can be pushed from this session: it has no token for this host.")
    return asked


def request_headers(headers: Headers) -> Headers:
    """The headers of the box's request that go to the host: nothing of an account."""
    return tuple((name, value) for name, value in headers if name in _REQUEST_HEADERS)


def response_headers(headers: Headers) -> Headers:
    """The headers of the host's answer that go to the box."""
    return tuple((name, value) for name, value in headers if name in _RESPONSE_HEADERS)
