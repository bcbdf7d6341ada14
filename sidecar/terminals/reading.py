"""Answers to `terminals.read`: what the ring of a terminal holds, while it runs."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sidecar.protocol import frames, terminals
from sidecar.terminals.terminal import Terminal


def answer(query: frames.Query, running: Mapping[str, Terminal]) -> frames.Answer:
    """A piece of one of the terminals that run."""
    try:
        order = msgspec.convert(query.data, terminals.TerminalRead)
    except msgspec.ValidationError:
        return frames.Answer(id=query.id, error="invalid", message="This is not a question.")
    terminal = running.get(order.terminal)
    if terminal is None:
        return frames.Answer(id=query.id, error="not_found", message="There is no such terminal.")
    return frames.Answer(id=query.id, data=msgspec.to_builtins(_piece(terminal, order)))


def _piece(terminal: Terminal, order: terminals.TerminalRead) -> terminals.TerminalPiece:
    ring = terminal.ring
    offset = min(max(order.offset, ring.start), ring.end)
    is_first = order.offset <= ring.start
    return terminals.TerminalPiece(
        offset=offset,
        end=ring.end,
        data=ring.read(offset, terminals.SAVED_BYTES),
        sizes=terminal.sizes.kept(ring.start) if is_first else [],
        times=terminal.times.kept(ring.start) if is_first and terminal.times else [],
    )
