"""OpenAI's chat completions, which most other providers speak too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sidecar.demo_model.scripts import Kind, Usage
from sidecar.demo_model.tools import Offered
from sidecar.demo_model.wires import base
from sidecar.demo_model.wires.base import Asked, Entry, Fault, Frame, Reply, Thought, ToolUse, Wire

CODES: dict[Kind, tuple[str, str]] = {
    "auth": ("invalid_request_error", "invalid_api_key"),
    "forbidden": ("invalid_request_error", "permission_denied"),
    "quota": ("insufficient_quota", "insufficient_quota"),
    "rate_limit": ("requests", "rate_limit_exceeded"),
    "server": ("server_error", "internal_error"),
    "unavailable": ("server_error", "service_unavailable"),
    "context": ("invalid_request_error", "context_length_exceeded"),
    "model": ("invalid_request_error", "model_not_found"),
}


def error_body(fault: Fault) -> dict[str, Any]:
    """The error that both of OpenAI's APIs answer."""
    kind, code = CODES[fault.kind]
    return {"error": {"message": fault.message, "type": kind, "param": None, "code": code}}


class OpenAIChat(Wire):
    """POST chat/completions."""

    name = "openai-chat"

    def matches(self, path: str) -> bool:
        return path.endswith("/chat/completions")

    def read(self, path: str, body: dict[str, Any]) -> Asked:
        system, history = [], []
        for message in body["messages"]:
            role, text = message["role"], base.joined_text(message.get("content"))
            if role in ("system", "developer"):
                system.append(text)
            elif role == "tool":
                history.append(Entry("result", text))
            elif role == "user":
                history.append(Entry("user", text))
            else:
                history.append(Entry("assistant", text))
                history.extend(Entry("call", call["id"]) for call in message.get("tool_calls") or ())
        functions = [tool["function"] for tool in body.get("tools") or () if "function" in tool]
        return Asked(
            model=body["model"],
            stream=bool(body.get("stream")),
            system="\n".join(system),
            history=tuple(history),
            tools={function["name"]: Offered(function.get("parameters") or {}) for function in functions},
            wants_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        )

    def whole(self, reply: Reply) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": reply.text}
        if thoughts := "".join(part.text for part in reply.parts if isinstance(part, Thought)):
            message["reasoning_content"] = thoughts
        if reply.calls:
            message["tool_calls"] = [_call(call) for call in reply.calls]
        return {
            "id": f"chatcmpl-{reply.id}",
            "object": "chat.completion",
            "created": base.CREATED,
            "model": reply.model,
            "choices": [{"index": 0, "message": message, "finish_reason": _finish(reply)}],
            "usage": _usage(reply.usage),
        }

    def stream(self, reply: Reply, *, usage: bool) -> Iterator[Frame]:
        yield self._chunk(reply, {"role": "assistant", "content": ""})
        index = 0
        for part in reply.parts:
            if isinstance(part, ToolUse):
                yield self._call(reply, part, index)
                index += 1
                continue
            key = "reasoning_content" if isinstance(part, Thought) else "content"
            for piece, happens in base.pieces(part):
                yield base.delta(part, piece, happens, self._chunk(reply, {key: piece}).data)
        yield self._chunk(reply, {}, finish=_finish(reply))
        if usage:
            body = {**self._head(reply), "choices": [], "usage": _usage(reply.usage)}
            yield Frame(base.event(body))
        yield Frame(base.event("[DONE]"))

    def error(self, fault: Fault) -> dict[str, Any]:
        return error_body(fault)

    def stream_error(self, fault: Fault) -> bytes:
        return base.event(error_body(fault))

    def _call(self, reply: Reply, call: ToolUse, index: int) -> Frame:
        # In one piece, as several providers do: their SDKs refuse pieces without id, type and name.
        delta = {"tool_calls": [{"index": index, **_call(call)}]}
        return Frame(self._chunk(reply, delta).data, paced=True)

    def _chunk(self, reply: Reply, delta: dict[str, Any], *, finish: str | None = None) -> Frame:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return Frame(base.event({**self._head(reply), "choices": [choice]}))

    def _head(self, reply: Reply) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{reply.id}",
            "object": "chat.completion.chunk",
            "created": base.CREATED,
            "model": reply.model,
        }


def _call(call: ToolUse) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.encoded}
    return {"id": f"call_{call.id}", "type": "function", "function": function}


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
