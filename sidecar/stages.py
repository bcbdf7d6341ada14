"""The stages that a start has reached, with their times by this process's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from sidecar import log
from sidecar.protocol import frames, starting

Name = starting.StageName
PROGRESS_SECONDS = 2.0

_log = log.get(__name__)


class Stages:
    """Counts from its making, or from the last `begin_anew`. A stage is reached once.

    Of what the link in its present version has no words for, nothing is told.
    """

    def __init__(
        self, send: Callable[[frames.Stage | frames.Progress], None], version: Callable[[], int]
    ) -> None:
        self._send = send
        self._version = version
        self._progress_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._reached: dict[str, frames.Stage] = {}
        self._before: AbstractSet[str] = frozenset()

    @property
    def reached(self) -> list[frames.Stage]:
        """All of them in order, to be told again on a new connection."""
        return [stage for name, stage in self._reached.items() if self._can_tell(name)]

    @property
    def last(self) -> str:
        """The name of the newest, empty before the first."""
        return next(reversed(self._reached), "")

    def reach(self, name: Name, detail: str) -> None:
        """It is reached now, unless it was before."""
        if name in self._reached or name in self._before:
            return
        elapsed_ms = round((self._loop.time() - self._since) * 1000)
        stage = self._reached[name] = frames.Stage(stage=name, elapsed_ms=elapsed_ms, detail=detail)
        if self._can_tell(name):
            self._send(stage)
        _log.info("stage reached", stage=name, elapsed_ms=elapsed_ms)

    def progress(self, name: Name, detail: str) -> None:
        """The start has come this far on its way to the stage; told now and then, the newest word of it."""
        now = self._loop.time()
        if self._can_tell(name) and now >= self._progress_at:
            self._progress_at = now + PROGRESS_SECONDS
            self._send(frames.Progress(stage=name, detail=detail))

    def begin_anew(self) -> None:
        """The start of a session begins now: what was reached before took none of its time."""
        self._before = self._reached.keys() - {"agent"}
        self._reached = {}
        self._since = self._loop.time()

    def _can_tell(self, name: str) -> bool:
        return name != "repository" or self._version() >= starting.CLONE_VERSION
