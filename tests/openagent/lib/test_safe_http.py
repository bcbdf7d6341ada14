"""No address leads into a private network, however it is spelled; size and time have an end."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openagent.lib import safe_http

PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "240.0.0.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "::ffff:0:7f00:1",
]

# Every one of these has meant loopback, or a host that nobody expected, to some client.
TRICKS = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://localhost/",
    "https://localhost./",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\t/",
    "https://127.0.0.1/\r\nHost: example.com",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://[::1%25lo]/",
    "https:///127.0.0.1/",
    "https:127.0.0.1",
    "//127.0.0.1/",
    "http://127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "https://%31%32%37.0.0.1/",
    "https://127.0.0.1:0/",
    "https://127.0.0.1:99999/",
    "https://[127.0.0.1]/",
    "https://-/",
    "https:///",
    "",
]

Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve) -> Iterator[tuple[str, list[bytes]]]:
    """A server on loopback: `serve` gets each connection after its request was read."""
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                seen.append(connection.recv(65536))
                try:
                    serve(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        # A blocked accept notices a shutdown, not a close.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answers(raw: bytes) -> Serve:
    return lambda connection: connection.sendall(raw)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> list[str]:
    """Names resolve to the addresses of each round in turn; answers the names that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **more: Any) -> list[Any]:
        addresses = rounds[min(len(asked), len(rounds) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused(address: str) -> None:
    with pytest.raises(safe_http.Refused):
        safe_http.check_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_a_public_address_is_not(address: str) -> None:
    safe_http.check_public(address)


@given(st.ip_addresses(v=4))
def test_no_tunnel_hides_an_address(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    for prefix, shift in [("64:ff9b::", 0), ("2002::", 80), ("::ffff:0:0", 0), ("::", 0)]:
        outer = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift)
        with pytest.raises(safe_http.Refused):
            safe_http.check_public(str(outer))


@pytest.mark.parametrize("url", TRICKS)
def test_no_spelling_of_loopback_gets_a_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*args: Any, **more: Any) -> socket.socket:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises((safe_http.Refused, safe_http.Unreachable)) as caught:
        safe_http.fetch("GET", url)
    assert caught.value.code in {"address_refused", "unreachable"}


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1", "8.8.8.8"]])
def test_one_private_address_of_a_name_is_enough_to_refuse(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, addresses)
    with pytest.raises(safe_http.Refused):
        safe_http.fetch("GET", "https://example.com/")


def test_a_name_cannot_change_between_the_check_and_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve_to(monkeypatch, ["203.0.113.0", "8.8.8.8"][1:], ["127.0.0.1"])
    went: list[Any] = []

    def connect(address: Any, *args: Any, **more: Any) -> socket.socket:
        went.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(safe_http.Unreachable):
        safe_http.fetch("GET", "https://rebinding.example.com/")
    assert asked == ["rebinding.example.com"]
    assert went == [("8.8.8.8", 443)]


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://example.com:8443/", "https://example.com:22/"]
)
def test_only_https_on_its_own_port_is_used(url: str) -> None:
    with pytest.raises(safe_http.Refused, match="standard port"):
        safe_http.fetch("GET", url)


def test_a_configured_host_may_be_private_but_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(answers(b"HTTP/1.1 200 OK\r\nX-One: 1\r\ncontent-length: 2\r\n\r\nhi")) as (url, seen):
        answer = safe_http.fetch("GET", f"{url}/v1/models?a=b", trusted=[f"{url}/v1"], headers={"x-key": "k"})
        assert (answer.status, answer.body, answer.headers["x-one"]) == (200, b"hi", "1")
        request = seen[0].decode().lower()
        assert request.startswith("get /v1/models?a=b http/1.1\r\n")
        assert f"host: {url.removeprefix('http://')}" in request
        assert "x-key: k" in request
        for other in ("http://127.0.0.1:1", url.replace("127.0.0.1", "localhost")):
            with pytest.raises(safe_http.Refused):
                safe_http.fetch("GET", f"{url}/v1/models", trusted=[other])
        assert len(seen) == 1


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with server(answers(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")) as (
        url,
        seen,
    ):
        answer = safe_http.fetch("GET", url, trusted=[url])
        assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")
        assert len(seen) == 1


def test_an_endless_body_is_cut() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(bytes(65536))

    with server(flood) as (url, _), pytest.raises(safe_http.Unreachable, match="too long"):
        safe_http.fetch("GET", url, trusted=[url], limits=safe_http.Limits(body_bytes=1 << 20))


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nx-slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_is_left_in_time(start: bytes) -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        while not done.wait(0.05):
            connection.sendall(b"x")

    began = time.monotonic()
    with server(drip) as (url, _):
        with pytest.raises(safe_http.Unreachable, match="in time"):
            safe_http.fetch("GET", url, trusted=[url], limits=safe_http.Limits(seconds=0.5))
        done.set()
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"]
)
def test_a_broken_answer_is_no_answer(raw: bytes) -> None:
    with server(answers(raw)) as (url, _), pytest.raises(safe_http.Unreachable, match="failed"):
        safe_http.fetch("GET", url, trusted=[url])


def test_a_closed_port_is_unreachable() -> None:
    with server(answers(b"")) as (url, _):
        pass
    with pytest.raises(safe_http.Unreachable, match="failed"):
        safe_http.fetch("GET", url, trusted=[url])


def test_headers_cannot_smuggle_a_request() -> None:
    with server(answers(b"HTTP/1.1 200 OK\r\n\r\n")) as (url, seen):
        with pytest.raises(safe_http.Refused) as caught:
            safe_http.fetch("GET", url, trusted=[url], headers={"x-key": "CANARY\r\nx-more: 1"})
        assert "CANARY" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert seen == [b""] or seen == []


def test_a_certificate_of_somebody_else_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    def speak_plainly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with server(speak_plainly) as (url, _):
        secure = url.replace("http:", "https:")
        with pytest.raises(safe_http.Unreachable):
            safe_http.fetch("GET", secure, trusted=[secure])
    context = safe_http._tls()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
