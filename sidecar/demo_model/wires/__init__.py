"""The model APIs that the demo model speaks: one module per wire, and which of them a path belongs to."""

from __future__ import annotations

from sidecar.demo_model.wires.anthropic import Anthropic
from sidecar.demo_model.wires.base import Wire
from sidecar.demo_model.wires.google import Google
from sidecar.demo_model.wires.openai_chat import OpenAIChat
from sidecar.demo_model.wires.openai_responses import OpenAIResponses

WIRES: tuple[Wire, ...] = (OpenAIChat(), OpenAIResponses(), Anthropic(), Google())


def of_path(path: str) -> Wire | None:
    """The wire whose reply is asked for at `path`, whatever stands before the API's own part of it."""
    return next((wire for wire in WIRES if wire.matches(path)), None)
