"""Which of OpenCode's sessions is ours, and what the running server has to offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sidecar.agents import text
from sidecar.agents.opencode.client import Client, Refused

# With a title of its own no model call is spent on inventing one.
TITLE = "OpenAgent"
MARK = "openagent"
MAX_MESSAGES = 1000
MAX_MODELS = 2000
MAX_COMMANDS = 100


@dataclass(frozen=True)
class Opened:
    """A session to work with; `messages` are what it held already."""

    id: str
    resumed: bool
    messages: list[Any]


async def open_session(client: Client, remembered: str) -> Opened:
    """The remembered session, else the newest one that we made, else a new one."""
    for candidate in [remembered, *await _marked(client)]:
        if candidate and (messages := await _messages(client, candidate)) is not None:
            return Opened(candidate, True, messages)
    made = text.mapping(await client.post("/session", {"title": TITLE, "metadata": {MARK: "1"}}))
    return Opened(text.line(made.get("id")), False, [])


async def models(client: Client, provider: str) -> list[str]:
    """The models of `provider` that the server knows."""
    answer = text.mapping(await client.get("/config/providers"))
    listed = [text.mapping(entry) for entry in text.items(answer.get("providers"))]
    ours = next((entry for entry in listed if entry.get("id") == provider), {})
    return [text.line(name) for name in list(text.mapping(ours.get("models")))[:MAX_MODELS]]


async def commands(client: Client) -> list[str]:
    """The names of the commands that the server knows."""
    listed = text.items(await client.get("/command"), MAX_COMMANDS)
    return [name for entry in listed if (name := text.line(text.mapping(entry).get("name"), 100))]


async def _marked(client: Client) -> list[str]:
    listed = [text.mapping(entry) for entry in text.items(await client.get("/session"), 200)]
    ours = [
        entry for entry in listed if MARK in text.mapping(entry.get("metadata")) and not entry.get("parentID")
    ]
    ours.sort(key=lambda entry: text.number(text.mapping(entry.get("time")).get("updated")), reverse=True)
    return [text.line(entry.get("id")) for entry in ours[:5]]


async def _messages(client: Client, session: str) -> list[Any] | None:
    try:
        listed = await client.get(f"/session/{quote(session, safe='')}/message?limit={MAX_MESSAGES}")
    except Refused:
        return None
    return text.items(listed, MAX_MESSAGES)
