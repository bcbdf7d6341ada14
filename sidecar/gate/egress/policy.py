"""Whether the box may reach a host: what it asks for is read strictly, then matched with what is allowed.

A name is nothing but letters, digits and hyphens between dots, an address is written as everybody writes it.
Whatever else some program takes for a host (octal, hexadecimal, short, with a dot or a zone at its end) is
refused before anything looks at it. Pure: whoever calls brings the time.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sidecar.protocol.egress import Egress

BRIEF_SECONDS = 60.0
"""How long "once" and a rejection hold, for what a program tries again."""
USUAL_PORTS = frozenset({80, 443})
"""What a pattern without a port is for."""

Reason = Literal[
    "policy_none",  # nothing is allowed
    "not_allowed",  # the allow-list does not have it
    "never",  # somebody refused it for good
    "rejected",  # a person just refused it
    "unanswered",  # nobody answered in time
    "too_many_questions",  # nobody was asked, because so many were asked already
    "port",  # another port than those of the web, that nobody named
    "private",  # it leads into a private network, or to this machine
    "odd_host",  # it is not written as a host is
]

_MAX_NAME = 253
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_MAX_PORT = 65535


class OddHost(Exception):
    """This is not how a host and a port are written."""


@dataclass(frozen=True)
class Target:
    """A host, in lower case, and a port. An IPv6 address has no brackets here."""

    host: str
    port: int
    is_address: bool = False

    @property
    def rule(self) -> str:
        """The pattern that covers it and as little else as possible."""
        return self.host if self.port in USUAL_PORTS else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Verdict:
    """`reason` is empty when it is allowed; a trusted host may have private addresses.

    `is_brief`: a person said "once", so what is begun now may go on when that has run out.
    """

    reason: Reason | Literal[""] = ""
    is_trusted: bool = False
    is_brief: bool = False
    can_be_asked: bool = False


def read_target(authority: str, *, default_port: int = 0) -> Target:
    """`host:port` as a box wrote it. OddHost; also without a port, when there is no default."""
    if not authority.isascii():
        raise OddHost
    host, port = _split(authority.lower())
    if port and not (_PORT.fullmatch(port) and int(port) <= _MAX_PORT):
        raise OddHost
    number = int(port) if port else default_port
    if not number:
        raise OddHost
    if host.startswith("["):
        return Target(_ipv6(host), number, is_address=True)
    return Target(host, number, is_address=_is_ipv4(host))


def _split(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else (authority, "", "")
    if not colon and not host:
        host, port = authority, ""
    elif colon and not port:
        raise OddHost
    return host, port


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise OddHost from None
    if not host.endswith("]") or address.scope_id is not None:
        raise OddHost
    return str(address)


def _is_ipv4(host: str) -> bool:
    """Whether it is an address, else it is a name. OddHost when it is neither."""
    labels = host.split(".")
    if len(host) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise OddHost
    if not _NUMBER.fullmatch(labels[-1]):
        return False
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        raise OddHost from None


def covers(pattern: str, target: Target, *, any_port: bool = False) -> bool:
    """Whether `pattern` is for this host and port; with `any_port` one without a port is for all of them."""
    name, _, port = pattern.lower().partition(":")
    if port != str(target.port) if port else not any_port and target.port not in USUAL_PORTS:
        return False
    if name.startswith("*."):
        return not target.is_address and target.host.endswith(name[1:]) and target.host != name[1:]
    return target.host == name


class Policy:
    """What holds for one session: what the platform said last, and what a person answered here."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._for_session: set[str] = set()
        self._always: set[str] = set()
        self._never: set[str] = set()
        self._until: dict[str, float] = {}
        self._rejected: dict[str, float] = {}

    @property
    def name(self) -> str:
        return self._egress.policy

    def configure(self, egress: Egress) -> None:
        """The whole of it, from now on. It has what was said for longer, so that it can be taken back."""
        self._egress = egress
        self._for_session.clear()
        self._always.clear()
        self._never.clear()

    def answered(self, rule: str, choice: str, *, now: float) -> None:
        """What a person said about a host."""
        if choice == "once":
            self._until[rule] = now + BRIEF_SECONDS
        elif choice == "session":
            self._for_session.add(rule)
        elif choice == "always":
            self._always.add(rule)
        elif choice == "never":
            self._never.add(rule)
        else:
            self._rejected[rule] = now + BRIEF_SECONDS

    def judge(self, target: Target, *, now: float) -> Verdict:
        """Whether it may be reached, as far as its name goes."""
        egress = self._egress
        if _any_covers((*egress.never, *self._never), target, any_port=True):
            return Verdict("never")
        if egress.policy == "none":
            return Verdict("policy_none")
        if str(target) in egress.trusted:
            return Verdict(is_trusted=True)
        if _any_covers((*egress.hosts, *self._for_session, *self._always), target):
            return Verdict()
        if egress.policy == "full":
            return Verdict() if target.port in USUAL_PORTS else Verdict("port")
        if _holds(self._until, target.rule, now):
            return Verdict(is_brief=True)
        if _holds(self._rejected, target.rule, now):
            return Verdict("rejected")
        return Verdict("not_allowed", can_be_asked=egress.ask and not target.is_address)


def _any_covers(patterns: Iterable[str], target: Target, *, any_port: bool = False) -> bool:
    return any(covers(pattern, target, any_port=any_port) for pattern in patterns)


def _holds(until: dict[str, float], rule: str, now: float) -> bool:
    """Whether it has not run out; what has is forgotten."""
    for old in [each for each, end in until.items() if end <= now]:
        del until[old]
    return rule in until
