"""Stores the events of all links together: one transaction per interval, acknowledged after its commit."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Protocol

from django.db import DatabaseError

from openagent.lib import db, log
from sessions_app import feeds, relay
from sessions_app.consumers import counters
from sessions_app.services import ingest
from sessions_app.services.events import Outcome
from sidecar.protocol import messages

_log = log.get(__name__)

INTERVAL_SECONDS = 0.025
"""From one transaction to the next, at least."""
PAUSES = 3
"""So many times as long as it took to store is paused: what is shown live has the rest of the process."""
MOST_PAUSE_SECONDS = 0.2
"""When it took long, it waited for the database."""
MOST_SOURCES = 32
"""In one transaction: its thread holds up the event loop for as long as it has rows to prepare."""
RETRY_SECONDS = 0.5


class Source(Protocol):
    """The link that events came from, which hears what became of them."""

    instance_id: uuid.UUID
    session_id: uuid.UUID
    generation: int

    def stored(self, seq: int) -> None:
        """Everything up to `seq` is committed."""

    def refused(self, outcome: Outcome | None) -> None:
        """They were not stored: fenced off, out of order, or (None) not storable."""


_pending: dict[Source, list[messages.Event]] = {}
_has_pending = asyncio.Event()


def reset() -> None:
    """Starts empty, on the running loop."""
    global _has_pending
    _pending.clear()
    _has_pending = asyncio.Event()


def add(source: Source, events: Sequence[messages.Event]) -> None:
    """Queues events to be stored; each link lets only so much of its own wait here."""
    _pending.setdefault(source, []).extend(events)
    _has_pending.set()


def replace(instance_id: uuid.UUID) -> None:
    """A new link of this instance is there: what waits from earlier ones comes again over it."""
    for source in [source for source in _pending if source.instance_id == instance_id]:
        del _pending[source]


async def run() -> None:
    """Stores what waits, the oldest first, at most one transaction per interval, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await _has_pending.wait()
        started = loop.time()
        _has_pending.clear()
        taken = [(source, _take(source)) for source in list(_pending)[:MOST_SOURCES]]
        if _pending:
            _has_pending.set()
        await _store(taken)
        took = loop.time() - started
        counters.STORE_SECONDS.observe(took)
        await asyncio.sleep(max(INTERVAL_SECONDS - took, min(PAUSES * took, MOST_PAUSE_SECONDS)))


def _take(source: Source) -> list[messages.Event]:
    """What is stored of it now. The rest waits for the next round, so that no session holds up the others."""
    events = _pending.pop(source)
    end = ingest.slice_end(events)
    if end < len(events):
        _pending[source] = events[end:]
    return events[:end]


async def _store(waiting: list[tuple[Source, list[messages.Event]]]) -> None:
    batches = [
        ingest.Batch(
            instance_id=source.instance_id,
            session_id=source.session_id,
            generation=source.generation,
            events=events,
        )
        for source, events in waiting
    ]
    try:
        outcomes: Sequence[Outcome | None] = await db.run(ingest.store, batches)
    except Exception:
        # Whatever it was, it may be the fault of one session: those of the others are stored.
        outcomes = [await _store_alone(batch) for batch in batches]
    for (source, events), outcome in zip(waiting, outcomes, strict=True):
        if outcome is Outcome.STORED:
            counters.EVENTS_STORED.inc(len(events))
            source.stored(events[-1].seq)
            if feed := relay.feed_of(source.session_id):
                feed.has_stored(feeds.Position(source.generation, events[-1].seq))
        else:
            _pending.pop(source, None)
            source.refused(outcome)


async def _store_alone(batch: ingest.Batch) -> Outcome | None:
    """Tells one session's bad events from a database that is away: the former are refused alone."""
    with log.context(session=batch.session_id, instance=batch.instance_id):
        try:
            return (await db.run(ingest.store, [batch]))[0]
        except DatabaseError:
            _log.warning("events not stored")
        except Exception:
            _log.exception("events not stored")
    return None
