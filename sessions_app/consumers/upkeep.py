"""What runs once beside the sockets of a process: storing, looking, re-checking logins and keys."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec
import redis.exceptions
from django.db import DatabaseError

from openagent.accounts import logins
from openagent.lib import db, log
from sessions_app import feeds, jobs, relay
from sessions_app.consumers import base, writer
from sessions_app.services import commands, links, logs, state

_log = log.get(__name__)

POLL_SECONDS = 2.0
PAUSE_SECONDS = 0.05
"""Between two looks: what one moment changes, in several transactions, is read once."""
LOGIN_SECONDS = 2.0
KEY_SECONDS = 2.0
ABSENCE_SECONDS = 15.0
RETRY_SECONDS = 1.0
MAX_SOCKETS = 128
"""Of one user, of sessions and of terminals together: to each the whole state may be on its way."""

_encoder = msgspec.json.Encoder(enc_hook=str)


class Viewer(Protocol):
    """A socket that belongs to somebody's login."""

    login: logins.Login

    def end(self, code: int, reason: str) -> None:
        """Close it."""


viewers: set[Viewer] = set()
_tasks: list[asyncio.Task[None]] = []


def admit(viewer: Viewer) -> None:
    """Counts it among the viewers. Closed when its user has as many sockets as one may."""
    if sum(other.login.user_id == viewer.login.user_id for other in viewers) >= MAX_SOCKETS:
        raise base.Closed(base.SLOW_DOWN, "you have too many sockets open")
    viewers.add(viewer)


def ensure_running() -> None:
    """Starts the tasks with the first connection of this process (or of this event loop, in tests)."""
    _tune()
    jobs.never_wait()
    loop = asyncio.get_running_loop()
    if _tasks and _tasks[0].get_loop() is loop and not any(task.done() for task in _tasks):
        return
    _tasks.clear()
    viewers.clear()
    relay.close_sockets()
    relay.open_sockets()
    writer.reset()
    for work in (writer.run, _look, _recheck_logins, _recheck_keys, _count_absences, _listen):
        _tasks.append(loop.create_task(_keep_going(work), name=f"upkeep:{work.__name__}"))


@functools.cache
def _tune() -> None:
    """Once per process: what lives for ever is not scanned again, and busy threads yield to the loop soon."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    sys.setswitchinterval(0.0005)


async def refresh(session_id: uuid.UUID, feed: feeds.Feed, head: logs.Head) -> None:
    """Brings the feed's idea of the stored log and of the state up to `head`."""
    feed.has_stored(feeds.Position(head.generation, head.last_seq))
    if head.state_version > feed.state_version:
        snapshot = await db.run(state.snapshot, session_id)
        if snapshot["version"] > feed.state_version:
            feed.state = _encoder.encode(snapshot).decode()
            feed.state_version = snapshot["version"]
            feed.notify()


async def _look() -> None:
    """Looks at the sessions that were woken; after each silence, at all that are watched."""
    loop = asyncio.get_running_loop()
    next_poll = loop.time() + POLL_SECONDS
    while True:
        dirty = await relay.next_dirty(max(0.0, next_poll - loop.time()))
        if loop.time() >= next_poll:
            dirty = set(relay.watched())
            next_poll = loop.time() + POLL_SECONDS
            await _look_for_commands()
        if not dirty:
            continue
        heads = await db.run(logs.heads, dirty)
        for session_id in dirty:
            feed = relay.feed_of(session_id)
            if feed is None:
                continue
            if head := heads.get(session_id):
                await refresh(session_id, feed, head)
            else:
                feed.is_gone = True
                feed.notify()
        await asyncio.sleep(PAUSE_SECONDS)


async def _look_for_commands() -> None:
    connected = relay.links()
    if connected:
        newest = await db.run(commands.newest, [link.instance_id for link in connected])
        for link in connected:
            if newest.get(link.instance_id, 0) > link.last_command:
                link.wake()


async def _recheck_logins() -> None:
    """Closes the sockets of logins that have ended, with one query for all of them."""
    while True:
        await asyncio.sleep(LOGIN_SECONDS)
        if not viewers:
            continue
        alive = await db.run(logins.alive, {viewer.login for viewer in viewers})
        for viewer in list(viewers):
            if viewer.login not in alive:
                viewer.end(base.UNAUTHENTICATED, "signed out")


async def _recheck_keys() -> None:
    """Has revoked keys forgotten also when the wake-up was lost, or the link was away at that moment."""
    told: set[tuple[relay.Link, int]] = set()
    while True:
        await asyncio.sleep(KEY_SECONDS)
        connected = {link.instance_id: link for link in relay.links()}
        revoked = await db.run(links.revoked_keys, list(connected)) if connected else []
        due = {(connected[instance_id], key.number): key.provider for instance_id, key in revoked}
        for (link, number), provider in due.items():
            if (link, number) not in told:
                link.forget_key(provider)
        told = set(due)


async def _count_absences() -> None:
    """Counts who is missing, pass by pass; the first one begins when all had the time to come back."""
    while True:
        await asyncio.sleep(ABSENCE_SECONDS)
        await db.run(links.count_absences, connected=[link.instance_id for link in relay.links()])


async def _listen() -> None:
    """Hears the wake-ups of other processes; without Redis the polls find what they would have said."""
    try:
        await relay.listen()
    except (redis.exceptions.RedisError, OSError):
        _log.warning("channel layer not reachable, polling instead")


async def _keep_going(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await work()
        except DatabaseError:
            _log.warning("database not reachable, trying again", work=work.__name__)
        except Exception:
            _log.exception("upkeep failed, trying again", work=work.__name__)
        await asyncio.sleep(RETRY_SECONDS)


async def stop() -> None:
    """Ends what `ensure_running` started on this loop."""
    mine = [task for task in _tasks if task.get_loop() is asyncio.get_running_loop()]
    for task in mine:
        task.cancel()
    await asyncio.gather(*mine, return_exceptions=True)
    _tasks.clear()
    viewers.clear()
    relay.close_sockets()
