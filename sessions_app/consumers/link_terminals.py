"""The terminals' part of a link: the viewers that watch over it, and what its sidecar says to them."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable

from openagent.lib import db
from sessions_app import relay
from sessions_app.services import activity, transcripts
from sidecar.protocol import frames, terminals

_numbers = itertools.count(1)


class LinkTerminals:
    """Viewers by their number on this link. What they send goes the same way as all other frames."""

    def __init__(
        self,
        session_id: uuid.UUID,
        version: int,
        put: Callable[[frames.Frame], None],
        outgoing: asyncio.Queue[frames.Frame | bytes],
    ) -> None:
        self.is_known = version >= terminals.VERSION
        self._session_id = session_id
        self._put = put
        self._outgoing = outgoing
        self._viewers: dict[int, relay.Viewer] = {}

    def watch(self, viewer: relay.Viewer, order: terminals.TerminalWatch) -> int:
        """The viewer watches; its number."""
        order.viewer = next(_numbers)
        self._viewers[order.viewer] = viewer
        self._put(order)
        return order.viewer

    def unwatch(self, number: int) -> None:
        """The viewer is gone."""
        if self._viewers.pop(number, None) is not None:
            self._put(terminals.TerminalUnwatch(viewer=number))

    async def send(self, message: frames.Frame | bytes) -> None:
        """Something that a viewer says, who is held up while the sidecar does not take it."""
        await self._outgoing.put(message)

    def output(self, message: bytes) -> None:
        """Output for a viewer. FrameError when the sidecar sent something else."""
        _, number, rest = terminals.unpack_link(message, terminals.OUTPUT)
        if viewer := self._viewers.get(number):
            viewer.show(rest)

    async def receive(self, frame: frames.Frame) -> None:
        """A frame about terminals."""
        match frame:
            case terminals.TerminalTell():
                if viewer := self._viewers.get(frame.viewer):
                    viewer.tell(frame.tell)
            case terminals.TerminalSaved():
                self._put(await db.run(transcripts.store, session_id=self._session_id, saved=frame))
            case terminals.TerminalWork():
                await db.run(activity.touch, session_id=self._session_id)

    def lost(self) -> None:
        """The link is gone, and the viewers look for another one."""
        viewers, self._viewers = self._viewers, {}
        # Whoever waits to say something on it waits no longer.
        while not self._outgoing.empty():
            self._outgoing.get_nowait()
        for viewer in viewers.values():
            viewer.link_lost()
