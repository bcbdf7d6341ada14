"""Anthropic's messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sidecar.demo_model.scripts import Kind
from sidecar.demo_model.tools import Offered
from sidecar.demo_model.wires import base
from sidecar.demo_model.wires.base import Asked, Entry, Fault, Frame, Part, Reply, Text, Thought, Wire

_TYPES: dict[Kind, str] = {
    "auth": "authentication_error",
    "forbidden": "permission_error",
    "quota": "billing_error",
    "rate_limit": "rate_limit_error",
    "server": "api_error",
    "unavailable": "overloaded_error",
    "context": "invalid_request_error",
    "model": "not_found_error",
}


class Anthropic(Wire):
    """POST messages."""

    name = "anthropic"

    def matches(self, path: str) -> bool:
        return path.endswith("/messages")

    def read(self, path: str, body: dict[str, Any]) -> Asked:
        history: list[Entry] = []
        for message in body["messages"]:
            content = message["content"]
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
            history.extend(_entries(message["role"], blocks))
        return Asked(
            model=body["model"],
            stream=bool(body.get("stream")),
            system=base.joined_text(body.get("system")),
            history=tuple(history),
            tools={tool["name"]: Offered(tool.get("input_schema") or {}) for tool in body.get("tools") or ()},
        )

    def whole(self, reply: Reply) -> dict[str, Any]:
        content = [_block(part) for part in reply.parts]
        usage = {**_input_usage(reply), "output_tokens": reply.usage.output}
        return {**_message(reply), "content": content, "stop_reason": _stop(reply), "usage": usage}

    def stream(self, reply: Reply, *, usage: bool) -> Iterator[Frame]:
        yield _frame("message_start", message=_message(reply))
        for index, part in enumerate(reply.parts):
            yield _frame("content_block_start", index=index, content_block=_empty(part))
            for piece, happens in base.pieces(part):
                data = _frame("content_block_delta", index=index, delta=_delta(part, piece)).data
                yield base.delta(part, piece, happens, data)
            if isinstance(part, Thought):
                signature = {"type": "signature_delta", "signature": "c2NyaXB0ZWQ="}
                yield _frame("content_block_delta", index=index, delta=signature)
            yield _frame("content_block_stop", index=index)
        end = {"stop_reason": _stop(reply), "stop_sequence": None}
        yield _frame("message_delta", delta=end, usage={"output_tokens": reply.usage.output})
        yield _frame("message_stop")

    def error(self, fault: Fault) -> dict[str, Any]:
        return {"type": "error", "error": {"type": _TYPES[fault.kind], "message": fault.message}}

    def stream_error(self, fault: Fault) -> bytes:
        return base.event(self.error(fault), "error")


def _entries(role: str, blocks: list[dict[str, Any]]) -> Iterator[Entry]:
    for block in blocks:
        kind = block.get("type")
        if kind == "tool_use":
            yield Entry("call", str(block.get("id")))
        elif kind == "tool_result":
            yield Entry("result", base.joined_text(block.get("content")))
        elif kind == "text":
            yield Entry("user" if role == "user" else "assistant", block["text"])


def _frame(kind: str, **fields: Any) -> Frame:
    return Frame(base.event({"type": kind, **fields}, kind))


def _message(reply: Reply) -> dict[str, Any]:
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**_input_usage(reply), "output_tokens": 1},
    }


def _input_usage(reply: Reply) -> dict[str, int]:
    # This API counts cached input beside the rest, not within it, and thinking within the output.
    usage = reply.usage
    fresh = usage.input - usage.cached
    return {"input_tokens": fresh, "cache_read_input_tokens": usage.cached, "cache_creation_input_tokens": 0}


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Thought):
        return {"type": "thinking", "thinking": part.text, "signature": "c2NyaXB0ZWQ="}
    return {"type": "tool_use", "id": f"toolu_{part.id}", "name": part.name, "input": part.arguments}


def _empty(part: Part) -> dict[str, Any]:
    block = _block(part)
    blank = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {key: blank.get(key, value) if key != "type" else value for key, value in block.items()}


def _delta(part: Part, piece: str) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text_delta", "text": piece}
    if isinstance(part, Thought):
        return {"type": "thinking_delta", "thinking": piece}
    return {"type": "input_json_delta", "partial_json": piece}


def _stop(reply: Reply) -> str:
    return "tool_use" if reply.calls else "end_turn"
