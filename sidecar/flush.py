"""Waits at the end of an instance for what is still to be stored, and not for a platform that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from sidecar.link import Link

AWAY_SECONDS = 3.0


async def wait(settled: Coroutine[Any, Any, None], link: Link, linking: asyncio.Task[None]) -> None:
    """Return when `settled` does, when there is no link for a moment, or when `linking` has ended."""
    storing = asyncio.ensure_future(settled)
    absent = asyncio.ensure_future(_stays_away(link))
    try:
        await asyncio.wait((storing, absent, linking), return_when=asyncio.FIRST_COMPLETED)
    finally:
        storing.cancel()
        absent.cancel()


async def _stays_away(link: Link) -> None:
    while True:
        try:
            async with asyncio.timeout(AWAY_SECONDS):
                await link.up.wait()
        except TimeoutError:
            return
        await link.down.wait()
