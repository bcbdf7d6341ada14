"""Whole calls through the gate, in all four wires, with the demo model as the provider."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx2
import pytest

from sidecar import demo_model
from sidecar.gate.models import KeyUnavailable, ModelGate
from tests.sidecar.demo_model.asking import WIRES, Asking, by_name
from tests.sidecar.gate.boxside import KEY, NAMES, agent, box_side, demo_side, provider

every_wire = pytest.mark.parametrize("asking", WIRES, ids=by_name)


def path(asking: Asking, *, stream: bool = False) -> str:
    return f"/{NAMES[asking.name]}{asking.path(stream=stream)}"


def chunks(answer: httpx2.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


@every_wire
@pytest.mark.parametrize("prompt", ["/demo reasoning", "/demo markdown", "/demo long 300 0ms"])
async def test_a_stream_arrives_whole_with_its_usage(asking: Asking, prompt: str) -> None:
    async with demo_side(asking.name) as (server, side, client):
        body = asking.body(prompt, stream=True)
        answer = await client.post(path(asking, stream=True), json=body, headers=asking.auth("worthless"))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        assert asking.text(chunks(answer)) == demo_model.expected_text(prompt) == server.exchanges[-1].text
        counts = demo_model.expected(prompt).usage
        [usage] = side.usage
        reasoning = 0 if asking.name == "anthropic" else counts.reasoning
        assert (usage.input, usage.output, usage.cached, usage.reasoning) == (
            counts.input,
            counts.output,
            counts.cached,
            reasoning,
        )
        assert (usage.provider, usage.model) == (NAMES[asking.name], "demo")
        assert side.errors == []


@every_wire
async def test_a_whole_answer_arrives_with_its_usage(asking: Asking) -> None:
    async with demo_side(asking.name) as (_, side, client):
        for _ in range(2):
            answer = await client.post(path(asking), json=asking.body("/demo plain"))
            assert asking.whole_text(answer.json()) == demo_model.expected_text("/demo plain")
        assert len({usage.request_id for usage in side.usage}) == 2
        assert {usage.input for usage in side.usage} == {demo_model.expected("/demo plain").usage.input}


@every_wire
async def test_the_real_key_replaces_whatever_the_box_sent(asking: Asking) -> None:
    sent = {
        "authorization": "Bearer sk-attacker",
        "x-api-key": "sk-attacker",
        "x-goog-api-key": "sk-attacker",
        "api-key": "sk-attacker",
        "cookie": "session=sk-attacker",
        "proxy-authorization": "Basic sk-attacker",
        "x-forwarded-for": "10.0.0.1",
        "x-forwarded-host": "evil.example",
        "forwarded": "host=evil.example",
        "openai-organization": "attacker",
        "x-goog-user-project": "attacker",
        "x-anything-else": "attacker",
    }
    async with demo_side(asking.name) as (server, _, client):
        await client.post(path(asking), json=asking.body("/demo plain"), headers=sent)
    exchange = server.exchanges[-1]
    assert exchange.key == KEY
    arrived = json.dumps([exchange.headers, exchange.path])
    assert "attacker" not in arrived
    assert "evil" not in arrived
    assert "10.0.0.1" not in arrived


@every_wire
@pytest.mark.parametrize(
    "query", ["key=sk-attacker", "alt=media", "api_base=http://evil.example", "base_url=x"]
)
async def test_queries_that_are_not_the_apis_are_left_out(asking: Asking, query: str) -> None:
    async with demo_side(asking.name) as (server, _, client):
        target = path(asking)
        answer = await client.post(
            f"{target}{'&' if '?' in target else '?'}{query}", json=asking.body("/demo plain")
        )
        assert answer.status_code == 200
    assert query not in server.exchanges[-1].target


async def test_the_headers_of_the_api_pass() -> None:
    sent = {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "a,b",
        "x-stainless-lang": "js",
        "user-agent": "me/1",
    }
    asking = WIRES[2]
    async with demo_side(asking.name) as (server, _, client):
        await client.post(path(asking), json=asking.body("/demo plain"), headers=sent)
    assert {name: server.exchanges[-1].headers.get(name) for name in sent} == sent


async def test_a_provider_without_a_key_gets_none() -> None:
    async with await demo_model.serve(pace=0) as server:
        served = provider("openai-chat", f"{server.url}/v1", needs_key=False, id="demo")
        async with box_side(served, key=KeyUnavailable("none")) as side, agent(side) as client:
            headers = WIRES[0].auth("worthless")
            body = WIRES[0].body("/demo plain")
            answer = await client.post("/demo/v1/chat/completions", json=body, headers=headers)
            assert answer.status_code == 200
        assert server.exchanges[-1].key == ""


async def test_the_demo_provider_is_started_with_the_first_call() -> None:
    served = provider("openai-chat", "", needs_key=False, id="demo")
    async with box_side(served) as side, agent(side) as client:
        for _ in range(2):
            answer = await client.post("/demo/v1/chat/completions", json=WIRES[0].body("/demo plain"))
            assert WIRES[0].whole_text(answer.json()) == demo_model.expected_text("/demo plain")
        assert (await client.get("/demo/v1/models")).json()["data"][0]["id"] == "demo"


async def test_usage_is_reported_also_when_the_agent_did_not_ask_for_it() -> None:
    async with demo_side("openai-chat") as (server, side, client):
        for options in (
            {},
            {"stream_options": None},
            {"stream_options": {"include_usage": False, "other": 1}},
        ):
            body = WIRES[0].body("/demo plain", stream=True)
            del body["stream_options"]
            await client.post("/groq/v1/chat/completions", json=body | options)
        assert [usage.output for usage in side.usage] == [14, 14, 14]
    assert server.exchanges[-1].body["stream_options"] == {"include_usage": True, "other": 1}


async def test_mistral_is_asked_without_the_option_that_it_refuses() -> None:
    async with demo_side("openai-chat", id="mistral") as (server, _, client):
        body = WIRES[0].body("/demo plain", stream=True)
        del body["stream_options"]
        await client.post("/mistral/v1/chat/completions", json=body)
    assert "stream_options" not in server.exchanges[-1].body


@pytest.mark.parametrize(
    ("permanent", "status", "error_class"), [(True, 401, "key_missing"), (False, 503, "provider_unavailable")]
)
@every_wire
async def test_a_missing_key_is_said_in_the_apis_own_shape(
    asking: Asking, permanent: bool, status: int, error_class: str
) -> None:
    key = KeyUnavailable("There is no key for Groq. Add one under Keys.", permanent=permanent)
    async with (
        box_side(provider(asking.name, "http://127.0.0.1:9/v1"), key=key) as side,
        agent(side) as client,
    ):
        answer = await client.post(path(asking), json=asking.body("hello"))
        assert answer.status_code == status
        assert answer.json()["error"]["message"] == key.message
        assert [error.error_class for error in side.errors] == [error_class]


@every_wire
@pytest.mark.parametrize(
    ("script", "status", "error_class"),
    [
        ("error401", 401, "provider_auth"),
        ("error402", 402, "provider_quota"),
        ("error403", 403, "provider_auth"),
        ("error404", 404, "unknown_model"),
        ("error429", 429, "provider_rate_limit"),
        ("error500", 500, "provider_unavailable"),
        ("error503", 503, "provider_unavailable"),
        ("context", 400, "context_too_long"),
    ],
)
async def test_a_providers_error_passes_and_is_reported_by_class(
    asking: Asking, script: str, status: int, error_class: str
) -> None:
    async with demo_side(asking.name) as (_, side, client):
        answer = await client.post(
            path(asking, stream=True), json=asking.body(f"/demo {script}", stream=True)
        )
        if script == "error404" and asking.name.startswith("openai"):
            status = 400  # which no agent repeats
        assert answer.status_code == status
        assert "Scripted by the demo model" in answer.json()["error"]["message"]
        [error] = side.errors
        assert error.error_class == error_class
        assert "Scripted by the demo model" in error.message
        assert (error.retry_at != "") == (status == 429) == ("retry-after" in answer.headers)
        assert side.usage == []


@every_wire
async def test_no_agent_waits_for_hours_with_its_turn_open(asking: Asking) -> None:
    async with demo_side(asking.name) as (_, side, client):
        body = asking.body("/demo error429 0 7200s", stream=True)
        answer = await client.post(path(asking, stream=True), json=body)
    assert answer.status_code == 402
    assert "limit" not in answer.text
    assert not {"retry-after", "retry-after-ms"} & answer.headers.keys()
    [error] = side.errors
    assert error.error_class == "provider_rate_limit" and error.retry_at


async def test_many_calls_share_one_connection_of_the_box() -> None:
    async with demo_side("openai-chat") as (_, side, _):
        one = httpx2.Limits(max_connections=1)
        async with httpx2.AsyncClient(base_url=side.url, trust_env=False, limits=one) as client:
            for prompt in ("/demo plain", "/demo error500", "/demo plain"):
                await client.post("/groq/v1/chat/completions", json=WIRES[0].body(prompt))
            await client.post("/groq/v1/files", json={})
            answer = await client.post("/groq/v1/chat/completions", json=WIRES[0].body("/demo plain"))
        assert answer.status_code == 200
        assert len(side.usage) == 3


@every_wire
async def test_the_key_is_in_no_log_and_no_error(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with demo_side(asking.name) as (_, side, client):
        for prompt in ("/demo plain", "/demo error401", "/demo cut", "/demo garbage", "/demo page"):
            try:
                await client.post(path(asking, stream=True), json=asking.body(prompt, stream=True))
            except httpx2.HTTPError as error:
                assert KEY not in repr(error)
        await side.bytes(b"GET nonsense\r\n\r\n")
        assert KEY not in repr(side.errors)
    assert KEY not in caplog.text
    assert KEY not in repr([vars(record) for record in caplog.records])
    assert len(caplog.records) > 0


@pytest.mark.parametrize(
    "url", ["", "ftp://a.example/v1", "https://key@a.example/v1", "https://a.example/?x=1", "a.example"]
)
def test_a_base_url_that_is_no_plain_address_is_refused(url: str) -> None:
    async def key() -> str:
        return KEY

    with pytest.raises(ValueError, match="base URL"):
        ModelGate(provider("openai-chat", url), key, lambda usage, turn: None)
