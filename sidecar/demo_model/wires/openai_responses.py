"""OpenAI's responses API over server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sidecar.demo_model.scripts import Event
from sidecar.demo_model.tools import Offered
from sidecar.demo_model.wires import base, openai_chat
from sidecar.demo_model.wires.base import Asked, Entry, Fault, Frame, Part, Reply, Text, Thought, Wire

_CALLS = ("function_call", "custom_tool_call", "local_shell_call")
_RESULTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")


class OpenAIResponses(Wire):
    """POST responses."""

    name = "openai-responses"

    def matches(self, path: str) -> bool:
        return path.endswith("/responses")

    def read(self, path: str, body: dict[str, Any]) -> Asked:
        items = body["input"]
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        system, history = [body.get("instructions") or ""], []
        for item in items:
            kind, role = item.get("type"), item.get("role")
            if kind in _CALLS:
                history.append(Entry("call", str(item.get("call_id"))))
            elif kind in _RESULTS:
                history.append(Entry("result", base.joined_text(item.get("output"))))
            elif role in ("system", "developer"):
                system.append(base.joined_text(item.get("content")))
            elif role == "user":
                history.append(Entry("user", base.joined_text(item.get("content"))))
            elif role == "assistant":
                history.append(Entry("assistant", base.joined_text(item.get("content"))))
        return Asked(
            model=body["model"],
            stream=bool(body.get("stream")),
            system="\n".join(filter(None, system)),
            history=tuple(history),
            tools=_tools(body),
        )

    def whole(self, reply: Reply) -> dict[str, Any]:
        output = [_item(reply, index, part, done=True) for index, part in enumerate(reply.parts)]
        return _response(reply, "completed", output)

    def stream(self, reply: Reply, *, usage: bool) -> Iterator[Frame]:
        for number, (kind, fields, piece) in enumerate(_events(reply)):
            data = base.event({"type": kind, "sequence_number": number, **fields}, kind)
            yield Frame(data) if piece is None else base.delta(*piece, data)

    def error(self, fault: Fault) -> dict[str, Any]:
        return openai_chat.error_body(fault)

    def stream_error(self, fault: Fault) -> bytes:
        _, code = openai_chat.CODES[fault.kind]
        response = {
            "id": "resp_failed",
            "object": "response",
            "created_at": base.CREATED,
            "status": "failed",
            "error": {"code": code, "message": fault.message},
            "output": [],
        }
        return base.event(
            {"type": "response.failed", "sequence_number": 0, "response": response}, "response.failed"
        )


Piece = tuple[Part, str, Event | None]
Events = Iterator[tuple[str, dict[str, Any], Piece | None]]
"""Type, fields and, when the event carries one, the piece of a part."""


def _events(reply: Reply) -> Events:
    yield "response.created", {"response": _response(reply, "in_progress", [])}, None
    output = []
    for index, part in enumerate(reply.parts):
        done = _item(reply, index, part, done=True)
        opened = _item(reply, index, part, done=False)
        yield "response.output_item.added", {"output_index": index, "item": opened}, None
        yield from _part_events(part, {"item_id": done["id"], "output_index": index})
        yield "response.output_item.done", {"output_index": index, "item": done}, None
        output.append(done)
    yield "response.completed", {"response": _response(reply, "completed", output)}, None


def _part_events(part: Part, where: dict[str, Any]) -> Events:
    """The events between a part's opening and its end."""
    if isinstance(part, Text):
        place = {**where, "content_index": 0}
        content = {"type": "output_text", "text": "", "annotations": []}
        yield "response.content_part.added", {**place, "part": content}, None
        for piece, happens in base.pieces(part):
            yield "response.output_text.delta", {**place, "delta": piece}, (part, piece, happens)
        yield "response.output_text.done", {**place, "text": part.text}, None
        yield "response.content_part.done", {**place, "part": {**content, "text": part.text}}, None
    elif isinstance(part, Thought):
        place = {**where, "summary_index": 0}
        summary = {"type": "summary_text", "text": ""}
        yield "response.reasoning_summary_part.added", {**place, "part": summary}, None
        for piece, _ in base.pieces(part):
            yield "response.reasoning_summary_text.delta", {**place, "delta": piece}, (part, piece, None)
        yield "response.reasoning_summary_text.done", {**place, "text": part.text}, None
        yield "response.reasoning_summary_part.done", {**place, "part": {**summary, "text": part.text}}, None
    else:
        freeform = isinstance(part.arguments, str)
        kind = "custom_tool_call_input" if freeform else "function_call_arguments"
        for piece, _ in base.pieces(part):
            yield f"response.{kind}.delta", {**where, "delta": piece}, (part, piece, None)
        yield f"response.{kind}.done", {**where, "input" if freeform else "arguments": part.encoded}, None


def _item(reply: Reply, index: int, part: Part, *, done: bool) -> dict[str, Any]:
    name = f"{reply.id}{index}"
    status = "completed" if done else "in_progress"
    if isinstance(part, Text):
        content = [{"type": "output_text", "text": part.text, "annotations": []}] if done else []
        message = {"id": f"msg_{name}", "type": "message", "role": "assistant"}
        return {**message, "status": status, "content": content}
    if isinstance(part, Thought):
        summary = [{"type": "summary_text", "text": part.text}] if done else []
        return {"id": f"rs_{name}", "type": "reasoning", "summary": summary}
    call = {"call_id": f"call_{part.id}", "name": part.name, "status": status}
    encoded = part.encoded if done else ""
    if isinstance(part.arguments, str):
        return {"id": f"ctc_{part.id}", "type": "custom_tool_call", **call, "input": encoded}
    return {"id": f"fc_{part.id}", "type": "function_call", **call, "arguments": encoded}


def _response(reply: Reply, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = {
        "input_tokens": reply.usage.input,
        "input_tokens_details": {"cached_tokens": reply.usage.cached},
        "output_tokens": reply.usage.output,
        "output_tokens_details": {"reasoning_tokens": reply.usage.reasoning},
        "total_tokens": reply.usage.input + reply.usage.output,
    }
    head = {"id": f"resp_{reply.id}", "object": "response", "created_at": base.CREATED, "model": reply.model}
    return {**head, "status": status, "output": output, "usage": usage if status == "completed" else None}


def _tools(body: dict[str, Any]) -> dict[str, Offered]:
    tools = {}
    for tool in _offered(body):
        if tool.get("type") == "function":
            tools[tool["name"]] = Offered(tool.get("parameters") or {})
        elif tool.get("type") == "custom":
            tools[tool["name"]] = Offered({}, freeform=True)
    return tools


def _offered(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tools of a request; newer models are told some, in groups, in the midst of what was said."""
    yield from body.get("tools") or ()
    for item in body["input"]:
        if isinstance(item, dict) and item.get("type") == "additional_tools":
            for group in item.get("tools") or ():
                yield from group.get("tools") or () if group.get("name") == "functions" else ()
