"""The link of an instance that belongs to nobody yet: its agent is made ready, until somebody claims it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from openagent.lib import db
from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.consumers import base
from sessions_app.consumers.link_terminals import LinkTerminals
from sessions_app.services import links, pool
from sidecar.protocol import frames


class MemberLink:
    """`wait_for_claim` once. To others it is a link without anything behind it, that can be woken."""

    last_command = 0

    def __init__(
        self,
        hello: frames.Hello,
        *,
        receive: Callable[[], Awaitable[frames.Up]],
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self.instance_id = uuid.UUID(hello.instance)
        self.session_id = self.instance_id
        """No session's, so nobody asks here for one."""
        self.terminals = LinkTerminals(self.session_id, 0, lambda frame: None, asyncio.Queue())
        self._hello = hello
        self._receive = receive
        self._send = send
        self._woken = asyncio.Event()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait_for_claim(self, unclaimed: pool.Unclaimed) -> links.Grant:
        """The grant of the session that has claimed it. LinkRefused when it is not wanted any more."""
        if replaced := relay.add_link(self):
            replaced.end(base.SUPERSEDED, "a newer connection of this instance took over")
        try:
            await self._send(frames.encode(unclaimed.prepare))
            while True:
                grant = await db.run(links.accept, self._hello)
                if isinstance(grant, links.Grant):
                    return grant
                await base.run_together(self._read(), self._wait_for_wake(), self._wait_for_end())
                self._woken.clear()
        except (base.Disconnected, base.Closed):
            if relay.remove_link(self):
                await db.run(pool.lost_link, instance_id=self.instance_id)
            raise
        finally:
            relay.remove_link(self)

    def wake(self) -> None:
        """Somebody may have claimed it."""
        self._woken.set()

    def forget_key(self, provider: str) -> None:
        """It has none."""

    async def query(self, verb: str, data: dict[str, Any]) -> dict[str, Any]:
        """There is nothing to be asked for yet."""
        raise AppError("asleep", "This box belongs to nobody yet.", 409)

    def end(self, code: int, reason: str) -> None:
        """Closes the connection from outside."""
        if not self._ended.done():
            self._ended.set_exception(base.Closed(code, reason))

    async def _read(self) -> None:
        """Until something is worth a look at the rows."""
        frame = await self._receive()
        match frame:
            case frames.Stage(stage="agent"):
                await db.run(pool.on_prepared, instance_id=self.instance_id)
            case frames.Stage() | frames.CommandDone():
                pass
            case frames.Goodbye():
                raise base.Closed(1000, "goodbye")
            case _:
                raise base.Closed(base.BAD_FRAME, "this instance belongs to nobody yet")

    async def _wait_for_wake(self) -> None:
        await self._woken.wait()

    async def _wait_for_end(self) -> None:
        # Shielded: later waits are for the same end.
        await asyncio.shield(self._ended)
