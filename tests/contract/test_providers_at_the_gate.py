"""Each provider of the catalogue gets its calls at its own address, and the key in its own header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from keys_app import providers
from tests.sidecar.gate.boxside import KEY, box_side
from tests.sidecar.gate.provider import fake_provider, whole

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "providers.json").read_text(encoding="utf-8")
)
HEADERS = ("authorization", "api-key", "x-api-key", "x-goog-api-key")


def test_every_provider_that_needs_a_key_has_a_golden_call() -> None:
    # Those of a plan's login are called as the plan's own program does it: contract/agents/test_plans.py.
    by_key = (provider for provider in providers.of_models() if provider.needs_key and not provider.login)
    assert GOLDEN.keys() == {provider.id for provider in by_key}


@pytest.mark.parametrize("provider_id", GOLDEN)
async def test_a_call_goes_where_the_provider_wants_it(provider_id: str) -> None:
    golden = GOLDEN[provider_id]
    frame = providers.get(provider_id).frame(golden.get("own", ""))
    assert frame.is_own_address == ("own" in golden)
    where = urlsplit(frame.base_url)
    async with fake_provider(whole(200, b"{}")) as upstream:
        # The same call, to a host that is there.
        frame.base_url, frame.is_own_address = upstream.url.removesuffix("/v1") + where.path, False
        async with (
            box_side(frame) as side,
            httpx2.AsyncClient(base_url=side.url, trust_env=False) as client,
        ):
            sent = dict.fromkeys(HEADERS, "worthless")
            answer = await client.post(f"/{provider_id}/{golden['call']}", json={}, headers=sent)
    assert answer.status_code == 200
    [received] = upstream.received
    path = received.line.split()[1]
    assert f"{where.scheme}://{where.netloc}{path}" == golden["url"]
    name, value = golden["header"]
    shown = {header: received.headers(header) for header in HEADERS if received.headers(header)}
    assert shown == {name: [value.replace("KEY", KEY)]}
