"""Where a user chose the address, the gate connects to the public internet only, and to what it looked up."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from sidecar.gate import public
from sidecar.gate.models import Limits, ModelGate
from sidecar.protocol.frames import Provider
from tests.sidecar.gate.boxside import agent, box_side
from tests.sidecar.gate.chat import BODY
from tests.sidecar.gate.provider import fake_provider, whole


def own(base_url: str) -> Provider:
    return Provider(id="compatible", name="Own", wire="openai-chat", base_url=base_url, is_own_address=True)


@pytest.mark.parametrize(
    "address",
    # The last two are called public, but are where clouds hand out credentials.
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "64:ff9b::a9fe:a9fe", "192.0.0.192", "168.63.129.16"],
)
async def test_what_boxes_are_not_led_to_is_no_models_address_either(address: str) -> None:
    assert await public.resolve("1.1.1.1", 443) == "1.1.1.1"
    with pytest.raises(httpx2.ConnectError, match="private network"):
        await public.resolve(address, 443)


@pytest.mark.parametrize(("host_addresses", "is_asked"), [([], True), (["127.0.0.1"], False)])
async def test_the_host_around_the_sidecar_is_not_called_at_a_public_address(
    monkeypatch: pytest.MonkeyPatch, host_addresses: list[str], is_asked: bool
) -> None:
    # Loopback plays an address on the internet.
    monkeypatch.setattr("sidecar.protocol.addresses.public", lambda address: True)
    monkeypatch.setattr("sidecar.gate.egress.addresses.is_own", lambda address: False)
    monkeypatch.setattr("sidecar.gate.relay.RETRY_SECONDS", ())
    async with (
        fake_provider(whole(200, b"{}")) as upstream,
        box_side(
            own(f"https://127.0.0.1:{urlsplit(upstream.url).port}/v1"),
            limits=Limits(connect_seconds=1.0),
            host_addresses=host_addresses,
        ) as side,
        agent(side) as client,
    ):
        # It does not speak TLS.
        assert (await client.post("/compatible/v1/chat/completions", json=BODY)).status_code >= 502
    assert bool(upstream.connections) is is_asked


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
