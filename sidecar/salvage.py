"""Gives the platform what earlier instances of the session journaled and could not get stored.

One frame at a time, each sent again after a reconnect until it is acknowledged. A generation's files are
removed when all of it is stored. What is sent of a generation is a true beginning of what remained of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sidecar import log, segments
from sidecar.protocol import frames, stream

FRAME_BYTES = 512 * 1024

_log = log.get(__name__)


@dataclass(frozen=True)
class Leftover:
    """The unstored events of one generation, the first of them numbered `first`."""

    gen: int
    first: int
    events: list[bytes]

    @property
    def last(self) -> int:
        return self.first + len(self.events) - 1


def read(directory: Path, *, session: str, gen: int) -> Leftover:
    """What generation `gen` left. Foreign segments are left out, and so is all that follows a damage."""
    events: list[tuple[int, bytes]] = []
    stored = 0
    for name in segments.names(directory):
        if name.gen != gen:
            continue
        segment = segments.read(directory / str(name))
        if segment.damaged_bytes:
            _log.warning("a journal segment has a torn end", segment=str(name), bytes=segment.damaged_bytes)
        if segment.owner is None and not events:
            # Nobody knows what stood there, so nothing can be said to follow it.
            break
        if segment.owner is not None and (segment.owner.session, segment.owner.gen) != (session, gen):
            _log.error("a journal segment is not this session's, left alone", segment=str(name))
            continue
        stored = max(stored, segment.mark.stored)
        _continue(events, segment.events)
    remaining = [(seq, event) for seq, event in events if seq > stored]
    return Leftover(gen, remaining[0][0] if remaining else 0, [event for _, event in remaining])


def _continue(events: list[tuple[int, bytes]], more: list[tuple[int, bytes]]) -> None:
    """Append what follows without a hole; what was written again after a failing disk is there twice."""
    for seq, event in more:
        if not events or seq == events[-1][0] + 1:
            events.append((seq, event))


class Salvage:
    """`run` once, after the claim; `pending` is what a new connection has to be told first."""

    def __init__(self, directory: Path, send: Callable[[bytes], None]) -> None:
        self._directory = directory
        self._send = send
        self._answer: asyncio.Future[frames.SalvageAck] | None = None
        self._answers: Callable[[frames.SalvageAck], bool] = lambda _frame: False
        self.pending: bytes | None = None

    async def run(self, *, session: str, gen: int) -> int:
        """Have everything stored that generations before `gen` left; the first number that `gen` may use."""
        found = await asyncio.to_thread(segments.names, self._directory)
        for older in sorted({name.gen for name in found if name.gen < gen}):
            leftover = await asyncio.to_thread(read, self._directory, session=session, gen=older)
            if await self._give(leftover):
                await asyncio.to_thread(self._remove, older, session)
        done = stream.salvage_frame(gen=gen, events=[], done=True)
        return (await self._ask(done, lambda frame: frame.gen == gen and frame.next_seq > 0)).next_seq

    def acknowledge(self, frame: frames.SalvageAck) -> None:
        """The platform answered. What does not answer the open question repeats an earlier answer."""
        if self._answer and not self._answer.done() and self._answers(frame):
            self._answer.set_result(frame)

    async def _give(self, leftover: Leftover) -> bool:
        """Send one generation's events; whether all of them are stored."""
        if leftover.events:
            _log.info("salvaging", gen=leftover.gen, first=leftover.first, last=leftover.last)
        number = leftover.first - 1
        for events in _portions(leftover.events):
            number += len(events)
            if not await self._is_stored(leftover.gen, events, number):
                _log.error("the platform does not know this generation, it is kept", gen=leftover.gen)
                return False
        return True

    async def _is_stored(self, gen: int, events: list[bytes], last: int) -> bool:
        def answers(frame: frames.SalvageAck) -> bool:
            return frame.gen == gen and (frame.seq == 0 or frame.seq >= last)

        answer = await self._ask(stream.salvage_frame(gen=gen, events=events, done=False), answers)
        return answer.seq >= last

    async def _ask(self, frame: bytes, answers: Callable[[frames.SalvageAck], bool]) -> frames.SalvageAck:
        self._answer = asyncio.get_running_loop().create_future()
        self._answers = answers
        self.pending = frame
        self._send(frame)
        answer = await self._answer
        self.pending = None
        return answer

    def _remove(self, gen: int, session: str) -> None:
        for name in segments.names(self._directory):
            path = self._directory / str(name)
            if name.gen == gen:
                owner = segments.read(path).owner
                if owner is None or owner.session == session:
                    path.unlink(missing_ok=True)


def _portions(events: list[bytes]) -> Iterator[list[bytes]]:
    portion: list[bytes] = []
    size = 0
    for event in events:
        if portion and size + len(event) > FRAME_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(event)
        size += len(event)
    if portion:
        yield portion
