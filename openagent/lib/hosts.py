"""Which hosts people may name for the way out of a box: one name or all below it, perhaps with a port."""

from __future__ import annotations

import ipaddress
import re

from openagent.lib.errors import AppError

USUAL_PORTS = frozenset({80, 443})
"""What a pattern without a port is for."""
MAX_LENGTH = 260
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_HIGHEST_PORT = 65535


class BadHost(AppError):
    """This cannot be the name of a host; the message says what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_host", message, 400)


def normalise(text: str) -> str:
    """The one way to write this pattern: `example.com`, `*.example.com` or `example.com:8443`. BadHost."""
    pattern = text.strip().lower()
    if not pattern:
        raise BadHost("Write the name of a host, such as example.com.")
    if len(pattern) > MAX_LENGTH:
        raise BadHost("The name of a host is not as long as this.")
    if "/" in pattern or "@" in pattern:
        raise BadHost("Write only the host, such as example.com: no https://, no path and no user.")
    host, has_port, port = pattern.partition(":")
    if ":" in port or "[" in host:
        raise BadHost("IPv6 addresses cannot be named here: write the name of the host.")
    if has_port and not (_PORT.fullmatch(port) and int(port) <= _HIGHEST_PORT):
        raise BadHost("The port after the colon is a number from 1 to 65535.")
    _check_name(host.removesuffix("."))
    return host.removesuffix(".") + (f":{port}" if has_port else "")


def can_be_named(text: str) -> bool:
    """Whether `normalise` takes it."""
    try:
        normalise(text)
    except BadHost:
        return False
    return True


def normalise_all(texts: list[str], *, most: int) -> list[str]:
    """All of them, each once, in their order. BadHost names the one that is wrong."""
    patterns = []
    for text in texts:
        try:
            patterns.append(normalise(text))
        except BadHost as error:
            raise BadHost(f"“{text[:80]}”: {error.message}") from None
    patterns = list(dict.fromkeys(patterns))
    if len(patterns) > most:
        raise BadHost(f"There may be {most} hosts at most.")
    return patterns


def lines(text: str) -> list[str]:
    """The patterns of a text with one on each line, as they were written."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def of(host: str, port: int) -> str:
    """The pattern for just this host and port."""
    return host if port in USUAL_PORTS else f"{host}:{port}"


def covers(pattern: str, host: str, port: int, *, any_port: bool = False) -> bool:
    """Whether this normalised pattern is for this host and port; see `sidecar.gate.egress.policy.covers`."""
    name, _, wanted = pattern.partition(":")
    if port != int(wanted) if wanted else not any_port and port not in USUAL_PORTS:
        return False
    host = host.lower().removesuffix(".")
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def _check_name(host: str) -> None:
    is_wide = host.startswith("*.")
    labels = host.removeprefix("*.").split(".")
    if host == "*" or "*" in host.removeprefix("*."):
        raise BadHost("A * can only stand for what is before a name, as in *.example.com.")
    if not host.isascii():
        raise BadHost("Write the name in its ASCII form, which begins with xn--.")
    if all(label.isdecimal() or label.startswith("0x") for label in labels):
        _check_address(host)
        return
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadHost("This is not the name of a host. It looks like example.com or *.example.com.")
    if len(labels) == 1:
        wider = " after the *" if is_wide else ""
        raise BadHost(f"Write the whole name, with a dot{wider}: example.com and not example.")


def _check_address(host: str) -> None:
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise BadHost("This is neither a name nor a whole IPv4 address.") from None
    if not address.is_global or address.is_multicast:
        raise BadHost("This address is in a private network, where boxes are never let in.")
