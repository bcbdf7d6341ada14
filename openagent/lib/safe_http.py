"""The one way in which the platform fetches an address that somebody else chose: never a private one.

A name is resolved once, every address it has must be a public one, and the connection goes to exactly the
address that was checked, so a name cannot change in between. Redirects are not followed; size and time are
capped as a whole, not for each step. Addresses that the administrator configured are trusted: they may be
private and without TLS.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpcore2

from openagent.lib.errors import AppError
from openagent.lib.redact import Secret
from sidecar.protocol import addresses

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\.?")
_PLAIN = re.compile(r"[\x21-\x7e]+")


class Refused(AppError):
    """The address is not one that we fetch; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__("address_refused", message, 400)


class Unreachable(AppError):
    """The address is allowed, but no whole answer came from it."""

    def __init__(self, message: str) -> None:
        super().__init__("unreachable", message, 502)


@dataclass(frozen=True)
class Answer:
    """A whole response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Limits:
    """`seconds` is for everything together, from the look-up of the name to the last byte."""

    seconds: float = 10.0
    body_bytes: int = 1 << 20


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str | Secret] | None = None,
    content: bytes = b"",
    trusted: Collection[str] = (),
    limits: Limits | None = None,
) -> Answer:
    """The answer of `url`, whatever its status. `trusted` are URLs whose scheme, host and port are allowed
    to be private. Refused before anything is sent, Unreachable after."""
    parts = _parse(url)
    is_trusted = _origin(parts) in {_origin(_parse(item)) for item in trusted}
    if not is_trusted and (parts.scheme, _port(parts)) != ("https", 443):
        raise Refused("Only https addresses on the standard port can be used.")
    limits = limits or Limits()
    backend = _Backend(deadline=time.monotonic() + limits.seconds, is_trusted=is_trusted)
    with (
        _errors(),
        httpcore2.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool,
        pool.stream(
            method, _target(parts), headers=_revealed(headers or {}), content=content or None
        ) as response,
    ):
        body = _read(response.iter_stream(), limits.body_bytes)
    answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return Answer(status=response.status, headers=answered, body=body)


def check(url: str) -> None:
    """Refused when `fetch` would not ask `url`, as far as can be told without looking up a name."""
    parts = _parse(url)
    if (parts.scheme, _port(parts)) != ("https", 443):
        raise Refused("Only https addresses on the standard port can be used.")
    host = (parts.hostname or "").rstrip(".")
    try:
        # Also 127.1, 0x7f000001 and the like, which connect to where they do not seem to.
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        if "." not in host:
            raise Refused("This host leads into a private network.") from None
        return
    for entry in found:
        check_public(str(entry[4][0]))


def check_public(address: str) -> None:
    """Refused unless this IP address is one on the public internet."""
    if not addresses.public(address):
        raise Refused("This host leads into a private network.")


def is_public(host: str, port: int) -> bool:
    """Whether every address of this host is one on the public internet. Unreachable when it has none."""
    try:
        for address in _resolve(host, port):
            check_public(address)
    except Refused:
        return False
    return True


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("There is no such host.") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _parse(url: str) -> SplitResult:
    # urlsplit drops line breaks and takes backslashes for text; others do not, so there are none of either.
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise Refused("The address has characters that an address cannot have.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
        if ":" in host:
            ipaddress.IPv6Address(host)
    except ValueError:
        raise Refused("This is not an address.") from None
    if parts.scheme not in {"http", "https"} or port == 0:
        raise Refused("An address starts with https:// and has a usable port.")
    if "@" in parts.netloc:
        raise Refused("An address cannot carry a name or a password.")
    if ":" not in host and not _HOST.fullmatch(host):
        raise Refused("The address has no usable host.")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", _port(parts)


def _target(parts: SplitResult) -> httpcore2.URL:
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore2.URL(
        scheme=parts.scheme.encode(),
        host=(f"[{host}]" if ":" in host else host).encode(),
        port=parts.port,
        target=target.encode(),
    )


def _revealed(headers: Mapping[str, str | Secret]) -> list[tuple[str, str]]:
    plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in headers.items()}
    return [("accept-encoding", "identity"), ("connection", "close"), *plain.items()]


def _read(chunks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise Unreachable("The answer was too long.")
    return bytes(body)


def _tls() -> ssl.SSLContext:
    return httpcore2.default_ssl_context()


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException:
        raise Unreachable("No answer came in time.") from None
    except (httpcore2.NetworkError, httpcore2.RemoteProtocolError):
        raise Unreachable("The connection failed.") from None
    except httpcore2.LocalProtocolError:
        # Not a network fault: a header or a path that HTTP cannot carry. The error would quote it.
        raise Refused("The request has characters that a request cannot have.") from None


class _Backend(httpcore2.SyncBackend):
    """Resolves, checks and connects, all within one deadline."""

    def __init__(self, *, deadline: float, is_trusted: bool) -> None:
        self._deadline = deadline
        self._is_trusted = is_trusted

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        error: httpcore2.ConnectError | None = None
        for address in self._addresses(host.strip("[]"), port):
            try:
                stream = super().connect_tcp(
                    address, port, _left(self._deadline), local_address, socket_options
                )
            except httpcore2.ConnectError as failed:
                error = failed
            else:
                return _Stream(stream, self._deadline)
        raise error or httpcore2.ConnectError("no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        resolved = _resolve(host, port)
        if not self._is_trusted:
            for address in resolved:
                check_public(address)
        return resolved


class _Stream(httpcore2.NetworkStream):
    """A connection on which no step waits longer than is left of the whole time."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        name = (server_hostname or "").strip("[]").rstrip(".")
        secured = self._inner.start_tls(ssl_context, name, _left(self._deadline))
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("deadline")
    return left
