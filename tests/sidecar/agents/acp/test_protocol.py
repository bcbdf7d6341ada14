"""What we say is what the protocol's own schema wants."""

from __future__ import annotations

from typing import Any

import pytest
from acp import schema
from acp.meta import AGENT_METHODS, PROTOCOL_VERSION

from sidecar.agents.acp import calls, host, requests
from sidecar.agents.acp.questions import DECLINED, Form
from sidecar.agents.acp.requests import Request


def test_our_words_are_the_schemas() -> None:
    chosen = Request(type="tool", options=[{"optionId": "y", "kind": "allow_once"}]).chosen(allow=True)
    said: list[tuple[Any, dict[str, Any]]] = [
        (schema.ClientCapabilities, host._CAPABILITIES),
        (schema.RequestPermissionResponse, chosen),
        (schema.RequestPermissionResponse, requests.CANCELLED),
        (schema.DeclineElicitationResponse, DECLINED),
        (schema.AcceptElicitationResponse, Form({}).accepted([])),
        (schema.PromptRequest, {"sessionId": "s", "prompt": [{"type": "text", "text": "hi"}]}),
        (schema.SetSessionModeRequest, {"sessionId": "s", "modeId": "plan"}),
        (schema.NewSessionRequest, {"cwd": "/workspace", "mcpServers": []}),
    ]
    for model, words in said:
        model.model_validate(words)


@pytest.mark.parametrize(
    "name", ["initialize", "session_new", "session_load", "session_prompt", "session_cancel"]
)
def test_the_names_of_calls_are_the_protocols(name: str) -> None:
    known = {value for key, value in vars(calls).items() if key.isupper() and isinstance(value, str)}
    assert AGENT_METHODS[name] in known
    assert calls.PROTOCOL_VERSION == PROTOCOL_VERSION
