"""Puts what running terminals show on the disk now and then, so that not all of it goes with a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sidecar.terminals.keeping import Keeper, Remains
from sidecar.terminals.terminal import Terminal

SECONDS = 10.0
"""A crash takes what was shown in that time, and no more."""


def remains_of(terminal: Terminal) -> Remains:
    """What its ring holds now."""
    ring = terminal.ring
    return Remains(
        terminal.order.terminal,
        start=ring.start,
        data=ring.read(ring.start, ring.end - ring.start),
        sizes=terminal.sizes.kept(ring.start),
        times=terminal.times.kept(ring.start) if terminal.times else [],
    )


class Safeguard:
    """Over all `terminals` that are not stored yet; the files are for a successor, which delivers them."""

    def __init__(self, keeper: Keeper, terminals: Mapping[str, Terminal]) -> None:
        self._keeper = keeper
        self._terminals = terminals
        self._written: dict[str, int] = {}

    async def watch(self) -> None:
        """For ever: what printed something since the last time is written."""
        while True:
            await asyncio.sleep(SECONDS)
            await self.save()

    async def save(self) -> None:
        """Write what is not on the disk yet."""
        due = [each for each in self._terminals.values() if self._is_due(each)]
        ends = {each.order.terminal: each.ring.end for each in due}
        taken = await self._keeper.safeguard(
            list(map(remains_of, due)), is_wanted=self._terminals.__contains__
        )
        # What a full disk did not take is tried again, though nothing more is printed.
        written = {**self._written, **{name: ends[name] for name in taken}}
        self._written = {name: end for name, end in written.items() if name in self._terminals}

    def _is_due(self, terminal: Terminal) -> bool:
        return terminal.ended is None and terminal.ring.end > self._written.get(terminal.order.terminal, 0)
