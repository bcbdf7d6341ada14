"""The demo model over HTTP, in all four wires, asked by an ordinary HTTP client."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sidecar import demo_model
from tests.sidecar.demo_model.asking import WIRES, Asking, by_name

pytestmark = pytest.mark.parametrize("asking", WIRES, ids=by_name)


@pytest.fixture
async def server() -> AsyncIterator[demo_model.Server]:
    server = await demo_model.serve(pace=0)
    yield server
    await server.close()


@pytest.fixture
async def client(server: demo_model.Server) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client


async def stream(client: httpx2.AsyncClient, asking: Asking, prompt: str) -> list[dict[str, Any]]:
    answer = await client.post(asking.path(stream=True), json=asking.body(prompt, stream=True))
    assert answer.headers["content-type"] == "text/event-stream"
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


async def test_it_streams_the_expected_text(
    asking: Asking, client: httpx2.AsyncClient, server: demo_model.Server
) -> None:
    for prompt in ("/demo plain", "/demo markdown", "/demo long 500 0ms", "/demo reasoning"):
        chunks = await stream(client, asking, prompt)
        assert asking.text(chunks) == demo_model.expected_text(prompt)
        assert server.exchanges[-1].text == demo_model.expected_text(prompt)
        assert server.exchanges[-1].outcome == "done"


async def test_a_whole_answer_says_the_same(asking: Asking, client: httpx2.AsyncClient) -> None:
    answer = await client.post(asking.path(), json=asking.body("/demo reasoning"))
    assert asking.whole_text(answer.json()) == demo_model.expected_text("/demo reasoning")


async def test_reasoning_is_streamed_apart(asking: Asking, client: httpx2.AsyncClient) -> None:
    chunks = await stream(client, asking, "/demo reasoning")
    assert asking.thoughts(chunks) == demo_model.expected("/demo reasoning").thoughts[0]


async def test_usage_is_what_the_script_says(asking: Asking, client: httpx2.AsyncClient) -> None:
    usage = demo_model.expected("/demo reasoning").usage
    chunks = await stream(client, asking, "/demo reasoning")
    assert asking.usage(chunks) == asking.counted(usage)


async def test_a_turn_with_tools_is_played_step_by_step(asking: Asking, client: httpx2.AsyncClient) -> None:
    body = asking.body("/demo work", stream=True, tools=True)
    said = []
    for _ in range(3):
        answer = await client.post(asking.path(stream=True), json=body)
        lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
        chunks = [json.loads(line) for line in lines]
        said.append(asking.text(chunks))
        calls = asking.calls(chunks)
        body = asking.answered(body, calls)
    assert tuple(said) == demo_model.expected("/demo work").messages
    assert calls == []


@pytest.mark.parametrize("status", [401, 402, 403, 404, 429, 500, 503])
async def test_it_fails_in_the_providers_own_words(
    asking: Asking, client: httpx2.AsyncClient, status: int
) -> None:
    answer = await client.post(asking.path(), json=asking.body(f"/demo error{status}"))
    assert answer.status_code == status
    assert "Scripted by the demo model" in answer.json()["error"]["message"]
    assert ("retry-after" in answer.headers) == (status == 429)


async def test_it_fails_as_often_as_the_prompt_says(asking: Asking, client: httpx2.AsyncClient) -> None:
    for _ in range(2):
        answers = [
            await client.post(asking.path(), json=asking.body("/demo error429 2 3s")) for _ in range(3)
        ]
        assert [answer.status_code for answer in answers] == [429, 429, 200]
        assert answers[0].headers["retry-after"] == "3"


async def test_a_cut_stream_has_the_beginning_and_no_end(
    asking: Asking, client: httpx2.AsyncClient, server: demo_model.Server
) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.post(asking.path(stream=True), json=asking.body("/demo cut", stream=True))
    assert server.exchanges[-1].outcome == "cut"
    assert server.exchanges[-1].text == demo_model.expected_text("/demo cut")


async def test_garbage_comes_after_the_beginning(asking: Asking, client: httpx2.AsyncClient) -> None:
    answer = await client.post(asking.path(stream=True), json=asking.body("/demo garbage", stream=True))
    assert b"\xff\xfe this is not JSON" in answer.content
    assert b"Nobody" not in answer.content


async def test_silence_lasts_as_long_as_the_prompt_says(asking: Asking, client: httpx2.AsyncClient) -> None:
    started = asyncio.get_running_loop().time()
    chunks = await stream(client, asking, "/demo silence 300ms")
    assert asyncio.get_running_loop().time() - started >= 0.3
    assert asking.text(chunks) == demo_model.expected_text("/demo silence 300ms")


async def test_nothing_at_all_comes_from_one_that_is_mute_until_then(
    server: demo_model.Server, asking: Asking, client: httpx2.AsyncClient
) -> None:
    started = asyncio.get_running_loop().time()
    body = asking.body("/demo mute 300ms", stream=True)
    async with client.stream("POST", asking.path(stream=True), json=body) as answer:
        assert asyncio.get_running_loop().time() - started >= 0.3
        await answer.aread()
    assert server.exchanges[-1].text == demo_model.expected_text("/demo mute 300ms")


async def test_another_key_is_refused(asking: Asking) -> None:
    server = await demo_model.serve(pace=0, require_key="right-key")
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as client:
        for key, status in (("wrong-key", 401), ("right-key", 200)):
            headers = asking.auth(key)
            answer = await client.post(asking.path(), json=asking.body("/demo plain"), headers=headers)
            assert answer.status_code == status
            assert server.exchanges[-1].key == key
    await server.close()


async def test_an_unknown_model_is_not_found(asking: Asking, client: httpx2.AsyncClient) -> None:
    body = asking.body("/demo plain", model="unknown-model")
    answer = await client.post(asking.path(model="unknown-model"), json=body)
    assert answer.status_code == 404


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '{"messages": 1}', "[" * 20_000, '{"model": "m"}'])
async def test_a_misshapen_request_is_refused(asking: Asking, client: httpx2.AsyncClient, body: str) -> None:
    answer = await client.post(asking.path(), content=body)
    assert answer.status_code == 400


async def test_it_runs_by_itself(asking: Asking, tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sidecar.demo_model", "--port", "0", "--pace-ms", "0", "--log", str(log),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().split()[-1]
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.post(
            asking.path(), json=asking.body("/demo plain"), headers=asking.auth("some-key")
        )
    assert answer.status_code == 200
    process.terminate()
    assert await process.wait() == 0
    line = json.loads(log.read_text())
    assert (line["script"], line["key"], line["text"]) == (
        "plain",
        "some-key",
        asking.whole_text(answer.json()),
    )
