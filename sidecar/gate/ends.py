"""How one model call ends from outside: the box leaves, or the key is revoked."""

from __future__ import annotations

import asyncio

from sidecar.gate.failures import Failed
from sidecar.gate.relay import Relay
from sidecar.http1 import PeerGone


async def until_over(relay: Relay, *, read_on_seconds: float) -> None:
    """Run a call to its end, or to the end of its key. PeerGone when the box left.

    One that costs something is then read on for `read_on_seconds`, so that it is counted as what it cost.
    """
    work = asyncio.create_task(relay.run())
    gone = asyncio.create_task(relay.peer_gone())
    left = asyncio.create_task(relay.left.wait())
    revoked = asyncio.create_task(relay.revoked.wait())
    try:
        await asyncio.wait((work, gone, left, revoked), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
            return
        if gone.done() or left.done():
            relay.leave()
            if relay.admitted.call.metered:
                await asyncio.wait(
                    (work, revoked), timeout=read_on_seconds, return_when=asyncio.FIRST_COMPLETED
                )
            raise PeerGone
    finally:
        for task in (work, gone, left, revoked):
            task.cancel()
        await asyncio.gather(work, gone, left, revoked, return_exceptions=True)
        relay.settle()
    words = f"The key for {relay.provider.name} was replaced or deleted in the midst of this call."
    await relay.give_up(Failed(503, "key_missing", words))
