"""The login of a plan stays on this side of the gate: what the box sends in its place never passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import msgspec
import pytest

from sidecar.gate import logins
from sidecar.protocol import login
from tests.sidecar.gate.boxside import BoxSide, agent, box_side, provider
from tests.sidecar.gate.provider import FakeProvider, Reply, fake_provider, whole

TOKEN = "sk-ant-oat01-CANARY-0123456789abcdef"
ACCESS = "eyJhbGciOiJub25lIn0.CANARY-claims.CANARY-signature"
WORDS = {"claude": TOKEN, "chatgpt": login.pack(login.ChatGPT(access_token=ACCESS, account_id="acc-1"))}
WIRES = {"claude": "anthropic", "chatgpt": "openai-responses"}
SECRETS = {"claude": TOKEN, "chatgpt": ACCESS}
WORTHLESS = {
    "authorization": "Bearer worthless",
    "x-api-key": "worthless",
    "chatgpt-account-id": "somebody-else",
    "x-openai-fedramp": "true",
    "cookie": "a=b",
}
USAGE = b'"usage":{"input_tokens":1,"output_tokens":1}}'
DONE = {
    "claude": b'{"type":"message","model":"m","stop_reason":"end_turn",' + USAGE,
    "chatgpt": b'{"object":"response","status":"completed","model":"m",' + USAGE,
}

both = pytest.mark.parametrize("plan", ["claude", "chatgpt"])


@asynccontextmanager
async def plan_side(
    plan: str, *replies: Reply, key: str = ""
) -> AsyncIterator[tuple[FakeProvider, BoxSide, httpx2.AsyncClient]]:
    async with fake_provider(*replies) as upstream:
        served = provider(WIRES[plan], f"{upstream.url}/v1", id=f"{plan}-plan")
        served = msgspec.structs.replace(served, login=plan)
        async with box_side(served, key=key or WORDS[plan]) as side, agent(side) as client:
            yield upstream, side, client


async def call(client: httpx2.AsyncClient, plan: str, **headers: str) -> httpx2.Response:
    path = "messages?beta=true" if plan == "claude" else "responses"
    body: dict[str, Any] = {"model": "m", "messages": [], "input": []}
    return await client.post(f"/{plan}-plan/v1/{path}", json=body, headers=WORTHLESS | headers)


@both
async def test_a_call_carries_the_login_and_nothing_that_the_box_sent_for_it(plan: str) -> None:
    async with plan_side(plan, whole(200, DONE[plan])) as (upstream, side, client):
        assert (await call(client, plan)).status_code == 200
        (received,) = upstream.received
        assert received.headers("authorization") == [f"Bearer {SECRETS[plan]}"]
        assert received.headers("chatgpt-account-id") == ([] if plan == "claude" else ["acc-1"])
        for name in ("x-api-key", "cookie", "x-openai-fedramp"):
            assert received.headers(name) == []
        assert b"worthless" not in received.head
        assert len(side.usage) == 1


async def test_the_agents_own_betas_stay_beside_the_one_that_the_login_needs() -> None:
    async with plan_side("claude", whole(200, DONE["claude"])) as (upstream, _, client):
        await call(client, "claude", **{"anthropic-beta": "one, oauth-2025-04-20,two", "x-app": "cli"})
        await call(client, "claude")
        first, second = upstream.received
        assert first.headers("anthropic-beta") == ["one,oauth-2025-04-20,two"]
        assert first.headers("x-app") == ["cli"]
        assert second.headers("anthropic-beta") == ["oauth-2025-04-20"]


async def test_what_the_service_behind_a_plan_wants_to_know_passes_for_a_plan_only() -> None:
    named = {"originator": "codex", "session_id": "s", "x-codex-turn-state": "t"}
    async with plan_side("chatgpt", whole(200, DONE["chatgpt"], "x-codex-turn-state: t2")) as (
        upstream,
        _,
        client,
    ):
        answer = await call(client, "chatgpt", **named)
        assert {name: upstream.received[0].headers(name) for name in named} == {
            name: [value] for name, value in named.items()
        }
        assert answer.headers["x-codex-turn-state"] == "t2"
    async with fake_provider(whole(200, DONE["chatgpt"])) as other:
        served = provider("openai-responses", f"{other.url}/v1")
        async with box_side(served) as side, agent(side) as client:
            await client.post("/openai/v1/responses", json={"model": "m", "input": []}, headers=named)
            assert all(other.received[0].headers(name) == [] for name in named)


@both
async def test_a_service_that_quotes_the_login_is_not_passed_on(plan: str) -> None:
    quoted = f'{{"error":{{"message":"bad token {SECRETS[plan]}"}}}}'.encode()
    async with plan_side(plan, whole(401, quoted, f"x-request-id: {SECRETS[plan]}")) as (_, side, client):
        answer = await call(client, plan)
        assert SECRETS[plan] not in answer.text + str(answer.headers)
        (error,) = side.errors
        assert error.error_class == "provider_auth"
        assert "CANARY" not in error.message


async def test_the_end_of_a_plans_allowance_has_the_time_at_which_it_begins_anew() -> None:
    body = b'{"error":{"type":"usage_limit_reached","message":"No more for now","resets_in_seconds":60}}'
    async with plan_side("chatgpt", whole(429, body)) as (_, side, client):
        assert (await call(client, "chatgpt")).status_code == 429
        (error,) = side.errors
        assert error.error_class == "provider_rate_limit" and error.retry_at


@pytest.mark.parametrize("key", [TOKEN, '{"access_token":"a"}', '{"access_token":"a","account_id":"b\\n"}'])
async def test_what_is_no_login_goes_nowhere(key: str) -> None:
    async with plan_side("chatgpt", whole(200, DONE["chatgpt"]), key=key) as (upstream, side, client):
        assert (await call(client, "chatgpt")).status_code == 401
        assert upstream.received == []
        assert [error.error_class for error in side.errors] == ["key_missing"]


def test_nothing_shows_a_login_when_it_is_printed() -> None:
    served = provider("openai-responses", "https://a.example/v1")
    read = logins.read(msgspec.structs.replace(served, login="chatgpt"), WORDS["chatgpt"])
    assert "CANARY" not in repr(read) + repr(login.unpack(WORDS["chatgpt"]))
    assert "CANARY" not in repr(replace(read, secret=ACCESS))
