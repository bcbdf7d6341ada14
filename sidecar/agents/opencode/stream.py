"""Feeds a conversation from one server: its stream of events, and its state after each reconnection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import quote

import structlog

from sidecar.agents import text
from sidecar.agents.base import EventQueue
from sidecar.agents.opencode.client import Client, Refused, Unreachable
from sidecar.agents.opencode.conversation import Conversation

log = structlog.get_logger(__name__)

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
MESSAGES = 100
CHILDREN = 20


class Stream:
    """`run` until cancelled. `connected` is set while events come."""

    def __init__(self, client: Client, conversation: Conversation, queue: EventQueue) -> None:
        self.connected = asyncio.Event()
        self._client = client
        self._conversation = conversation
        self._queue = queue
        self._failures = 0

    async def run(self) -> None:
        """Read events, again and again: OpenCode replays nothing, so each new stream begins with a look."""
        while True:
            try:
                await self._read()
            except (Unreachable, Refused) as error:
                log.info("opencode.stream_cut", reason=str(error))
            self.connected.clear()
            self._conversation.lost_events()
            await asyncio.sleep(PAUSES[min(self._failures, len(PAUSES) - 1)])
            self._failures += 1

    async def catch_up(self) -> None:
        """Tell the conversation what is the case now. Unreachable or Refused when the server does not say."""
        conversation, client = self._conversation, self._client
        session = conversation.session
        messages = await _messages(client, session)
        for child in conversation.children[:CHILDREN]:
            with contextlib.suppress(Refused):
                messages += await _messages(client, child)
        status = text.mapping(await client.get("/session/status"))
        conversation.catch_up(
            messages,
            status=status.get(session),
            permissions=await client.get("/permission"),
            questions=await client.get("/question"),
            todos=await client.get(f"/session/{quote(session, safe='')}/todo"),
        )

    async def _read(self) -> None:
        events = self._client.events()
        async with contextlib.aclosing(events):
            async for event in events:
                if not self.connected.is_set():
                    # What happens from here on waits in the stream, so nothing falls between look and stream.
                    await self._begin()
                await self._queue.room()
                self._conversation.handle(event)

    async def _begin(self) -> None:
        if self._conversation.is_open:
            await self.catch_up()
        self.connected.set()
        self._failures = 0


async def _messages(client: Client, session: str) -> list[Any]:
    listed = await client.get(f"/session/{quote(session, safe='')}/message?limit={MESSAGES}")
    return text.items(listed, MESSAGES)
