"""The model APIs as data: which calls may pass, where the key goes, which headers and queries are theirs.

Everything that is not named here is refused or left out: a call by its method and path, a header or a query
by its name. To let more pass, add it here and to the tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from re import Pattern
from typing import Literal

from sidecar.protocol.frames import Provider

WireName = Literal["openai-chat", "openai-responses", "anthropic", "google"]

# A segment of a path: no percent signs, no dots alone, nothing that a server could read in two ways.
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._:-]*"
_PAGING = re.compile(r"[A-Za-z0-9._=-]{1,256}")


@dataclass(frozen=True)
class Call:
    """One kind of request; a `metered` one costs tokens."""

    method: str
    path: Pattern[str]
    metered: bool = False


@dataclass(frozen=True)
class Wire:
    """One API. `key_header` is where the real key goes, `key_prefix` what stands before it."""

    name: WireName
    calls: tuple[Call, ...]
    key_header: str
    key_prefix: str = ""
    headers: frozenset[str] = frozenset()
    queries: Mapping[str, Pattern[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Admitted:
    """A request that may pass: the path below the provider's base URL, with its query."""

    call: Call
    path: str


class Refused(Exception):
    """A request that may not pass; `status` and the message are the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


HEADERS = frozenset({"accept", "content-type", "content-length", "user-agent", "x-client-request-id"})
"""Request headers of every API; those that describe the client's machine (`x-stainless-...`) pass too."""

HEADER_FAMILY = "x-stainless-"

LOGIN_HEADERS: Mapping[str, frozenset[str]] = {
    "claude": frozenset({"anthropic-dangerous-direct-browser-access", "x-app"}),
    "chatgpt": frozenset({"conversation_id", "originator", "session_id", "version", "x-codex-turn-state"}),
}
"""Those by which the service behind a plan knows its own product, and one call from another."""

RESPONSE_HEADERS = frozenset(
    {
        "cache-control",
        "content-type",
        "openai-processing-ms",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-request-id",
        "x-should-retry",
    }
)
WAITING_HEADERS = frozenset({b"retry-after", b"retry-after-ms", b"x-should-retry"})
"""Of these, those that tell a client when to ask again."""

RESPONSE_HEADER_FAMILIES = ("x-ratelimit-", "anthropic-ratelimit-", "x-codex-")


def _post(path: str) -> Call:
    return Call("POST", re.compile(path), metered=True)


_MODELS = Call("GET", re.compile(rf"models(/{_NAME}){{0,3}}"))
_CHAT = _post(r"chat/completions")
_OPENAI = frozenset({"openai-beta"})

WIRES: Mapping[WireName, Wire] = {
    "openai-chat": Wire(
        name="openai-chat",
        calls=(_CHAT, _MODELS),
        key_header="authorization",
        key_prefix="Bearer ",
        # OpenRouter's names for the application that asks.
        headers=_OPENAI | {"http-referer", "x-title"},
    ),
    "openai-responses": Wire(
        name="openai-responses",
        calls=(_post(r"responses"), _CHAT, _MODELS),
        key_header="authorization",
        key_prefix="Bearer ",
        headers=_OPENAI,
    ),
    "anthropic": Wire(
        name="anthropic",
        calls=(_post(r"messages"), Call("POST", re.compile(r"messages/count_tokens")), _MODELS),
        key_header="x-api-key",
        headers=frozenset({"anthropic-version", "anthropic-beta"}),
        queries={"beta": re.compile("true"), "limit": _PAGING, "after_id": _PAGING, "before_id": _PAGING},
    ),
    "google": Wire(
        name="google",
        calls=(
            _post(rf"models/{_NAME.replace(':', '')}:(generateContent|streamGenerateContent)"),
            Call("POST", re.compile(rf"models/{_NAME.replace(':', '')}:countTokens")),
            _MODELS,
        ),
        key_header="x-goog-api-key",
        headers=frozenset({"x-goog-api-client"}),
        queries={"alt": re.compile("sse|json"), "pageSize": _PAGING, "pageToken": _PAGING},
    ),
}

_TARGET = re.compile(r"/(?P<provider>[a-z0-9-]+)(?:/v1|/v1beta)?/(?P<path>[^?#]+)(?:\?(?P<query>[^#]*))?")


def admit(provider: Provider, method: str, target: bytes) -> Admitted:
    """Where `method` and `target` lead below the provider's base URL. Refused when they lead nowhere."""
    match = _TARGET.fullmatch(target.decode("ascii", "replace"))
    if match is None:
        raise Refused(
            404, "This address is not one of the model proxy. It has the form /<provider>/v1/<call>."
        )
    if match["provider"] != provider.id:
        raise Refused(404, f"This session uses the provider {provider.id}; the model proxy serves no other.")
    wire = WIRES[provider.wire]
    calls = [call for call in wire.calls if call.path.fullmatch(match["path"])]
    for call in calls:
        if call.method == method:
            return Admitted(call, match["path"] + _query(wire, match["query"] or ""))
    if calls:
        raise Refused(405, "The model proxy does not allow this method here.")
    raise Refused(403, "The model proxy lets only model calls pass, and this is none of them.")


def _query(wire: Wire, query: str) -> str:
    """The parts of `query` that belong to the API; others, and keys above all, are left out."""
    pairs = [pair.partition("=") for pair in query.split("&")]
    kept = [
        f"{name}={value}"
        for name, _, value in pairs
        if name in wire.queries and wire.queries[name].fullmatch(value)
    ]
    return "?" + "&".join(kept) if kept else ""


def request_headers(
    wire: Wire, headers: tuple[tuple[bytes, bytes], ...], *, login: str = ""
) -> list[tuple[bytes, bytes]]:
    """The headers of the box's request that go to the provider."""
    names = HEADERS | wire.headers | LOGIN_HEADERS.get(login, frozenset())
    passing = []
    for raw_name, value in headers:
        name = raw_name.decode("ascii").lower()
        if name in names or name.startswith(HEADER_FAMILY):
            passing.append((name.encode("ascii"), value))
    return passing


def key_header(provider: Provider, secret: str) -> tuple[bytes, bytes]:
    """Where this provider wants the real key."""
    if provider.key_header:
        return provider.key_header.encode(), secret.encode()
    wire = WIRES[provider.wire]
    return wire.key_header.encode(), (wire.key_prefix + secret).encode()


def response_headers(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """The headers of the provider's response that go to the box."""
    return [
        (name.lower().encode("ascii"), value.encode("latin-1", "replace"))
        for name, value in headers
        if name.lower() in RESPONSE_HEADERS or name.lower().startswith(RESPONSE_HEADER_FAMILIES)
    ]
