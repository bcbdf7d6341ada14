"""Who watches a terminal: places in the ring, credit, one leader, the smallest size. Pure, no I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sidecar.protocol import terminals
from sidecar.protocol.terminals import CHUNK_BYTES, MAX_VIEWERS, WINDOW_BYTES, AnyTell
from sidecar.terminals.ring import Ring, Sizes

STALLED_SECONDS = 30.0


@dataclass
class Viewer:
    """One viewer. Everything before `sent` is on its way to it, everything before `acknowledged` arrived."""

    number: int
    client: str
    name: str
    sent: int
    live_from: int
    progress_at: float
    size: tuple[int, int] | None = None
    acknowledged: int = 0
    answers_from: int | None = None
    tells: deque[AnyTell] = field(default_factory=deque)
    has_ended: bool = False

    def tell(self, tell: AnyTell) -> None:
        """Say this before anything else; of some kinds only the newest counts."""
        if isinstance(tell, terminals.Taken | terminals.Watchers | terminals.Size):
            self.tells = deque(each for each in self.tells if type(each) is not type(tell))
        self.tells.append(tell)

    def is_stalled(self, now: float) -> bool:
        """Whether it leaves what it was sent unacknowledged for so long that nobody waits for it."""
        return self.sent > self.acknowledged and now - self.progress_at > STALLED_SECONDS

    def acknowledge(self, offset: int, now: float) -> None:
        """It has parsed the output before `offset`; more than was sent, or less than before, says nothing."""
        if self.acknowledged < offset <= self.sent:
            self.acknowledged = offset
            self.progress_at = now

    def next(self, ring: Ring, sizes: Sizes, ended: AnyTell | None, now: float) -> AnyTell | bytes | None:
        """What to send to it now: a text message, a binary message of the link, or nothing."""
        if self.tells:
            return self.tells.popleft()
        if self.sent < ring.start:
            # Not before it has taken what it was sent: else a flood would give it credit without end.
            return None if self.sent > self.acknowledged else self._start_over(ring, sizes)
        room = WINDOW_BYTES - (self.sent - self.acknowledged)
        if room > 0 and self.sent < ring.end:
            return self._output(ring, sizes, room, now)
        if ended is not None and self.sent == ring.end and not self.has_ended:
            self.has_ended = True
            return ended
        return None

    def _output(self, ring: Ring, sizes: Sizes, room: int, now: float) -> bytes:
        flags, until = self._flags(ring.end)
        change = sizes.next_after(self.sent)
        if change is not None and change < until:
            until = change
        data = ring.read(self.sent, min(until - self.sent, room, CHUNK_BYTES))
        message = terminals.pack_output(self.number, flags, self.sent, data)
        if self.sent == self.acknowledged:
            self.progress_at = now
        self.sent += len(data)
        if self.sent == change:
            self.tell_size(sizes)
        return message

    def _flags(self, end: int) -> tuple[int, int]:
        """The flags of the next byte, and up to where they are the same."""
        if self.sent < self.live_from:
            return 0, min(self.live_from, end)
        if self.answers_from is None:
            return terminals.LIVE, end
        if self.sent < self.answers_from:
            return terminals.LIVE, min(self.answers_from, end)
        return terminals.LIVE | terminals.ANSWER, end

    def _start_over(self, ring: Ring, sizes: Sizes) -> AnyTell:
        """Its place is gone. Not from the very start of the ring, which moves on under a flood."""
        place = ring.resume_point((ring.start + ring.end) // 2)
        self.sent = self.acknowledged = place
        self.tell_size(sizes)
        return terminals.Reset(offset=place)

    def tell_size(self, sizes: Sizes) -> None:
        """Say the size that the next byte is for."""
        rows, cols = sizes.at(self.sent)
        self.tell(terminals.Size(offset=self.sent, rows=rows, cols=cols))


class Audience:
    """All viewers of one terminal."""

    def __init__(self) -> None:
        self.viewers: dict[int, Viewer] = {}
        self._typist: int | None = None
        self._leader: Viewer | None = None

    @property
    def is_full(self) -> bool:
        """Whether no more viewers are taken."""
        return len(self.viewers) >= MAX_VIEWERS

    def add(self, viewer: Viewer, *, end: int) -> None:
        """A viewer comes; `end` is where the output ends now."""
        self.viewers[viewer.number] = viewer
        self._lead(end)
        self._tell_all()

    def remove(self, number: int, *, end: int) -> None:
        """A viewer is gone."""
        if self.viewers.pop(number, None) is None:
            return
        if self._typist == number:
            self._typist = None
        self._lead(end)
        self._tell_all()

    def resize(self, number: int, rows: int, cols: int) -> None:
        """A viewer says its size."""
        viewer = self.viewers[number]
        if viewer.size != (rows, cols):
            viewer.size = (rows, cols)
            self._tell_all()

    def has_typed(self, number: int, *, end: int) -> None:
        """A viewer typed: from now on it also leads."""
        if self._typist != number:
            self._typist = number
            self._lead(end)
            self._tell_all()

    def smallest(self) -> tuple[int, int] | None:
        """The rows and cols that fit on every screen; None when no viewer has said its size."""
        sizes = [viewer.size for viewer in self.viewers.values() if viewer.size]
        return (min(rows for rows, _ in sizes), min(cols for _, cols in sizes)) if sizes else None

    def fastest(self, now: float) -> int | None:
        """What the fastest viewer has acknowledged; None when there is none, or all are stalled."""
        active = [viewer.acknowledged for viewer in self.viewers.values() if not viewer.is_stalled(now)]
        return max(active, default=None)

    def _lead(self, end: int) -> None:
        """Who typed last, or else who came first. What was before it was chosen is not its to answer."""
        first = min(self.viewers.values(), key=lambda viewer: viewer.number, default=None)
        leader = first if self._typist is None else self.viewers[self._typist]
        if leader is not self._leader:
            if self._leader is not None:
                self._leader.answers_from = None
            if leader is not None:
                leader.answers_from = end
            self._leader = leader

    def _tell_all(self) -> None:
        watchers = [
            terminals.Watcher(
                id=viewer.number,
                name=viewer.name,
                rows=viewer.size[0] if viewer.size else None,
                cols=viewer.size[1] if viewer.size else None,
            )
            for viewer in self.viewers.values()
        ]
        leader = self._leader.number if self._leader else 0
        for viewer in self.viewers.values():
            viewer.tell(
                terminals.Watchers(you=viewer.number, leader=leader, typist=self._typist, viewers=watchers)
            )
