"""Pieces of answers that tests of the gate put together."""

from __future__ import annotations

import json

from sidecar.gate.models import Limits
from tests.sidecar.gate.provider import stream

CHAT = "/groq/v1/chat/completions"
BODY = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
ENCODED = json.dumps(BODY).encode()
HEAD = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(ENCODED)}\r\n\r\n".encode()


def delta(text: str) -> bytes:
    """An event of a chat completion that says `text`."""
    choice = {"index": 0, "delta": {"content": text}}
    return b"data: " + json.dumps({"model": "m", "choices": [choice]}).encode() + b"\n\n"


USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
END = STOP + USAGE + DONE
COMPLETE = stream(delta("hello"), END)
MESSAGE_START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"model":"claude","usage":'
    b'{"input_tokens":90,"cache_read_input_tokens":10,"output_tokens":1}}}\n\n'
)
SHORT = Limits(connect_seconds=1, idle_seconds=1, key_seconds=0.3)
