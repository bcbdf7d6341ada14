"""A session's feed: its newest frames, kept for those who watch. Pure, and only for one event loop.

Each browser is a `Reader` with a position over the feed, not a queue, so a slow one costs nothing but its own
delay. Frames are shown when they arrive, but for those that ask a person; what has left the feed is read from
the stored log.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import takewhile
from typing import NamedTuple

FEED_CHARACTERS = 256 * 1024


class Position(NamedTuple):
    """A place in a session's log. A higher generation is further on, whatever its number."""

    gen: int
    seq: int


class Frame(NamedTuple):
    """Consecutive events of one generation, encoded once for all readers.

    One that `asks` is shown when it is stored: whoever answers at once must find what they were asked.
    """

    gen: int
    first: int
    last: int
    text: str
    asks: bool = False


class Reader:
    """Something that follows a feed; `changed` is set whenever there may be something new for it."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        self.changed = asyncio.Event()


class Feed:
    """The newest frames of one session, where its stored log ends, and its state, for those who watch.

    Frames in it are contiguous and of one generation; anything else that arrives starts it anew.
    """

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self.stored = Position(0, 0)
        self.state_version = 0
        self.state = ""
        self.is_gone = False
        self._frames: deque[Frame] = deque()
        self._characters = 0

    def publish(self, frame: Frame) -> None:
        """Adds the frame that a sidecar just sent; the oldest ones go when there are too many."""
        last = self._frames[-1] if self._frames else None
        if last is not None and (last.gen != frame.gen or last.last + 1 != frame.first):
            self._frames.clear()
            self._characters = 0
        self._frames.append(frame)
        self._characters += len(frame.text)
        while self._characters > FEED_CHARACTERS and len(self._frames) > 1:
            self._characters -= len(self._frames.popleft().text)
        self.notify()

    def after(self, position: Position) -> Frame | None:
        """The frame with the event that follows `position`, if the feed still holds it and may show it.

        A reader goes on from frame to frame, so what follows one that waits to be stored waits with it.
        """
        frames = self._frames
        wanted = position.seq + 1
        if not frames or frames[-1].gen != position.gen or not frames[0].first <= wanted <= frames[-1].last:
            return None
        # A live reader wants one of the last frames: look from the end.
        for frame in reversed(frames):
            if frame.first <= wanted:
                return None if frame.asks and not self._has(frame) else frame
        return None

    def _has(self, frame: Frame) -> bool:
        """Whether the log has all of it."""
        return frame.gen == self.stored.gen and frame.last <= self.stored.seq

    def has_stored(self, position: Position) -> None:
        """The log is stored up to `position`."""
        if position > self.stored:
            # Readers that the feed can serve were told when it got its frames: most of them, all the time.
            is_new = not self._holds(self.stored, position) or self._asks_after(self.stored)
            self.stored = position
            if is_new:
                self.notify()

    def _holds(self, after: Position, until: Position) -> bool:
        """Whether everything between these places is in the feed."""
        frames = self._frames
        return (
            bool(frames)
            and after.gen == until.gen == frames[-1].gen
            and frames[0].first <= after.seq + 1
            and until.seq <= frames[-1].last
        )

    def _asks_after(self, position: Position) -> bool:
        """Whether a frame beyond this place waits, or waited until now, to be stored."""
        newer = takewhile(lambda frame: frame.last > position.seq, reversed(self._frames))
        return any(frame.asks for frame in newer)

    def notify(self) -> None:
        """Lets every reader look again."""
        for reader in self.readers:
            reader.changed.set()
