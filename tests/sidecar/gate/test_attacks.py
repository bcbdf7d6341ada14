"""A hostile box tries to send the key elsewhere: whatever it writes, only the provider is ever asked.

An attacker's listener runs beside the provider. For every request: the attacker is never connected to, and
what reaches the provider is one of the API's own calls, with its host name and the real key in one header.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable

import pytest

from tests.fakes import dresses, hunter
from tests.sidecar.gate.boxside import KEY, BoxSide, box_side, provider
from tests.sidecar.gate.provider import FakeProvider, Received, fake_provider, whole

ANSWER = json.dumps(
    {"model": "m", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
).encode()
BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
CALLS = re.compile(r"(POST /v1/chat/completions|GET /v1/models(/[A-Za-z0-9._:-]+){0,3}) HTTP/1\.1")


def post(
    target: str, *headers: str, body: bytes = BODY, host: str = "127.0.0.1", method: str = "POST"
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1") + body


def with_body(**fields: object) -> bytes:
    return json.dumps({"model": "m", "messages": [], **fields}).encode()


GOOD = "/groq/v1/chat/completions"


def smuggled(evil: str) -> bytes:
    return f"POST {GOOD} HTTP/1.1\r\nhost: {evil}\r\ncontent-length: {len(BODY)}\r\n\r\n".encode() + BODY


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
MUTATIONS: dict[str, Callable[[str], bytes]] = {
    "host": lambda evil: post(GOOD, host=evil),
    "two hosts": lambda evil: post(GOOD, f"host: {evil}"),
    "host with credentials": lambda evil: post(GOOD, host=f"user:pass@{evil}"),
    "absolute form": lambda evil: post(f"http://{evil}{GOOD}"),
    "absolute form https": lambda evil: post(f"https://{evil}{GOOD}"),
    "absolute form with credentials": lambda evil: post(f"http://api@{evil}{GOOD}"),
    "double slash": lambda evil: post(f"//{evil}{GOOD}"),
    "double slash within": lambda evil: post(f"/groq/v1//{evil}/chat/completions"),
    "address in the path": lambda evil: post(f"/groq/v1/http://{evil}/chat/completions"),
    "at sign after the provider": lambda evil: post(f"/groq@{evil}/v1/chat/completions"),
    "at sign in the path": lambda evil: post(f"/groq/v1/@{evil}/chat/completions"),
    "at sign before the path": lambda evil: post(f"@{evil}{GOOD}"),
    "dots": lambda evil: post(f"/groq/v1/../../{evil}/chat/completions"),
    "encoded dots": lambda evil: post("/groq/v1/%2e%2e/%2e%2e/files"),
    "twice encoded dots": lambda evil: post("/groq/v1/%252e%252e/files"),
    "dots to another call": lambda evil: post("/groq/v1/chat/completions/../../files"),
    "encoded slash": lambda evil: post("/groq/v1/chat%2fcompletions"),
    "semicolon": lambda evil: post("/groq/v1/chat/completions;@" + evil),
    "backslashes": lambda evil: post(f"\\\\{evil}{GOOD.replace('/', chr(92))}"),
    "fragment": lambda evil: post(f"{GOOD}#@{evil}/"),
    "encoded line break": lambda evil: post(f"{GOOD}%0d%0ahost:%20{evil}"),
    "line break in the target": lambda evil: post(f"{GOOD}\r\nhost: {evil}\r\nx:"),
    "bare line feed in a header": lambda evil: post(GOOD, f"x-a: b\nhost: {evil}"),
    "bare return in a header": lambda evil: post(GOOD, f"user-agent: b\rhost: {evil}"),
    "null in a header": lambda evil: post(GOOD, f"user-agent: b\x00host: {evil}"),
    "folded header": lambda evil: post(GOOD, f"user-agent: a\r\n host: {evil}"),
    "latin letters in the target": lambda evil: post(f"/groq/v1/chat/completions\xff@{evil}"),
    "query api_base": lambda evil: post(f"{GOOD}?api_base=http://{evil}"),
    "query base_url": lambda evil: post(f"{GOOD}?base_url=http://{evil}&url=http://{evil}"),
    "query with a line break": lambda evil: post(f"{GOOD}?alt=sse%0d%0ahost:{evil}"),
    "body api_base": lambda evil: post(
        GOOD, body=with_body(api_base=f"http://{evil}", base_url=f"http://{evil}")
    ),
    "body extra_headers": lambda evil: post(
        GOOD, body=with_body(extra_headers={"host": evil}, proxy=f"http://{evil}")
    ),
    "body endpoint": lambda evil: post(
        GOOD, body=with_body(endpoint=f"http://{evil}", host=evil, fallbacks=[{"api_base": f"http://{evil}"}])
    ),
    "body api_base with escaped letters": lambda evil: post(
        GOOD, body=f'{{"model":"m","api\\u005fbase":"http://{evil}","messages":[]}}'.encode()
    ),
    "body api_base twice": lambda evil: post(
        GOOD, body=f'{{"model":"m","api_base":"http://{evil}","api_base":null,"messages":[]}}'.encode()
    ),
    "two bodies": lambda evil: post(GOOD, body=BODY + with_body(api_base=f"http://{evil}")),
    "body of a form": lambda evil: post(
        GOOD,
        "content-type: application/x-www-form-urlencoded",
        body=f"model=m&api_base=http://{evil}".encode(),
    ),
    "compressed body": lambda evil: post(
        GOOD, "content-encoding: gzip", body=gzip.compress(with_body(api_base=f"http://{evil}"))
    ),
    "the client's own keys": lambda evil: post(
        GOOD,
        f"authorization: Bearer {evil}",
        f"x-api-key: {evil}",
        f"api-key: {evil}",
        f"x-goog-api-key: {evil}",
        f"proxy-authorization: Basic {evil}",
        f"cookie: key={evil}",
    ),
    "the client's own organization": lambda evil: post(
        GOOD, f"openai-organization: {evil}", f"openai-project: {evil}", body=with_body(organization=evil)
    ),
    "header api base": lambda evil: post(
        GOOD, f"x-api-base: http://{evil}", f"openai-api-base: http://{evil}"
    ),
    "header target url": lambda evil: post(
        GOOD, f"helicone-target-url: http://{evil}", f"x-portkey-custom-host: {evil}"
    ),
    "header original url": lambda evil: post(
        GOOD, f"x-original-url: http://{evil}/", f"x-rewrite-url: http://{evil}/"
    ),
    "forwarded": lambda evil: post(
        GOOD, f"x-forwarded-host: {evil}", f"forwarded: host={evil}", f"via: 1.1 {evil}"
    ),
    "connect": lambda evil: post(evil, method="CONNECT"),
    "options": lambda evil: post("*", method="OPTIONS"),
    "trace": lambda evil: post(GOOD, method="TRACE"),
    "method override": lambda evil: post("/groq/v1/files", "x-http-method-override: GET", method="POST"),
    "delete": lambda evil: post("/groq/v1/models/m", method="DELETE"),
    "connection names the key": lambda evil: post(GOOD, "connection: authorization, close"),
    "upgrade": lambda evil: post(GOOD, "upgrade: websocket", "sec-websocket-key: aaaa"),
    "length and chunks": lambda evil: post(GOOD, "transfer-encoding: chunked", body=CHUNKED + smuggled(evil)),
    "chunks not last": lambda evil: post(
        GOOD, "transfer-encoding: chunked, identity", body=CHUNKED + smuggled(evil)
    ),
    "two lengths": lambda evil: post(GOOD, "content-length: 3") + smuggled(evil),
    "smuggled behind": lambda evil: post(GOOD).replace(b"connection: close\r\n", b"") + smuggled(evil),
    "other provider": lambda evil: post("/openai/v1/chat/completions"),
    "no provider": lambda evil: post("/v1/chat/completions"),
    "files": lambda evil: post("/groq/v1/files"),
    "batches": lambda evil: post("/groq/v1/batches"),
    "organization": lambda evil: post("/groq/v1/organizations", method="GET"),
    "fine tuning": lambda evil: post("/groq/v1/fine_tuning/jobs"),
    "responses of another wire": lambda evil: post("/groq/v1/responses"),
    "http/2": lambda evil: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http/0.9": lambda evil: f"GET http://{evil}/\r\n\r\n".encode(),
    "socks": lambda evil: b"\x05\x01\x00",
    "tls": lambda evil: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
}
"""Requests by name, given the attacker's host and port."""

NAMES = sorted(MUTATIONS)
assert len(NAMES) >= 40


def check(request: Received, provider_url: str, evil_url: str) -> None:
    """What reached the provider is one of its own calls, has the key in its place only, and names nobody."""
    assert CALLS.fullmatch(request.line), request.line
    assert request.headers("host") == [provider_url.removeprefix("http://")]
    assert request.headers("authorization") == [f"Bearer {KEY}"]
    assert request.head.count(KEY.encode()) == 1
    assert KEY.encode() not in request.body
    # A program may call itself what it likes.
    head = re.sub(rb"(?i)\r\nuser-agent:[^\r]*", b"", request.head)
    assert evil_url.removeprefix("http://").encode() not in head + request.body
    json.loads(request.body or b"{}")


async def attack(side: BoxSide, good: FakeProvider, evil: FakeProvider, data: bytes) -> bytes:
    answer = await side.bytes(data)
    assert evil.connections == 0
    assert KEY.encode() not in answer
    for request in good.received:
        check(request, good.url, evil.url)
    return answer


@pytest.mark.parametrize("name", NAMES)
async def test_no_request_leads_the_key_elsewhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_provider(whole(200, ANSWER)) as good, fake_provider(whole(200, ANSWER)) as evil:
        # A proxy of the environment would be asked about loopback too, if the gate let it.
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, evil.url)
        async with box_side(provider("openai-chat", f"{good.url}/v1")) as side:
            data = MUTATIONS[name](evil.url.removeprefix("http://"))
            await attack(side, good, evil, data)
            # And the gate is as good as before.
            good.received.clear()
            assert b"200" in (await attack(side, good, evil, post(GOOD))).split(b"\r\n")[0]
            assert len(good.received) == 1


REFUSED = (
    *("files", "batches", "organization", "fine tuning", "responses of another wire", "other provider"),
    *("no provider", "double slash", "dots", "encoded dots", "absolute form", "delete", "trace", "connect"),
)


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_model_call_is_refused_and_goes_nowhere(name: str) -> None:
    async with (
        fake_provider(whole(200, ANSWER)) as good,
        box_side(provider("openai-chat", f"{good.url}/v1")) as side,
    ):
        answer = await side.bytes(MUTATIONS[name]("evil.example:9"))
        assert re.match(rb"HTTP/1\.1 (403|404|405) ", answer)
        assert b'"type":"openagent_gate"' in answer
        assert good.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("form", ["http://{}/v1/chat/completions", "//{}/x", "/v1/files"])
async def test_redirects_of_the_provider_are_not_followed(status: int, form: str) -> None:
    async with fake_provider(whole(200, ANSWER)) as evil:
        location = form.format(evil.url.removeprefix("http://"))
        moved = whole(
            status, b"{}", f"location: {location}", f"refresh: 0;url={location}", f"alt-svc: h2={location}"
        )
        async with fake_provider(moved) as good, box_side(provider("openai-chat", f"{good.url}/v1")) as side:
            answer = await attack(side, good, evil, post(GOOD))
            assert answer.startswith(b"HTTP/1.1 502")
            assert len(good.received) == 1
            for word in (b"location", b"refresh", b"alt-svc"):
                assert word not in answer.lower()
            assert [error.error_class for error in side.errors] == ["provider_bad_response"]


async def test_cookies_of_the_provider_stay_with_nobody() -> None:
    cookies = whole(
        200, ANSWER, "set-cookie: a=1; path=/", "www-authenticate: Basic", "x-served-by: secret-host"
    )
    async with fake_provider(cookies) as good, box_side(provider("openai-chat", f"{good.url}/v1")) as side:
        for _ in range(2):
            answer = await side.bytes(post(GOOD))
            assert b"set-cookie" not in answer.lower()
            assert b"www-authenticate" not in answer.lower()
            assert b"secret-host" not in answer
        assert [request.headers("cookie") for request in good.received] == [[], []]


async def test_an_answer_that_echoes_the_key_arrives_without_it() -> None:
    echo = json.dumps(
        {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}
    )
    refuse = whole(401, echo.encode(), f"x-request-id: {KEY}", f"x-ratelimit-key: Bearer {KEY}")
    async with fake_provider(refuse) as good, box_side(provider("openai-chat", f"{good.url}/v1")) as side:
        answer = await side.bytes(post(GOOD))
        assert answer.startswith(b"HTTP/1.1 401")
        assert b"[hidden]" in answer
        assert KEY.encode() not in answer
        assert KEY not in repr(side.errors)


async def test_no_form_of_the_key_that_a_provider_echoes_gets_into_an_answer_a_count_or_an_error() -> None:
    echoes = {name: dress(KEY.encode()).decode() for name, dress in dresses.FORMS.items() if name in ECHOED}
    for name, echo in echoes.items():
        told = {"model": echo, "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
        wrong = {"error": {"message": f"Your key {echo} is wrong", "code": "invalid_api_key"}}
        replies = (whole(200, json.dumps(told).encode()), whole(401, json.dumps(wrong).encode()))
        async with (
            fake_provider(*replies) as good,
            box_side(provider("openai-chat", f"{good.url}/v1")) as side,
        ):
            seen = [await side.bytes(post(GOOD)), await side.bytes(post(GOOD))]
            hunt = hunter.Hunt({"key": KEY})
            hunt.search(name, iter([*seen, repr((side.usage, side.errors)).encode()]))
            assert hunt.found["key"] == [], seen
            assert side.usage and side.errors and b"[hidden]" in seen[0]


ECHOED = ("raw", "base64-0", "base64-1", "base64-2", "url-base64-1", "hex", "upper-hex", "url")
