"""The model proxy: the box's agents reach their provider through it, and nothing else.

The provider is fixed when the gate is made. Nothing in a request of the box can change where it goes or which
key it carries: the path is matched against the API's calls (`wires`), headers and queries against its names,
and the key is put in here. What the box sends as a key is worthless and never looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic
from urllib.parse import urlsplit

import httpx2

from sidecar import demo_model, http1, log
from sidecar.gate import answers, ends, faults, logins, public, wires
from sidecar.gate.allowance import Exceeded, Permit
from sidecar.gate.failures import BrokenOff
from sidecar.gate.relay import Relay, Upstream
from sidecar.gate.room import Room
from sidecar.http1 import BadRequest, Connection, PeerGone, Request
from sidecar.protocol.frames import Provider
from sidecar.protocol.messages import ErrorClass, ErrorData, Usage

_log = log.get(__name__)
_JSON = (b"content-type", b"application/json")
_NOT_ALLOWED = "A budget does not allow this call. The session says why."
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class KeyUnavailable(Exception):
    """There is no key for the provider; `permanent` if asking again will not help. The message is shown."""

    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


@dataclass(frozen=True)
class Limits:
    """What one box may use, and how long the provider and the key may take (seconds).

    `held_bytes` bounds the bodies over all calls together: not less than one. A call ends after
    `call_seconds` and with an answer of `answer_bytes`, whatever the provider does, and `read_on_seconds`
    after the box has left it.
    """

    connections: int = 64
    body_bytes: int = 32 * 1024 * 1024
    held_bytes: int = 64 * 1024 * 1024
    connect_seconds: float = 10.0
    idle_seconds: float = 240.0
    key_seconds: float = 20.0
    room_seconds: float = 60.0
    call_seconds: float = 3600.0
    read_on_seconds: float = 60.0
    answer_bytes: int = 256 * 1024 * 1024


class ModelGate:
    """The model proxy of one session.

    `key` is asked for each call and raises KeyUnavailable; the gate keeps no key. `on_usage` is called once
    for each call that cost something, with what `turn` said when it began; `on_error` for each that failed.
    Around each call that costs anything is `allowed`, which raises Exceeded; what it gives hears when the box
    has left the call. Only the provider "demo" may
    have an empty base URL: its scripted model is started here, on loopback, with the first call.
    """

    def __init__(
        self,
        provider: Provider,
        key: Callable[[], Awaitable[str]],
        on_usage: Callable[[Usage, str | None], None],
        on_error: Callable[[ErrorData], None] = lambda error: None,
        *,
        turn: Callable[[], str | None] = lambda: None,
        limits: Limits | None = None,
        allowed: Callable[[], AbstractAsyncContextManager[Permit | None]] = nullcontext,
        host_addresses: Collection[str] = (),
    ) -> None:
        """ValueError when the provider's base URL is not a plain http(s) address."""
        _check_base_url(provider)
        self._provider = provider
        self._key = key
        self._on_usage = on_usage
        self._on_error = on_error
        self._turn = turn
        self._limits = limits or Limits()
        self._allowed = allowed
        self._host_addresses = host_addresses
        self._room = Room(self._limits.held_bytes)
        self._upstream: Upstream | None = None
        self._demo: demo_model.Server | None = None
        self._starting = asyncio.Lock()
        self._is_closed = False
        self._open: set[asyncio.Task[None]] = set()
        self._calls: set[Relay] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection from the box until either side ends it; none once the gate is closed."""
        if self._is_closed:
            return
        connection = Connection(reader, writer, http1.Limits(body_bytes=self._limits.body_bytes))
        task = asyncio.create_task(self._converse(connection))
        self._open.add(task)
        try:
            # Not awaited itself: `close` cancels it, and that must not look like a cancelled caller.
            await asyncio.wait((task,))
        finally:
            self._open.discard(task)
            task.cancel()
        if not task.cancelled():
            task.result()

    def key_revoked(self) -> None:
        """The key was replaced or deleted: the calls that use it end now."""
        for call in self._calls:
            call.revoked.set()

    async def close(self) -> None:
        """Cut all calls, count what they cost, and forget the provider; may be repeated."""
        self._is_closed = True
        tasks = tuple(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._upstream is not None:
            await self._upstream.client.aclose()
        if self._demo is not None:
            await self._demo.close()

    async def _converse(self, connection: Connection) -> None:
        try:
            if len(self._open) > self._limits.connections:
                await self._refuse(connection, 503, "This session has too many connections to its models.")
                return
            while (request := await connection.request()) is not None:
                await self._serve(connection, request)
        except BadRequest as error:
            await self._refuse(
                connection, error.status, f"The model proxy cannot take this: {error.message}."
            )
        except (PeerGone, BrokenOff):
            connection.abort()
        except asyncio.CancelledError:
            # Nobody waits for a box that does not read.
            connection.abort()
            raise
        finally:
            await connection.close()

    async def _refuse(
        self, connection: Connection, status: int, message: str, code: str = "gate_refused"
    ) -> None:
        """Answer an error of our own, unless an answer has begun or the box is gone."""
        if connection.answer_started:
            connection.abort()
            return
        try:
            body = answers.body(self._provider.wire, status, message, code)
            await connection.respond(status, [_JSON], body)
        except PeerGone:
            connection.abort()

    async def _serve(self, connection: Connection, request: Request) -> None:
        try:
            admitted = wires.admit(self._provider, request.method, request.target)
        except wires.Refused as refused:
            _log.info("model call refused", status=refused.status, reason=refused.message)
            await self._refuse(connection, refused.status, refused.message)
            return
        try:
            async with self._allowed() if admitted.call.metered else nullcontext() as permit:
                await self._call(connection, request, admitted, permit)
        except Exceeded as exceeded:
            code: ErrorClass = "budget_exceeded" if exceeded.permanent else "provider_unavailable"
            _log.info("model call not allowed", reason=exceeded.message)
            self._on_error(faults.failure(code, exceeded.message))
            # 402 is what no client repeats by itself, unless it finds what looks like a status in the words.
            words = _NOT_ALLOWED if exceeded.permanent else exceeded.message
            await self._refuse(connection, 402 if exceeded.permanent else 503, words, code)

    async def _call(
        self, connection: Connection, request: Request, admitted: wires.Admitted, permit: Permit | None
    ) -> None:
        try:
            upstream = await self._connected()
            # Last: from here to the call's place among `_calls` nothing is waited for.
            credential = await self._credential()
        except KeyUnavailable as error:
            error_class: ErrorClass = "key_missing" if error.permanent else "provider_unavailable"
            self._on_error(faults.failure(error_class, error.message))
            await self._refuse(connection, 401 if error.permanent else 503, error.message, error_class)
            return
        relay = Relay(
            provider=self._provider,
            upstream=upstream,
            connection=connection,
            request=request,
            admitted=admitted,
            credential=credential,
            on_usage=partial(self._counted, self._turn()),
            on_error=self._on_error,
            on_left=permit.left if permit is not None else lambda call: None,
        )
        started = monotonic()
        self._calls.add(relay)
        try:
            await ends.until_over(relay, read_on_seconds=self._limits.read_on_seconds)
        finally:
            self._calls.discard(relay)
            elapsed = round((monotonic() - started) * 1000)
            path = admitted.path.partition("?")[0]
            _log.info("model call", path=path, status=relay.status, elapsed_ms=elapsed)

    def _counted(self, turn: str | None, usage: Usage) -> None:
        self._on_usage(usage, turn)

    async def _credential(self) -> logins.Credential:
        if not self._provider.needs_key:
            return logins.Credential()
        try:
            async with asyncio.timeout(self._limits.key_seconds):
                secret = await self._key()
        except TimeoutError as error:
            message = f"The key for {self._provider.name} has not arrived. Try again."
            raise KeyUnavailable(message, permanent=False) from error
        try:
            return logins.read(self._provider, secret)
        except logins.Unusable:
            words = f"The key for {self._provider.name} has characters that no key has. Replace it."
            raise KeyUnavailable(words) from None

    async def _connected(self) -> Upstream:
        """The way to the provider, made with the first call."""
        async with self._starting:
            if self._upstream is None:
                base_url = self._provider.base_url.rstrip("/")
                if not base_url:
                    self._demo = await demo_model.serve(port=0)
                    base_url = self._demo.url + ("/v1beta" if self._provider.wire == "google" else "/v1")
                client = self._client(base_url)
                limits = self._limits
                self._upstream = Upstream(
                    client=client,
                    base_url=base_url,
                    idle_seconds=limits.idle_seconds,
                    room=self._room,
                    room_seconds=limits.room_seconds,
                    call_seconds=limits.call_seconds,
                    answer_bytes=limits.answer_bytes,
                )
            return self._upstream

    def _client(self, base_url: str) -> httpx2.AsyncClient:
        # No redirects, no cookies, and no compression because the meter reads along.
        is_local = urlsplit(base_url).hostname in _LOOPBACK
        limits = self._limits
        timeout = httpx2.Timeout(
            connect=limits.connect_seconds, read=limits.idle_seconds, write=60.0, pool=30.0
        )
        pool = httpx2.Limits(max_connections=32, max_keepalive_connections=4, keepalive_expiry=15.0)
        is_chosen = self._provider.is_own_address
        return httpx2.AsyncClient(
            headers={"accept-encoding": "identity", "user-agent": "openagent"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            timeout=timeout,
            limits=pool,
            trust_env=not is_local,
            # Not through a proxy of the host's either: that would look up the name anew.
            transport=public.Transport(pool, host_addresses=self._host_addresses) if is_chosen else None,
        )


def _check_base_url(provider: Provider) -> None:
    url = urlsplit(provider.base_url)
    if not provider.base_url and provider.id == "demo":
        return
    if url.scheme not in ("http", "https") or not url.hostname or url.username or url.query or url.fragment:
        raise ValueError(f"the base URL of provider {provider.id} is not a plain http(s) address")
    if provider.is_own_address and url.scheme != "https":
        raise ValueError(f"the base URL of provider {provider.id} is one that its user chose, and not https")
