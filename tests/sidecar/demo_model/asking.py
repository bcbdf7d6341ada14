"""How a client of each wire asks and reads: from the APIs' documentation, not from our modules."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sidecar.demo_model.scripts import Usage

SCHEMA = {"type": "object", "properties": {"filePath": {}, "content": {}}}
COMMAND = {"type": "object", "properties": {"command": {}, "description": {}}}
Body = dict[str, Any]
Chunks = list[dict[str, Any]]
Calls = list[dict[str, Any]]


@dataclass(frozen=True)
class Asking:
    """One wire from the client's side."""

    name: str

    def path(self, *, stream: bool = False, model: str = "demo") -> str:
        raise NotImplementedError

    def body(self, prompt: str, *, stream: bool = False, tools: bool = False, model: str = "demo") -> Body:
        raise NotImplementedError

    def text(self, chunks: Chunks) -> str:
        raise NotImplementedError

    def thoughts(self, chunks: Chunks) -> str:
        raise NotImplementedError

    def usage(self, chunks: Chunks) -> dict[str, int]:
        raise NotImplementedError

    def counted(self, usage: Usage) -> dict[str, int]:
        raise NotImplementedError

    def calls(self, chunks: Chunks) -> Calls:
        raise NotImplementedError

    def answered(self, body: Body, calls: Calls) -> Body:
        raise NotImplementedError

    def whole_text(self, answer: Body) -> str:
        raise NotImplementedError

    def auth(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"}


class Chat(Asking):
    def path(self, *, stream: bool = False, model: str = "demo") -> str:
        return "/v1/chat/completions"

    def body(self, prompt: str, *, stream: bool = False, tools: bool = False, model: str = "demo") -> Body:
        body: Body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if tools:
            names = (("write", SCHEMA), ("bash", COMMAND))
            body["tools"] = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in names]
        return body

    def text(self, chunks: Chunks) -> str:
        return self._joined(chunks, "content")

    def thoughts(self, chunks: Chunks) -> str:
        return self._joined(chunks, "reasoning_content")

    def usage(self, chunks: Chunks) -> dict[str, int]:
        assert chunks[-1]["choices"] == []
        usage = chunks[-1]["usage"]
        return {
            "prompt": usage["prompt_tokens"],
            "completion": usage["completion_tokens"],
            "cached": usage["prompt_tokens_details"]["cached_tokens"],
            "reasoning": usage["completion_tokens_details"]["reasoning_tokens"],
        }

    def counted(self, usage: Usage) -> dict[str, int]:
        counts = {"prompt": usage.input, "completion": usage.output}
        return {**counts, "cached": usage.cached, "reasoning": usage.reasoning}

    def calls(self, chunks: Chunks) -> Calls:
        deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
        return [call for delta in deltas for call in delta.get("tool_calls", [])]

    def answered(self, body: Body, calls: Calls) -> Body:
        added = [{"role": "assistant", "content": "", "tool_calls": calls}]
        added += [{"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in calls]
        return body | {"messages": body["messages"] + added}

    def whole_text(self, answer: Body) -> str:
        return str(answer["choices"][0]["message"]["content"])

    def _joined(self, chunks: Chunks, key: str) -> str:
        return "".join(choice["delta"].get(key, "") for chunk in chunks for choice in chunk["choices"])


class Responses(Asking):
    def path(self, *, stream: bool = False, model: str = "demo") -> str:
        return "/v1/responses"

    def body(self, prompt: str, *, stream: bool = False, tools: bool = False, model: str = "demo") -> Body:
        content = [{"type": "input_text", "text": prompt}]
        body: Body = {"model": model, "stream": stream, "input": [{"role": "user", "content": content}]}
        if tools:
            names = (("write", SCHEMA), ("bash", COMMAND))
            body["tools"] = [{"type": "function", "name": n, "parameters": s} for n, s in names]
        return body

    def text(self, chunks: Chunks) -> str:
        return self._deltas(chunks, "response.output_text.delta")

    def thoughts(self, chunks: Chunks) -> str:
        return self._deltas(chunks, "response.reasoning_summary_text.delta")

    def usage(self, chunks: Chunks) -> dict[str, int]:
        assert [chunk["sequence_number"] for chunk in chunks] == list(range(len(chunks)))
        usage = chunks[-1]["response"]["usage"]
        return {
            "input": usage["input_tokens"],
            "output": usage["output_tokens"],
            "cached": usage["input_tokens_details"]["cached_tokens"],
            "reasoning": usage["output_tokens_details"]["reasoning_tokens"],
        }

    def counted(self, usage: Usage) -> dict[str, int]:
        counts = {"input": usage.input, "output": usage.output}
        return {**counts, "cached": usage.cached, "reasoning": usage.reasoning}

    def calls(self, chunks: Chunks) -> Calls:
        return [item for item in chunks[-1]["response"]["output"] if item["type"] == "function_call"]

    def answered(self, body: Body, calls: Calls) -> Body:
        results = [
            {"type": "function_call_output", "call_id": call["call_id"], "output": "done"} for call in calls
        ]
        return body | {"input": body["input"] + calls + results}

    def whole_text(self, answer: Body) -> str:
        contents = [item["content"] for item in answer["output"] if item["type"] == "message"]
        return "".join(part["text"] for content in contents for part in content)

    def _deltas(self, chunks: Chunks, kind: str) -> str:
        return "".join(chunk["delta"] for chunk in chunks if chunk["type"] == kind)


class Messages(Asking):
    def path(self, *, stream: bool = False, model: str = "demo") -> str:
        return "/v1/messages"

    def body(self, prompt: str, *, stream: bool = False, tools: bool = False, model: str = "demo") -> Body:
        messages = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
        body: Body = {"model": model, "max_tokens": 1000, "stream": stream, "messages": messages}
        if tools:
            names = (("write", SCHEMA), ("bash", COMMAND))
            body["tools"] = [{"name": n, "input_schema": s} for n, s in names]
        return body

    def text(self, chunks: Chunks) -> str:
        return self._deltas(chunks, "text")

    def thoughts(self, chunks: Chunks) -> str:
        return self._deltas(chunks, "thinking")

    def usage(self, chunks: Chunks) -> dict[str, int]:
        start = next(chunk for chunk in chunks if chunk["type"] == "message_start")["message"]["usage"]
        end = next(chunk for chunk in chunks if chunk["type"] == "message_delta")["usage"]
        counts = {"fresh": start["input_tokens"], "cached": start["cache_read_input_tokens"]}
        return counts | {"output": end["output_tokens"]}

    def counted(self, usage: Usage) -> dict[str, int]:
        return {"fresh": usage.input - usage.cached, "cached": usage.cached, "output": usage.output}

    def calls(self, chunks: Chunks) -> Calls:
        blocks: dict[int, dict[str, Any]] = {}
        encoded: dict[int, str] = {}
        for chunk in chunks:
            if chunk["type"] == "content_block_start":
                blocks[chunk["index"]] = chunk["content_block"]
            elif chunk["type"] == "content_block_delta" and chunk["delta"]["type"] == "input_json_delta":
                index = chunk["index"]
                encoded[index] = encoded.get(index, "") + chunk["delta"]["partial_json"]
        uses = {index: block for index, block in blocks.items() if block["type"] == "tool_use"}
        return [block | {"input": json.loads(encoded[index])} for index, block in uses.items()]

    def answered(self, body: Body, calls: Calls) -> Body:
        results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "done"} for call in calls]
        added = [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]
        return body | {"messages": body["messages"] + added}

    def whole_text(self, answer: Body) -> str:
        return "".join(block["text"] for block in answer["content"] if block["type"] == "text")

    def auth(self, key: str) -> dict[str, str]:
        return {"x-api-key": key}

    def _deltas(self, chunks: Chunks, kind: str) -> str:
        deltas = [chunk["delta"] for chunk in chunks if chunk["type"] == "content_block_delta"]
        return "".join(delta.get(kind, "") for delta in deltas if delta["type"] == f"{kind}_delta")


class Gemini(Asking):
    def path(self, *, stream: bool = False, model: str = "demo") -> str:
        return f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"

    def body(self, prompt: str, *, stream: bool = False, tools: bool = False, model: str = "demo") -> Body:
        body: Body = {"contents": [{"role": "user", "parts": [{"text": prompt}]}]}
        if tools:
            names = (("write", SCHEMA), ("bash", COMMAND))
            declared = [{"name": n, "parametersJsonSchema": s} for n, s in names]
            body["tools"] = [{"functionDeclarations": declared}]
        return body

    def text(self, chunks: Chunks) -> str:
        parts = [part for part in self._parts(chunks) if not part.get("thought")]
        return "".join(part.get("text", "") for part in parts)

    def thoughts(self, chunks: Chunks) -> str:
        return "".join(part["text"] for part in self._parts(chunks) if part.get("thought"))

    def usage(self, chunks: Chunks) -> dict[str, int]:
        usage = chunks[-1]["usageMetadata"]
        return {
            "prompt": usage["promptTokenCount"],
            "cached": usage["cachedContentTokenCount"],
            "output": usage["candidatesTokenCount"] + usage["thoughtsTokenCount"],
            "thoughts": usage["thoughtsTokenCount"],
        }

    def counted(self, usage: Usage) -> dict[str, int]:
        counts = {"prompt": usage.input, "cached": usage.cached}
        return {**counts, "output": usage.output, "thoughts": usage.reasoning}

    def calls(self, chunks: Chunks) -> Calls:
        return [part for part in self._parts(chunks) if "functionCall" in part]

    def answered(self, body: Body, calls: Calls) -> Body:
        results = [
            {"functionResponse": {"name": call["functionCall"]["name"], "response": {"output": "done"}}}
            for call in calls
        ]
        added = [{"role": "model", "parts": calls}, {"role": "user", "parts": results}]
        return body | {"contents": body["contents"] + added}

    def whole_text(self, answer: Body) -> str:
        return self.text([answer])

    def auth(self, key: str) -> dict[str, str]:
        return {"x-goog-api-key": key}

    def _parts(self, chunks: Chunks) -> list[dict[str, Any]]:
        return [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]


WIRES: tuple[Asking, ...] = (
    Chat("openai-chat"),
    Responses("openai-responses"),
    Messages("anthropic"),
    Gemini("google"),
)


def by_name(asking: Asking) -> str:
    """The id of a parametrised test."""
    return asking.name
