"""When OpenCode looks at the next prompt: a failed or stopped turn ends twice."""

from __future__ import annotations

import asyncio
import contextlib

FAILED_SECONDS = 1.0
CANCELLED_SECONDS = 5.0  # It says so within milliseconds, but a busy machine may stand still for a second.


class Settling:
    """Not over after a failed turn, until OpenCode says for the second time that it is idle.

    A prompt that comes in between is taken and never looked at.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = asyncio.Event()
        self._over.set()

    def is_over(self) -> bool:
        """Whether the next prompt may go out."""
        return self._over.is_set()

    def begin(self, seconds: float) -> None:
        """OpenCode has said it once. It may never say it again, and is then waited for so long."""
        self.seconds = seconds
        self._over.clear()

    def end(self) -> None:
        """It has said it again, or is another OpenCode."""
        self._over.set()

    async def wait(self) -> None:
        """Until the next prompt may go out."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await self._over.wait()
        self.end()
