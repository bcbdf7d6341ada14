"""Where a user chose the address, the gate connects to the public internet only, and to what it looked up."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from sidecar.gate import public
from sidecar.gate.models import ModelGate
from sidecar.protocol.frames import Provider
from tests.sidecar.gate.boxside import agent, box_side
from tests.sidecar.gate.chat import BODY
from tests.sidecar.gate.provider import fake_provider, whole


def own(base_url: str) -> Provider:
    return Provider(id="compatible", name="Own", wire="openai-chat", base_url=base_url, is_own_address=True)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        *((address, True) for address in ("1.1.1.1", "2606:4700::1111")),
        *((address, False) for address in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1")),
        *((address, False) for address in ("::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1")),
        *((address, False) for address in ("64:ff9b::a9fe:a9fe", "2002:7f00:1::", "224.0.0.1", "240.0.0.1")),
    ],
)
def test_what_is_public(address: str, expected: bool) -> None:
    assert public.is_public(address) is expected


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], []], ids=str)
async def test_a_name_that_leads_home_gets_no_call(
    monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    async def look_up(host: str, port: int, **more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers]

    async with (
        fake_provider(whole(200, b"{}")) as upstream,
        box_side(own(f"https://rebind.example.com:{urlsplit(upstream.url).port}/v1")) as side,
        agent(side) as client,
    ):
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        monkeypatch.setattr("sidecar.gate.relay.RETRY_SECONDS", ())
        answer = await client.post("/compatible/v1/chat/completions", json=BODY)
        assert answer.status_code in {502, 503}
        assert side.errors[0].error_class == "provider_unavailable"
    assert upstream.connections == 0


def test_it_is_https_or_nothing() -> None:
    async def no_key() -> str:
        return ""

    with pytest.raises(ValueError, match="not https"):
        ModelGate(own("http://models.example.com/v1"), no_key, print)
