"""Tunnels and plain requests reach what the policy allows; everything else is refused with words."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from sidecar.gate.egress.proxy import Limits
from sidecar.protocol.egress import Egress
from tests.sidecar.gate.egress.test_policy import ODD
from tests.sidecar.gate.egress.way_out import FULL, LISTED, PUBLIC, way_out


async def test_a_tunnel_passes_bytes_both_ways_and_is_told() -> None:
    async with way_out(LISTED) as out:
        head, reader, writer = await out.connect("example.com:443")
        assert head.startswith(b"HTTP/1.1 200 ")
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.write_eof()
        assert await reader.read() == b""
        async with asyncio.timeout(10):
            while out.gate._open:
                await asyncio.sleep(0.01)
        assert (out.names, out.went) == (["example.com"], [([PUBLIC], 443)])
        out.gate.finish()
        used = {"host": "example.com", "port": 443, "bytes_up": 5, "bytes_down": 5}
        assert out.of("egress.used") == [used]


async def test_what_is_sent_with_the_connect_is_not_lost() -> None:
    async with way_out(LISTED) as out:
        answer = await out.ask(b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\nearly")
        assert answer.partition(b"\r\n\r\n")[2] == b"early"


async def test_a_tunnel_holds_up_who_sends_more_than_is_read() -> None:
    release = asyncio.Event()

    async def sleep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(str(len(await reader.read(-1))).encode())
        writer.close()

    async with way_out(FULL, sleep) as out:
        _, reader, writer = await out.connect("example.com:443")
        sent = 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                while True:
                    writer.write(b"x" * 65536)
                    sent += 65536
                    await writer.drain()
        # The kernel's buffers of four sockets, and ours, which are small.
        assert sent < 64 * 1024 * 1024
        release.set()
        writer.write_eof()
        assert int(await reader.read()) == sent


async def test_a_silent_tunnel_is_cut() -> None:
    async with way_out(FULL, limits=Limits(idle_seconds=0.2)) as out:
        _, reader, _ = await out.connect("example.com:443")
        async with asyncio.timeout(10):
            assert await reader.read() == b""


@pytest.mark.parametrize(
    ("egress", "authority", "words"),
    [
        (Egress(), "example.com:443", "policy: none"),
        (LISTED, "other.example:443", "not on the allow-list"),
        (LISTED, "example.com:22", "not on the allow-list"),
        (FULL, "example.com:22", "only the ports 80 and 443"),
        (Egress(policy="full", never=["example.com"]), "example.com:443", "never allowed"),
    ],
)
async def test_a_refusal_says_why_and_looks_nothing_up(egress: Egress, authority: str, words: str) -> None:
    async with way_out(egress) as out:
        answer = (await out.ask(f"CONNECT {authority} HTTP/1.1\r\nHost: a\r\n\r\n".encode())).decode()
        assert answer.startswith("HTTP/1.1 403 Blocked by the session's network policy: " + authority)
        assert words in answer and "content-type: text/plain" in answer
        assert out.names == [] and out.went == []
        out.gate.finish()
        (blocked,) = out.of("egress.blocked")
        assert f"{blocked['host']}:{blocked['port']}" == authority


WRITABLE = [each for each in ODD if each and each.isprintable() and " " not in each]


@pytest.mark.parametrize("authority", WRITABLE)
async def test_odd_hosts_are_refused_under_every_policy(authority: str) -> None:
    async with way_out(FULL) as out:
        line = f"CONNECT {authority} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        assert (await out.ask(line)).split()[1] in (b"403", b"400")
        if authority != "example.com" and not set(authority) & set("/?#"):
            plain = f"GET http://{authority}/ HTTP/1.1\r\nHost: a\r\n\r\n".encode()
            assert (await out.ask(plain)).split()[1] in (b"403", b"400")
        assert out.names == [] and out.went == []


PRIVATE = [
    *("127.0.0.1", "10.213.77.3", "169.254.169.254", "100.64.0.1", "::1", "fd00:ec2::254", "64:ff9b::7f00:1")
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_into_a_private_network_is_refused(address: str) -> None:
    async with way_out(LISTED, names={"example.com": [PUBLIC, address]}) as out:
        assert await out.status("example.com:443") == 403
        assert out.went == []
        out.gate.finish()
        assert out.of("egress.blocked")[0]["reason"] == "private"


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_is_refused_under_every_policy(address: str) -> None:
    shown = f"[{address}]" if ":" in address else address
    for egress in (FULL, Egress(policy="allow-list", hosts=[address], trusted=[f"{shown}:80"]), Egress()):
        async with way_out(egress) as out:
            is_neighbour = address in ("10.213.77.3", "100.64.0.1") and egress.trusted
            assert await out.status(f"{shown}:80") == (200 if is_neighbour else 403)


async def test_a_mirror_may_have_a_private_address_but_never_this_machines_own() -> None:
    trusted = Egress(policy="allow-list", trusted=["mirror.lan:8080"])
    for found, status in (
        (["10.213.77.3"], 200),
        (["10.213.77.3", "127.0.0.1"], 403),
        (["169.254.169.254"], 403),
    ):
        async with way_out(trusted, names={"mirror.lan": found}) as out:
            assert await out.status("mirror.lan:8080") == status


async def test_a_name_is_looked_up_once_and_what_was_checked_is_used() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    async with way_out(LISTED) as out:

        async def rebind(host: str, port: int) -> list[str]:
            return next(answers)

        out.gate._resolve = rebind
        assert await out.status("example.com:443") == 200
        assert out.went == [([PUBLIC], 443)]
        assert await out.status("example.com:443") == 403


async def test_no_such_host_is_said() -> None:
    async with way_out(LISTED, names={}) as out:
        answer = await out.ask(b"CONNECT www.example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 502 ") and b"There is no host www.example.com." in answer


async def test_a_change_cuts_what_is_not_allowed_any_more_and_nothing_else() -> None:
    listed = Egress(policy="allow-list", hosts=["a.example", "b.example"])
    async with way_out(listed) as out:
        _, gone, _ = await out.connect("a.example:443")
        _, stays, writer = await out.connect("b.example:443")
        out.gate.configure(Egress(policy="allow-list", hosts=["b.example"]))
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                assert await gone.read() == b""
        writer.write(b"still")
        assert await stays.readexactly(5) == b"still"
        assert await out.status("a.example:443") == 403


async def test_there_is_an_end_to_how_many_connections_a_box_has() -> None:
    async with way_out(FULL, limits=Limits(connections=3)) as out:
        kept = [await out.connect("example.com:443") for _ in range(3)]
        answer = await out.ask(b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ")
        kept[0][2].close()
        async with asyncio.timeout(10):
            while (await out.ask(b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503 "):
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"GET https://example.com/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET ftp://example.com/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT http://example.com/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
        b"GET http://example.com/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET http://example.com/ HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_request_for_a_proxy_reaches_nobody(raw: bytes) -> None:
    async with way_out(FULL) as out:
        with contextlib.suppress(ConnectionError):
            assert (await out.ask(raw)).split()[1] in (b"400", b"403", b"431")
        assert out.went == []
