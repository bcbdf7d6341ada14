"""One model call: the box's request goes up with the real key, the answer comes down as it arrives.

1. The body is read whole, when there is room, and goes up as the object that it is (`bodies`).
2. Nothing is answered before the provider's status is known, so a call that fails has an honest status.
3. The answer comes down piece by piece, as fast as the box reads. The key is taken out if it stands in it.
4. An answer that breaks off or turns unreadable is cut on this side too: none may take it for a whole one.
5. Usage is reported once, however the call ended (`bill`).
6. It ends at the latest when its time is over, when its answer is too long, or when its key is revoked. A box
   that leaves does not end it at once: what it costs is read on for a while (`ends`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from sidecar import log
from sidecar.gate import answers, faults, waiting, wires
from sidecar.gate.bill import Bill
from sidecar.gate.failures import BrokenOff, Failed, TooLong, broken, unreachable
from sidecar.gate.logins import Credential
from sidecar.gate.redaction import Redactor
from sidecar.gate.room import Room
from sidecar.gate.upload import Upload
from sidecar.gate.usage import Meter
from sidecar.gate.wires import Admitted
from sidecar.http1 import Connection, PeerGone, Request
from sidecar.protocol.frames import Provider
from sidecar.protocol.messages import ErrorData, Usage

_log = log.get(__name__)

RETRY_SECONDS = (0.2, 0.6)
"""How long to wait before each further try to connect."""

MAX_ERROR_BYTES = 256 * 1024
_JSON = (b"content-type", b"application/json")
_OF_THE_BODY = frozenset({b"content-type", b"content-length"})

WITHOUT_STREAM_OPTIONS = frozenset({"mistral"})
"""Providers that refuse `stream_options`; they report usage unasked."""


@dataclass(frozen=True)
class Upstream:
    """Where calls go: the HTTP client, the base URL, and how long the provider may be silent.

    All bodies share one `room`, for which a call waits `room_seconds` at most. A whole call takes
    `call_seconds` at most, its answer `answer_bytes`.
    """

    client: httpx2.AsyncClient
    base_url: str
    idle_seconds: float
    room: Room
    room_seconds: float
    call_seconds: float
    answer_bytes: int


@dataclass(eq=False)
class Relay:
    """One call; `run` is its whole life, `peer_gone` returns when the box has given it up.

    Once `left` is set nothing is sent to the box and nobody is told of a failure.
    """

    provider: Provider
    upstream: Upstream
    connection: Connection
    request: Request
    admitted: Admitted
    credential: Credential
    on_usage: Callable[[Usage], None]
    on_error: Callable[[ErrorData], None]
    on_left: Callable[[Bill], None] = lambda bill: None
    status: int = 0
    revoked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    _read: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._upload = Upload(self.upstream.room, self.upstream.room_seconds)
        self._redactor = Redactor(self.credential.secret)
        self._bill = Bill(self.provider.id, self._redactor, self.on_usage, self._upload)

    async def run(self) -> None:
        """Make the call. BadRequest and PeerGone are the box's doing, BrokenOff is the provider's."""
        try:
            await self._run_in_time()
        except Failed as failed:
            await self._answer_failure(failed)

    async def peer_gone(self) -> None:
        """Returns when the box closes its side; it cannot while it still sends the request."""
        await self._read.wait()
        await self.connection.gone()

    def leave(self) -> None:
        """The box is gone: from now on the call runs for its numbers only."""
        self.left.set()
        self.connection.abort()
        if self.admitted.call.metered:
            self.on_left(self._bill)

    def settle(self) -> None:
        """It has ended, one way or another."""
        self._bill.settle()

    async def give_up(self, failed: Failed) -> None:
        """The call was ended from outside, and `run` with it: say why to whoever can be told."""
        if self.connection.answer_started:
            self._fail(failed.error)
            raise BrokenOff
        await self._answer_failure(failed)

    async def _run_in_time(self) -> None:
        seconds = self.upstream.call_seconds
        try:
            async with asyncio.timeout(seconds) as span:
                try:
                    response = await self._send()
                finally:
                    self._upload.let_go()
                try:
                    await self._answer(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            if not span.expired():
                raise
            words = f"{self.provider.name} was not done after {seconds:g} seconds, the most for one call."
            await self.give_up(Failed(504, "provider_unavailable", words))

    async def _answer_failure(self, failed: Failed) -> None:
        error, self.status = failed.error, failed.status
        self._fail(error)
        body = answers.body(self.provider.wire, failed.status, error.message, error.error_class)
        await self._to_box(self.connection.respond(failed.status, [_JSON], body))

    async def _send(self) -> httpx2.Response:
        wire = wires.WIRES[self.provider.wire]
        passing = wires.request_headers(wire, self.request.headers, login=self.provider.login)
        headers = [pair for pair in passing if pair[0] not in _OF_THE_BODY]
        content = None
        if self.request.method == "GET":
            await self.connection.discard()
        else:
            size = await self._upload.read(
                self.connection,
                self.request,
                wire=wire.name,
                path=self.admitted.path,
                asks_for_usage=self._asks_for_usage,
            )
            content = self._upload.pieces()
            headers += [_JSON, (b"content-length", str(size).encode())]
        self._read.set()
        headers = self.credential.put_into(headers)
        url = f"{self.upstream.base_url}/{self.admitted.path}"
        build = self.upstream.client.build_request
        outgoing = build(self.request.method, url, headers=headers, content=content)
        try:
            with self._bill.of_request() if self.admitted.call.metered else nullcontext():
                return await self._connect_and_send(outgoing)
        except httpx2.HTTPError as error:
            raise unreachable(self.provider.name, error, idle_seconds=self.upstream.idle_seconds) from error

    @property
    def _asks_for_usage(self) -> bool:
        return self.admitted.path == "chat/completions" and self.provider.id not in WITHOUT_STREAM_OPTIONS

    async def _connect_and_send(self, outgoing: httpx2.Request) -> httpx2.Response:
        for pause in RETRY_SECONDS:
            try:
                return await self.upstream.client.send(outgoing, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                # Not a byte of the body has been taken: to try again repeats nothing.
                await asyncio.sleep(pause)
        return await self.upstream.client.send(outgoing, stream=True)

    async def _answer(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        kind = response.headers.get("content-type", "")
        if response.status_code >= 400:
            await self._pass_error(response)
        elif response.status_code != 200:
            message = (
                f"{self.provider.name} answered with status {response.status_code}, which is no answer. "
            )
            raise Failed(502, "provider_bad_response", message + "Its base URL may be wrong.")
        elif "html" in kind:
            message = (
                f"In place of {self.provider.name} a web page answered. Is there a sign-in page in between?"
            )
            raise Failed(502, "provider_bad_response", message)
        else:
            await self._pass(response, is_stream="event-stream" in kind)

    async def _pass_error(self, response: httpx2.Response) -> None:
        """A provider's error, as it is if it is JSON; its class and words are reported."""
        raw = b""
        try:
            async for piece in response.aiter_bytes():
                raw += piece
                if len(raw) > MAX_ERROR_BYTES:
                    break
        except httpx2.HTTPError:
            raw = b""
        said = faults.said_in(raw) if len(raw) <= MAX_ERROR_BYTES else None
        words = said or faults.Said(frozenset(), "")
        now = datetime.now(UTC)
        come_back = waiting.retry_at(response.headers, words.retry_seconds, now=now)
        error = faults.classify(
            self.provider.name, response.status_code, words, retry_at=come_back, secret=self.credential.secret
        )
        self._fail(error)
        headers, status, wire = self._headers(response), response.status_code, self.provider.wire
        if wire.startswith("openai-"):
            status = faults.status_for_agent(status, error.error_class)
        if is_far := waiting.is_far(error.retry_at, now=now):
            # An agent would wait for hours with its turn open: it ends, and goes on when it is told to.
            status, error = faults.no_use_in_waiting(self.provider.name, error)
            headers = [pair for pair in headers if pair[0] not in wires.WAITING_HEADERS]
        if said is None or is_far or status != response.status_code:
            raw = answers.body(wire, status, error.message, error.error_class)
            headers = [pair for pair in headers if pair[0] != b"content-type"] + [_JSON]
        raw = self._redactor.feed(raw) + self._redactor.finish()
        await self._to_box(self.connection.respond(status, headers, raw))

    async def _pass(self, response: httpx2.Response, *, is_stream: bool) -> None:
        meter = Meter(self.provider.wire, is_stream=is_stream) if self.admitted.call.metered else None
        try:
            with self._bill.of_answer(meter) if meter is not None else nullcontext():
                await self._to_box(self.connection.start(response.status_code, self._headers(response)))
                await self._pass_body(response, meter)
        except (httpx2.HTTPError, TooLong) as error:
            self._fail(broken(self.provider.name, error, idle_seconds=self.upstream.idle_seconds))
            raise BrokenOff from error
        if meter is not None:
            self._check(meter)
        await self._to_box(self.connection.end())

    async def _pass_body(self, response: httpx2.Response, meter: Meter | None) -> None:
        redactor, left = self._redactor, self.upstream.answer_bytes
        async for piece in response.aiter_bytes():
            left -= len(piece)
            if left < 0:
                raise TooLong
            readable = piece if meter is None else meter.feed(piece)
            if passing := redactor.feed(readable):
                await self._to_box(self.connection.send(passing))
            if len(readable) < len(piece):
                # What an agent would make of something unreadable is a matter of chance.
                break
        if rest := redactor.finish():
            await self._to_box(self.connection.send(rest))
        if meter is not None:
            meter.finish()

    async def _to_box(self, sending: Coroutine[Any, Any, None]) -> None:
        """Send something, unless the box has left; when it has, the call may go on without it."""
        if self.left.is_set():
            sending.close()
            return
        try:
            await sending
        except PeerGone:
            if not self.admitted.call.metered:
                raise
            self.left.set()

    def _check(self, meter: Meter) -> None:
        """Report what was wrong with an answer that came to its end; cut one that only seems whole."""
        reading, name = meter.reading, self.provider.name
        if reading.error is not None:
            said = faults.said_by({"error": reading.error})
            self._fail(faults.classify(name, 0, said, secret=self.credential.secret))
        elif reading.malformed or not reading.ended:
            what = "is garbled" if reading.malformed else "broke off"
            self._fail(faults.failure("provider_bad_response", f"The answer of {name} {what}. Try again."))
        if not reading.ended:
            # Also after an error in its midst: some SDKs overlook that, and their agents ask again at once.
            raise BrokenOff

    def _fail(self, error: ErrorData) -> None:
        """Report a failure. Calls that cost nothing, such as a list of models, may fail without harm."""
        if self.admitted.call.metered and not self.left.is_set():
            self.on_error(error)

    def _headers(self, response: httpx2.Response) -> list[tuple[bytes, bytes]]:
        headers = wires.response_headers(response.headers.multi_items())
        return [(name, value) for name, value in headers if not self._redactor.finds(value)]
