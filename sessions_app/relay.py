"""The live path inside the process that serves the sockets, and the wake-ups that reach it from others.

It keeps the feeds that browsers watch and the links of connected sidecars. The channel layer carries wake-ups
only, and any of them may be lost.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import redis.exceptions
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from openagent.lib import log
from openagent.lib.errors import AppError
from sessions_app.feeds import Feed, Reader
from sidecar.protocol import terminals
from sidecar.protocol.framing import Frame

_log = log.get(__name__)

GROUP = "sockets"


class Viewer(Protocol):
    """Somebody who watches a terminal over a link."""

    def show(self, message: bytes) -> None:
        """Output, headed as docs/terminals.md says."""

    def tell(self, tell: terminals.Tell) -> None:
        """Something that the sidecar says to this viewer."""

    def link_lost(self) -> None:
        """The link is gone."""


class LinkTerminals(Protocol):
    """The terminals behind a link; not `is_known` when its sidecar is too old for any."""

    is_known: bool

    def watch(self, viewer: Viewer, order: terminals.TerminalWatch) -> int:
        """The viewer's number on this link."""

    def unwatch(self, number: int) -> None:
        """The viewer is gone."""

    async def send(self, message: Frame | bytes) -> None:
        """Something that a viewer says."""


class Link(Protocol):
    """The platform's end of a connection to a sidecar, as others may use it."""

    session_id: uuid.UUID
    instance_id: uuid.UUID
    last_command: int

    @property
    def terminals(self) -> LinkTerminals:
        """Its terminals."""

    def wake(self) -> None:
        """There may be new commands for it."""

    def forget_key(self, provider: str) -> None:
        """The key of this provider was revoked."""

    async def query(self, verb: str, data: dict[str, Any]) -> dict[str, Any]:
        """Asks the sidecar about the workspace. AppError when it answers with an error."""

    def end(self, code: int, reason: str) -> None:
        """Closes the connection."""


@dataclass(slots=True)
class _Sockets:
    """What this process holds once it serves sockets."""

    loop: asyncio.AbstractEventLoop
    dirty: set[uuid.UUID]
    is_dirty: asyncio.Event


_feeds: dict[uuid.UUID, Feed] = {}
_links: dict[uuid.UUID, Link] = {}
_sockets: _Sockets | None = None


def open_sockets() -> None:
    """From now on this process serves sockets: wake-ups of its own need no channel layer."""
    global _sockets
    _sockets = _Sockets(asyncio.get_running_loop(), set(), asyncio.Event())


def close_sockets() -> None:
    """Forgets everything; for tests, in which each event loop is another server."""
    global _sockets
    _sockets = None
    _feeds.clear()
    _links.clear()


# --- feeds: only on the loop -----------------------------------------------------------------------


def watch(session_id: uuid.UUID, reader: Reader) -> Feed:
    """The session's feed, which now notifies `reader`."""
    feed = _feeds.setdefault(session_id, Feed())
    feed.readers.add(reader)
    return feed


def unwatch(session_id: uuid.UUID, reader: Reader) -> None:
    """The reader is gone; a feed that nobody reads is dropped."""
    feed = _feeds.get(session_id)
    if feed is not None:
        feed.readers.discard(reader)
        if not feed.readers:
            del _feeds[session_id]


def feed_of(session_id: uuid.UUID) -> Feed | None:
    """The feed, if anybody watches the session."""
    return _feeds.get(session_id)


def watched() -> list[uuid.UUID]:
    """The sessions that somebody watches."""
    return list(_feeds)


# --- links: only on the loop -----------------------------------------------------------------------


def add_link(link: Link) -> Link | None:
    """This link is the instance's now; the one that it replaces, if there is one."""
    replaced = _links.get(link.instance_id)
    _links[link.instance_id] = link
    if feed := _feeds.get(link.session_id):
        feed.notify()
    return replaced


def terminals_of(session_id: uuid.UUID) -> LinkTerminals | None:
    """The terminals behind the session's link, if there is one."""
    return next((link.terminals for link in _links.values() if link.session_id == session_id), None)


def remove_link(link: Link) -> bool:
    """The link is closed; whether it was its instance's present one."""
    if _links.get(link.instance_id) is not link:
        return False
    del _links[link.instance_id]
    return True


def has_link(instance_id: uuid.UUID) -> bool:
    """Whether the instance is connected."""
    return instance_id in _links


def links() -> list[Link]:
    """All connected sidecars."""
    return list(_links.values())


# --- wake-ups: from any thread and any process -----------------------------------------------------


def wake_session(session_id: uuid.UUID) -> None:
    """There is something new in this session's log or state."""
    _wake(sessions=[session_id])


def wake_link(instance_id: uuid.UUID) -> None:
    """There are new commands for this instance."""
    _wake(links=[instance_id])


def forget_key(instance_ids: Iterable[uuid.UUID], provider: str) -> None:
    """The key that these instances may hold for `provider` was revoked.

    An instance without a link drops its keys by itself after a minute.
    """
    _wake(links=instance_ids, forget=provider)


async def next_dirty(timeout: float) -> set[uuid.UUID]:
    """The sessions that were woken since the last call; after `timeout` seconds of silence, none."""
    sockets = _require_sockets()
    try:
        async with asyncio.timeout(timeout):
            await sockets.is_dirty.wait()
    except TimeoutError:
        return set()
    sockets.is_dirty.clear()
    dirty, sockets.dirty = sockets.dirty, set()
    return dirty


async def listen() -> None:
    """Turns wake-ups from other processes into our own, until cancelled or the layer fails."""
    layer = get_channel_layer()
    try:
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
    except (redis.exceptions.RedisError, OSError):
        # What was half made would stay, and collect every wake-up that nobody takes from it.
        await layer.flush()
        raise
    while True:
        message = await layer.receive(channel)
        _woken(_ids(message.get("sessions", ())), _ids(message.get("links", ())), message.get("forget", ""))


def query(session_id: uuid.UUID, verb: str, data: dict[str, Any], *, timeout: float = 20) -> dict[str, Any]:
    """Asks the session's sidecar. AppError `asleep` without a link, `box_silent` if in vain."""
    if _sockets is None:
        raise _asleep()
    future = asyncio.run_coroutine_threadsafe(_query(session_id, verb, data), _sockets.loop)
    try:
        return future.result(timeout)
    except concurrent.futures.TimeoutError:
        future.cancel()
        raise AppError("box_silent", "The box did not answer in time; try again.", 504) from None


async def ask(session_id: uuid.UUID, verb: str, data: dict[str, Any]) -> dict[str, Any]:
    """As `query`, for code on an event loop, whichever it is; the link itself gives up in time."""
    if _sockets is None:
        raise _asleep()
    return await asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(_query(session_id, verb, data), _sockets.loop)
    )


async def _query(session_id: uuid.UUID, verb: str, data: dict[str, Any]) -> dict[str, Any]:
    for link in _links.values():
        if link.session_id == session_id:
            return await link.query(verb, data)
    raise _asleep()


def _asleep() -> AppError:
    return AppError("asleep", "The session is asleep: send a prompt or start it to reach its files.", 409)


def _wake(*, sessions: Iterable[uuid.UUID] = (), links: Iterable[uuid.UUID] = (), forget: str = "") -> None:
    if _sockets is not None and not _sockets.loop.is_closed():
        # One process serves the sockets, and it is this one.
        _sockets.loop.call_soon_threadsafe(_woken, list(sessions), list(links), forget)
        return
    message = {
        "type": "wake",
        "sessions": [str(pk) for pk in sessions],
        "links": [str(pk) for pk in links],
        "forget": forget,
    }
    try:
        async_to_sync(get_channel_layer().group_send)(GROUP, message)
    except (redis.exceptions.RedisError, OSError):
        _log.warning("wake-up not sent, the timer will find it")


def _woken(sessions: Iterable[uuid.UUID], links: Iterable[uuid.UUID], forget: str = "") -> None:
    if _sockets is None:
        return
    watched_now = [session_id for session_id in sessions if session_id in _feeds]
    if watched_now:
        _sockets.dirty.update(watched_now)
        _sockets.is_dirty.set()
    for instance_id in links:
        link = _links.get(instance_id)
        if link is not None and forget:
            link.forget_key(forget)
        elif link is not None:
            link.wake()


def _require_sockets() -> _Sockets:
    if _sockets is None:
        raise RuntimeError("open_sockets() was not called in this process")
    return _sockets


def _ids(values: Iterable[str]) -> list[uuid.UUID]:
    return [uuid.UUID(value) for value in values]
