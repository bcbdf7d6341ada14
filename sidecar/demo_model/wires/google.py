"""Google's generateContent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sidecar.demo_model.scripts import Kind, Usage
from sidecar.demo_model.tools import Offered
from sidecar.demo_model.wires import base
from sidecar.demo_model.wires.base import (
    Asked,
    Entry,
    Fault,
    Frame,
    Part,
    Reply,
    Text,
    Thought,
    ToolUse,
    Wire,
)

_STATUS: dict[Kind, str] = {
    "auth": "UNAUTHENTICATED",
    "forbidden": "PERMISSION_DENIED",
    "quota": "RESOURCE_EXHAUSTED",
    "rate_limit": "RESOURCE_EXHAUSTED",
    "server": "INTERNAL",
    "unavailable": "UNAVAILABLE",
    "context": "INVALID_ARGUMENT",
    "model": "NOT_FOUND",
}
_PATH = re.compile(r"/models/([^/:]+):(generateContent|streamGenerateContent)")


class Google(Wire):
    """POST models/{model}:generateContent and :streamGenerateContent?alt=sse."""

    name = "google"

    def matches(self, path: str) -> bool:
        return _PATH.search(path) is not None

    def read(self, path: str, body: dict[str, Any]) -> Asked:
        match = _PATH.search(path)
        if match is None:
            raise ValueError("not a path of this API")
        history: list[Entry] = []
        for content in body["contents"]:
            history.extend(_entries(content.get("role", "user"), content.get("parts") or []))
        tools = [tool.get("functionDeclarations") or () for tool in body.get("tools") or ()]
        schemas = {
            function["name"]: function.get("parametersJsonSchema") or function.get("parameters") or {}
            for functions in tools
            for function in functions
        }
        system = body.get("systemInstruction") or body.get("system_instruction") or {}
        return Asked(
            model=match[1],
            stream=match[2] == "streamGenerateContent",
            system=base.joined_text(system.get("parts")),
            history=tuple(history),
            tools={name: Offered(schema) for name, schema in schemas.items()},
        )

    def whole(self, reply: Reply) -> dict[str, Any]:
        return _chunk(reply, [_part(part) for part in reply.parts], finish="STOP")

    def stream(self, reply: Reply, *, usage: bool) -> Iterator[Frame]:
        for part in reply.parts:
            if isinstance(part, ToolUse):
                yield Frame(base.event(_chunk(reply, [_part(part)])), paced=True)
                continue
            thought = {"thought": True} if isinstance(part, Thought) else {}
            for piece, happens in base.pieces(part):
                chunk = _chunk(reply, [{"text": piece, **thought}])
                yield base.delta(part, piece, happens, base.event(chunk))
        yield Frame(base.event(_chunk(reply, [{"text": ""}], finish="STOP")))

    def error(self, fault: Fault) -> dict[str, Any]:
        return {"error": {"code": fault.status, "message": fault.message, "status": _STATUS[fault.kind]}}

    def stream_error(self, fault: Fault) -> bytes:
        return base.event(self.error(fault))


def _entries(role: str, parts: list[dict[str, Any]]) -> Iterator[Entry]:
    for part in parts:
        if "functionCall" in part:
            yield Entry("call", str(part["functionCall"].get("name")))
        elif "functionResponse" in part:
            yield Entry("result", _result(part["functionResponse"].get("response")))
        elif isinstance(part.get("text"), str) and not part.get("thought"):
            yield Entry("assistant" if role == "model" else "user", part["text"])


def _result(response: object) -> str:
    """The text in a function's response, whatever the agent's SDK called it."""
    if not isinstance(response, dict):
        return ""
    for key in ("output", "content", "result", "error"):
        if isinstance(response.get(key), str):
            return str(response[key])
    return ""


def _chunk(reply: Reply, parts: list[dict[str, Any]], *, finish: str = "") -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": _usage(reply.usage, whole=bool(finish)),
        "modelVersion": reply.model,
        "responseId": reply.id,
    }


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, Thought):
        return {"text": part.text, "thought": True}
    return {"functionCall": {"id": f"call_{part.id}", "name": part.name, "args": part.arguments}}


def _usage(usage: Usage, *, whole: bool) -> dict[str, int]:
    # Chunks before the last count what was produced so far; thoughts stand beside the candidates, not within.
    output = usage.output - usage.reasoning if whole else 1
    thoughts = usage.reasoning if whole else 0
    return {
        "promptTokenCount": usage.input,
        "cachedContentTokenCount": usage.cached,
        "candidatesTokenCount": output,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": usage.input + output + thoughts,
    }
